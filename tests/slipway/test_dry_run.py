"""`slipway dry-run` as a person calls it, on bundles that our own emitter makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.argo_bundles import emitted
from support.dry_runs import bench, container, processes_in, workflow
from support.playground import table

from shared import archive, yamldump
from slipway.__main__ import main

pytestmark = pytest.mark.conformance

__all__ = ["bench"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Return the folder of a table of our samples."""
    folder = tmp_path_factory.mktemp("images")
    table(folder)
    return folder


def test_a_bundle_of_our_emitter_runs_with_real_nodes(images, tmp_path, capsys):
    bundle = emitted("code-breaker", tmp_path / "bundle")
    keep = tmp_path / "kept"

    status = main(
        ["dry-run", str(bundle), "--json", f"--images={images}", f"--keep={keep}", "--parameter=run-seconds=60"]
    )

    told = json.loads(capsys.readouterr().out)
    found = {each["task"]: each["status"] for each in told["tasks"]}
    assert status == 0, told
    assert found == {
        "pipeline/player": "Daemoned",
        "pipeline/place-judge": "Daemoned",
        "pipeline/digit-judge": "Daemoned",
        "pipeline/orchestrate": "Succeeded",
        "pipeline": "Succeeded",
        "onExit": "Succeeded",
    }
    assert '"matches": 4' in (keep / "logs" / "pipeline.player.log").read_text()
    assert '"status": "Succeeded"' in (keep / "logs" / "onExit.log").read_text()
    assert processes_in(keep) == []


def _bundle(bench, *args, **more):
    file = bench.folder / "bundle.zip"
    file.write_bytes(archive.write({"argo/workflow.yaml": yamldump.dump(workflow(container("t", *args), **more))}))
    return str(file)


def test_a_zip_will_do_and_the_lines_are_for_people(bench, capsys):
    assert main(["dry-run", _bundle(bench), f"--images={bench.folder}"]) == 0

    assert capsys.readouterr().out.splitlines() == ["t: running", "t: Succeeded", "tried: Succeeded (1 Succeeded)"]


def test_a_failure_has_a_status_and_a_reason(bench, capsys):
    assert main(["dry-run", _bundle(bench, "bad:1"), f"--images={bench.folder}"]) == 1

    assert capsys.readouterr().out.endswith("tried: Failed: exit status 7: no luck (1 Failed)\n")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--parameter=x"], "expected NAME=VALUE"),
        (["--parameter=x=1"], "expected one of none"),
        (["--images=/nowhere"], "expected a folder with images.json"),
        (["--keep=."], "expected a new or empty folder"),
    ],
)
def test_wrong_usage_is_said(bench, capsys, more, word):
    assert main(["dry-run", _bundle(bench), f"--images={bench.folder}", *more]) == 2
    assert word in capsys.readouterr().err


def test_nothing_to_run_is_said(tmp_path, capsys):
    assert main(["dry-run", str(tmp_path / "none")]) == 2
    assert "BUNDLE: expected a folder or a zip file" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_it_is_ended_no_process_stays(bench, number):
    keep = bench.folder / "kept"
    command = [
        sys.executable,
        "-m",
        "slipway",
        "dry-run",
        _bundle(bench, "slow:1"),
        f"--images={bench.folder}",
        f"--keep={keep}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until = time.monotonic() + 30
        while not processes_in(keep):
            assert run.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        os.kill(run.pid, number)
        status = run.wait(20)
    until = time.monotonic() + 5
    while processes_in(keep) and time.monotonic() < until:
        time.sleep(0.02)

    assert processes_in(keep) == []
    assert status == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    assert Path(keep).exists()


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("signals", "expected"), [([signal.SIGINT, signal.SIGINT], 130), ([signal.SIGKILL], -signal.SIGKILL)]
)
def test_what_will_not_end_and_has_left_its_group_ends_too(bench, signals, expected):
    bench.program("stubborn:1", STUBBORN)
    keep = bench.folder / "kept"
    command = [sys.executable, "-m", "slipway", "dry-run", _bundle(bench, "stubborn:1")]
    with subprocess.Popen(
        [*command, f"--images={bench.folder}", f"--keep={keep}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        until = time.monotonic() + 30
        while len(processes_in(keep)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        for number in signals:
            os.kill(run.pid, number)
            time.sleep(0.1)
        status = run.wait(20)
    until = time.monotonic() + 10
    while processes_in(keep) and time.monotonic() < until:
        time.sleep(0.02)

    assert (status, processes_in(keep)) == (expected, [])
