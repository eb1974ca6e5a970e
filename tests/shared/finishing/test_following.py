"""Runs that go on: followed to their end, ended before all goes, and given up where nobody looks after them."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.argo_desk import calls, cluster, lay_out, run, submitted

from shared.finishing import joining

pytestmark = pytest.mark.conformance

DELETES = argparse.Namespace(delete_data=False)


class Clock:
    """Time that only passes while somebody waits: half a minute each time."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _: float) -> None:
        self.now += 30.0


@pytest.fixture(scope="module")
def submitted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack a bundle with a schedule, and submit a run that goes on."""
    folder = lay_out(tmp_path_factory.mktemp("submitted"), schedule={"cron": ["@daily"]})
    cluster(folder, ending="")
    assert run(folder, "submit").returncode == 0
    (folder / "bin" / "calls.jsonl").unlink()
    return folder


@pytest.fixture
def bundle(tmp_path: Path, submitted_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a bundle of which a run goes on; its kubectl is on the PATH."""
    folder = shutil.copytree(submitted_once, tmp_path / "bundle")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return folder


def loaded(bundle: Path, clock: Clock) -> Any:
    """Return the script as a module that has this time."""
    about = importlib.util.spec_from_file_location("argo_script", bundle / joining.ARGO_SCRIPT)
    assert about is not None
    assert about.loader is not None
    script = importlib.util.module_from_spec(about)
    about.loader.exec_module(script)
    script.time = clock
    return script


def of_kind(bundle: Path, kind: str) -> list[dict[str, Any]]:
    return [each for each in cluster(bundle)["objects"] if each["kind"] == kind]


def test_a_run_that_nobody_looks_after_is_deleted_after_a_while(bundle: Path, capsys: pytest.CaptureFixture[str]):
    cluster(bundle, controller=False)
    clock = Clock()
    script = loaded(bundle, clock)

    assert script.remove(script.Kubectl("flows", warn=script.warn), DELETES) == 0

    told = capsys.readouterr().out
    assert "no controller of Argo seems to look after namespace flows" in told
    assert "has no phase after 120 s: nobody stops it, so it is deleted as it is" in told
    assert clock.now == 120.0
    assert of_kind(bundle, "Workflow") == []


def test_all_runs_that_nobody_looks_after_are_given_up_together(bundle: Path):
    more = [submitted(bundle, f"more-{number}") for number in range(3)]
    cluster(bundle, objects=[*cluster(bundle)["objects"], *more], controller=False)
    clock = Clock()
    script = loaded(bundle, clock)

    script.remove(script.Kubectl("flows", warn=script.warn), DELETES)

    assert (clock.now, of_kind(bundle, "Workflow")) == (120.0, [])


def test_a_run_without_a_phase_is_told_of_once_and_followed_further(bundle: Path, capsys: pytest.CaptureFixture[str]):
    cluster(bundle, controller=False)
    clock = Clock()
    script = loaded(bundle, clock)
    (workflow,) = of_kind(bundle, "Workflow")

    def sleep(_: float) -> None:
        clock.now += 30.0
        if clock.now == 300.0:
            cluster(bundle, controller=True, ending="Succeeded")

    clock.sleep = sleep  # type: ignore[method-assign]
    assert script.follow(script.Kubectl("flows", warn=script.warn), workflow["metadata"]["name"]) == 0

    assert capsys.readouterr().out.count("no controller of Argo seems to look after namespace flows") == 1


def test_a_run_that_takes_long_is_not_given_up(bundle: Path, capsys: pytest.CaptureFixture[str]):
    (workflow,) = of_kind(bundle, "Workflow")
    cluster(bundle, controller=False, objects=[{**workflow, "status": {"phase": "Running"}}])
    clock = Clock()
    script = loaded(bundle, clock)

    def sleep(_: float) -> None:
        clock.now += 100.0
        if clock.now == 500.0:
            cluster(bundle, controller=True)

    clock.sleep = sleep  # type: ignore[method-assign]
    script.remove(script.Kubectl("flows", warn=script.warn), DELETES)

    assert clock.now == 500.0
    assert "no controller" not in capsys.readouterr().out


def test_no_schedule_starts_a_run_while_others_end(bundle: Path):
    assert run(bundle, "delete").returncode == 0

    changed = [(call[1], call[-2]) for call in calls(bundle) if call[0] == "patch"]
    assert changed == [
        ("cronworkflows.argoproj.io", '--patch={"spec": {"suspend": true}}'),
        ("workflows.argoproj.io", '--patch={"spec": {"shutdown": "Stop"}}'),
    ]
    assert of_kind(bundle, "CronWorkflow") == []


def test_a_run_that_began_just_before_is_ended_in_order_too(bundle: Path):
    cluster(bundle, late=[submitted(bundle, "late")])

    ended = run(bundle, "delete")

    assert ended.returncode == 0
    assert "late is told to stop" in ended.stdout
    assert "late: Failed" in ended.stdout
    assert of_kind(bundle, "Workflow") == []


def test_a_run_that_is_gone_as_soon_as_it_ends_is_no_failure(bundle: Path):
    cluster(bundle, fleeting=True)

    ended = run(bundle, "delete")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_runs_that_were_started_on_a_page_are_found(bundle: Path):
    cluster(bundle, objects=[*cluster(bundle)["objects"], submitted(bundle, "of-a-page")])

    stopped = run(bundle, "stop")
    watched = run(bundle, "watch")
    deleted = run(bundle, "delete")

    assert stopped.stdout == "of-a-page is told to stop\n"
    assert "of-a-page: Failed" in watched.stdout
    assert (stopped.returncode, watched.returncode, deleted.returncode) == (0, 1, 0)
    assert of_kind(bundle, "Workflow") == []


def test_runs_of_other_workflows_stay(bundle: Path):
    other = submitted(bundle, "other", **{"app.kubernetes.io/instance": "another-12345678"})
    cluster(bundle, objects=[*cluster(bundle)["objects"], other])

    assert run(bundle, "delete").returncode == 0

    assert of_kind(bundle, "Workflow") == [other]
