"""Every Argo bundle, in every mode that applies, before Argo's own lint; and bundles that it has to refuse."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import argo_programs
from support.bundles import unpack
from support.solutions import samples
from support.workflows import OPTIONS, built, every_bundle

from shared.bundle import Bundle
from shared.errors import InvalidOptionsError

GRAPHS = 40
Lint = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def lint() -> Lint:
    """Return what lints a folder, as `argo lint --offline` does."""
    try:
        program = argo_programs.lint()
    except (subprocess.SubprocessError, OSError) as problem:
        message = f"cannot build Argo's lint (is Go there?): {problem}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)

    def run(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, folder], capture_output=True, text=True, timeout=60, check=False)

    return run


def _emitted(test_data: Path) -> Iterator[tuple[str, Bundle]]:
    for name, mode, made in every_bundle(test_data, GRAPHS, OPTIONS):
        if not isinstance(made, InvalidOptionsError):
            yield f"{name}-{mode}", made


def test_every_bundle_passes(lint: Lint, test_data: Path, tmp_path: Path) -> None:
    found = {name: lint(unpack(made, tmp_path / name) / "argo") for name, made in _emitted(test_data)}

    said = {name: done.stdout + done.stderr for name, done in found.items() if done.returncode}
    assert said == {}
    assert {done.stdout for done in found.values()} == {"no linting errors found!\n"}
    assert len(found) > 100


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("entrypoint: pipeline", "entrypoint: pipelines", "pipelines"),
        ("entrypoint: pipeline", "entrypoint: pipeline\n  entrypoynt: pipeline", "unknown field"),
        ("depends: splitter1-split", "depends: splitter-split", "splitter-split"),
        ("workflow.parameters.run-seconds", "workflow.parameters.run-second", "run-second"),
        ("template: adder-add", "template: adder", "adder"),
    ],
    ids=["no such entrypoint", "an unknown field", "waits for no task", "an unknown parameter", "no such template"],
)
def test_argo_refuses_what_is_broken(lint: Lint, tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = unpack(built(dict(samples())["calculator"], mode="steps"), tmp_path / "bundle") / "argo"
    file = folder / "workflow.yaml"
    text = file.read_text()
    file.write_text(text.replace(old, new))

    done = lint(folder)

    assert old in text
    assert done.returncode == 1
    assert told in done.stdout
