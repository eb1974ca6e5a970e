"""The script of workflows as people run it: a program of its own, beside a bundle, with a kubectl on the PATH."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.argo_desk import calls, cluster, lay_out, run, write
from support.workflows import argo, chain

pytestmark = pytest.mark.conformance


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Unpack a bundle, and put a kubectl beside it."""
    return lay_out(tmp_path)


def kinds(folder: Path) -> list[str]:
    return sorted({each["kind"] for each in cluster(folder)["objects"]})


def test_a_submission_applies_what_is_needed_and_starts_one_run(bundle: Path):
    ended = run(bundle, "submit", "--parameter", "run-seconds=5", "--watch")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "a-run: Succeeded" in ended.stdout
    (workflow,) = [each for each in cluster(bundle)["objects"] if each["kind"] == "Workflow"]
    assert workflow["spec"]["arguments"]["parameters"][0] == {"name": "run-seconds", "value": "5"}
    assert {"WorkflowTemplate", "ServiceAccount", "Role", "ConfigMap", "PersistentVolumeClaim"} <= set(kinds(bundle))


def test_accounts_are_there_before_the_secrets_for_their_tokens(bundle: Path):
    run(bundle, "submit")

    order = [(each["kind"], each["metadata"].get("name", "")) for each in cluster(bundle)["objects"]]
    accounts = [at for at, (kind, _) in enumerate(order) if kind == "ServiceAccount"]
    (token,) = [at for at, (_, name) in enumerate(order) if name.endswith(".service-account-token")]
    assert token > max(accounts)


def test_a_run_that_fails_is_told_by_the_exit_status(bundle: Path):
    cluster(bundle, ending="Failed")

    assert run(bundle, "submit", "--watch").returncode == 1


def test_a_secret_that_is_missing_stops_before_anything_is_written(bundle: Path):
    cluster(bundle, objects=[])

    ended = run(bundle, "submit")

    assert ended.returncode == 1
    assert "no Secret vault" in ended.stderr
    assert kinds(bundle) == []


@pytest.mark.parametrize("there", ["", "vault", "registry"])
def test_secrets_of_what_a_workflow_deploys_are_looked_for_too(bundle: Path, there: str):
    chosen = {"secrets": {"KEY": {"secret": "vault", "key": "k"}}, "imagePullSecrets": ["registry"]}
    for file in (bundle / "argo").iterdir():
        file.unlink()
    write(bundle, argo(chain("a", "b"), mode="persistent", **chosen))
    held = [{"kind": "Secret", "metadata": {"name": there}}]
    cluster(bundle, objects=held)

    ended = run(bundle, "submit")

    missing = [name for name in ("registry", "vault") if name != there]
    assert ended.returncode == 1
    assert f"no Secret {', '.join(missing)}, which" in ended.stderr
    assert cluster(bundle)["objects"] == held


def test_a_parameter_that_is_none_is_refused_before_anything_is_asked(bundle: Path):
    ended = run(bundle, "submit", "--parameter", "speed=1")

    assert (ended.returncode, kinds(bundle)) == (1, ["Secret"])
    assert "--parameter speed: this workflow has run-seconds" in ended.stderr
    assert [call[:2] for call in calls(bundle)] == [["create", "--dry-run=client"]]


@pytest.mark.parametrize("label", ["app.kubernetes.io/instance", "app.kubernetes.io/component"])
def test_objects_of_others_are_left_untouched(bundle: Path, label: str):
    run(bundle, "submit")
    state = cluster(bundle)
    for each in state["objects"]:
        if each["kind"] == "ServiceAccount":
            each["metadata"]["labels"][label] = "another"
    cluster(bundle, objects=state["objects"])

    ended = run(bundle, "submit")

    assert ended.returncode == 1
    assert "not ours, left untouched: ServiceAccount/" in ended.stderr


@pytest.mark.parametrize(("old", "status"), [(False, 0), (True, 1)], ids=["by the server", "by an old kubectl"])
def test_an_object_too_large_for_a_copy_needs_a_kubectl_that_is_not_old(bundle: Path, *, old: bool, status: int):
    cluster(bundle, old=old)
    template = yaml.safe_load((bundle / "argo" / "workflow-template.yaml").read_bytes())
    template["metadata"]["annotations"] = {"about": "x" * 262_144}
    (bundle / "argo" / "workflow-template.yaml").write_text(json.dumps(template))

    ended = run(bundle, "submit")

    assert ended.returncode == status
    assert ("kubectl 1.18 or newer applies it on the server's side" in ended.stderr) is old
    assert ("Workflow" in kinds(bundle)) is not old


def test_the_latest_run_is_stopped_in_order(bundle: Path):
    cluster(bundle, ending="")
    run(bundle, "submit")

    ended = run(bundle, "stop")

    (workflow,) = [each for each in cluster(bundle)["objects"] if each["kind"] == "Workflow"]
    assert (ended.returncode, workflow["spec"]["shutdown"]) == (0, "Stop")


def test_deleting_stops_what_runs_and_keeps_the_data(bundle: Path):
    cluster(bundle, ending="")
    run(bundle, "submit")

    ended = run(bundle, "delete")

    assert ended.returncode == 0
    assert kinds(bundle) == ["PersistentVolumeClaim", "Secret"]
    assert "kept with the data on them" in ended.stdout
    assert [each["metadata"]["name"] for each in cluster(bundle)["objects"] if each["kind"] == "Secret"] == ["vault"]


def test_data_is_deleted_on_request(bundle: Path):
    run(bundle, "submit")

    assert run(bundle, "delete", "--delete-data").returncode == 0
    assert kinds(bundle) == ["Secret"]
    assert run(bundle, "delete").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("submit", "--parameter", "speed"), ("watch", "--all"), ("stop", "A_b"), (), ("submit", "--parameter", "=x")],
)
def test_what_cannot_be_meant_is_wrong_usage(bundle: Path, arguments: tuple[str, ...]):
    assert run(bundle, *arguments).returncode == 2
    assert not (bundle / "bin" / "calls.jsonl").exists()


def test_without_a_run_there_is_nothing_to_watch(bundle: Path):
    ended = run(bundle, "watch")

    assert (ended.returncode, ended.stderr) == (1, "error: no run of this workflow is there: submit one\n")
