"""How the Kubernetes programs come into their cache: whole or not at all. No cluster is needed; Go is a stand-in that obeys."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.containers import wait_until

PROGRAM = Path(__file__).parents[1] / "support" / "kubernetes_programs.py"
# Writes a file named after the module into the folder that -o names, as `go build -o FOLDER/ tool` writes programs, and
# tells where a module is that it downloaded.
GO = """#!/bin/sh
[ -z "$GO_FAILS" ] || exit 1
if [ "$1" = mod ]; then printf '{"Dir": "%s"}' "$(dirname "$0")/module"; exit; fi
touch "$3/$(basename "$PWD")"
[ -z "$GO_HANGS" ] || sleep 60
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with a Go, and room for a cache."""
    go = tmp_path / "go"
    go.write_text(GO, encoding="ascii")
    go.chmod(0o755)
    definitions = tmp_path / "module" / "config" / "crd" / "bases"
    definitions.mkdir(parents=True)
    (definitions / "things.yaml").write_text("kind: CustomResourceDefinition\n", encoding="ascii")
    return tmp_path


def _environment(desk: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(desk), "/usr/bin", "/bin"])
    return os.environ | {"PATH": path, "SLIPWAY_CACHE": str(desk / "cache")} | more


def _build(desk: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM)], env=_environment(desk, **more), capture_output=True, text=True, check=False
    )


def _folders(desk: Path) -> list[str]:
    return [path.name for path in (desk / "cache").iterdir() if path.is_dir()]


def test_the_folder_holds_the_programs_of_all_modules(desk: Path) -> None:
    built = Path(_build(desk).stdout.strip())

    assert built.name.startswith("kubernetes-1.")
    assert {path.name for path in built.iterdir()} == {"kubernetes", "kwok", "flux", "flux-definitions"}
    assert [path.name for path in (built / "flux-definitions").iterdir()] == ["things.yaml"]


def test_what_is_built_is_not_built_again(desk: Path) -> None:
    first = _build(desk)

    again = _build(desk, GO_FAILS="yes")

    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_a_failed_build_is_told_and_leaves_no_folder_that_looks_built(desk: Path) -> None:
    failed = _build(desk, GO_FAILS="yes")

    assert failed.returncode == 1
    assert "cannot build the Kubernetes programs" in failed.stderr
    assert [name for name in _folders(desk) if name.startswith("kubernetes-")] == []


def test_a_build_that_was_killed_is_begun_again(desk: Path) -> None:
    environment = _environment(desk, GO_HANGS="yes")
    with subprocess.Popen([sys.executable, str(PROGRAM)], env=environment, start_new_session=True) as killed:
        wait_until(lambda: bool([*desk.glob("cache/unfinished-*/kubernetes")]), what="half a build", seconds=20)
        os.killpg(killed.pid, signal.SIGKILL)

    again = _build(desk)

    assert again.returncode == 0
    assert _folders(desk) == [Path(again.stdout.strip()).name]


def test_without_go_the_reason_is_told(desk: Path) -> None:
    failed = _build(desk, PATH=str(desk / "nowhere"))

    assert failed.returncode == 1
    assert "is Go there?" in failed.stderr
