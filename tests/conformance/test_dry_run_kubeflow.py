"""Samples, emitted for Kubeflow, run on this machine with their real nodes: deployed and torn down, or as steps with sidecars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bundles import sample_options, unpack
from support.dry_runs import processes_in, statuses
from support.playground import table
from support.solutions import IMAGES, ROOT, read

from services.kubeflow.generate import DEPLOYER
from shared.deployer import Assets
from shared.workflows.dry_run import programs, running
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a table of our samples."""
    folder = tmp_path_factory.mktemp("images")
    table(folder)
    return folder


def run(
    sample: str, images: Path, work: Path, *, parameters: dict[str, str] | None = None, **options: object
) -> Outcome:
    chosen = DEPLOYER.parse_options({**sample_options(sample), **options})
    bundle = unpack(DEPLOYER.build(read(ROOT / "samples" / sample), chosen, Assets({}, IMAGES)), work / "bundle")
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    (work / "run").mkdir()
    asked = Options(parameters or {}, longest_wait_seconds=0.2)
    return running.run(files, programs.read(images), work / "run", asked, lambda _: None)


def ends(outcome: Outcome) -> dict[str, str]:
    return {path.partition("/")[2]: status for path, status in statuses(outcome).items()}


@pytest.mark.parametrize(
    ("sample", "seconds", "status"), [("code-breaker", "60", "Succeeded"), ("sensor-stream", "1", "Failed")]
)
def test_nodes_are_deployed_used_and_torn_down_however_it_went(
    images: Path, tmp_path: Path, sample: str, seconds: str, status: str
) -> None:
    found = run(sample, images, tmp_path, parameters={"run-seconds": seconds})

    assert found.status == status, found
    assert ends(found) == {
        "session/deploy": "Succeeded",
        "session/orchestrate": status,
        "session": status,
        "teardown": "Succeeded",
    }
    assert processes_in(tmp_path) == []


def test_a_stream_that_ran_for_as_long_as_was_wanted_has_succeeded(images: Path, tmp_path: Path) -> None:
    found = run("sensor-stream", images, tmp_path, parameters={"run-duration": "2"})

    assert (found.status, ends(found)["teardown"]) == ("Succeeded", "Succeeded"), found


def test_steps_with_sidecars_come_to_the_same_as_services(images: Path, tmp_path: Path) -> None:
    shown = []
    for mode in ("steps", "services"):
        (tmp_path / mode).mkdir()
        found = run("calculator", images, tmp_path / mode, mode=mode, release="2.18")
        assert found.status == "Succeeded", found
        logs = (tmp_path / mode / "run" / "logs").glob("*printer*.log")
        lines = [line for log in sorted(logs) for line in log.read_text().splitlines() if "results_shown" in line]
        shown.append([json.loads(line)["values"] for line in lines])

    assert len(shown[0]) == 10
    assert shown[0] == shown[1]
