"""What the script does beside deploying: a dry run, the status, logs, deleting, JSON; and how it is stopped."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time

import pytest
from support.finishing_desk import BUNDLE, CLAIM, LABELS, Desk, made, service, workload

pytestmark = pytest.mark.conformance

WHOLE = {
    "ConfigMap/demo-1-pipeline-1",
    "Deployment/a",
    "NetworkPolicy/demo-1-nodes",
    "PersistentVolumeClaim/shared-folder",
    "Service/orchestrator",
}
READY = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def deployed(desk: Desk, *more: dict[str, object], **behaviour: object) -> None:
    """Let the bundle be there and ready."""
    there = [{**m, "status": READY} if m["kind"] == "Deployment" else m for m in BUNDLE]
    desk.cluster(*there, *more, **behaviour)


# --- dry run


def test_a_dry_run_tells_what_would_change_and_writes_nothing(desk: Desk):
    desk.cluster(CLAIM, workload(image="registry.example/a:0"), workload(name="old"), workload("Job", "loader", "x:1"))
    desk.holds(*BUNDLE, workload("Job", "loader", "x:2"))
    before = desk.objects

    done = desk.run("--dry-run")

    assert (done.returncode, desk.objects, desk.applied) == (0, before, [])
    assert set(done.stdout.splitlines()) == {
        "would be created: ConfigMap/demo-1-pipeline-1",
        "would be changed: Deployment/a (spec.template.spec.containers[0].image)",
        "would be replaced: Job/loader",
        "would be created: NetworkPolicy/demo-1-nodes",
        "would be created: Service/orchestrator",
        "would be deleted: Deployment/old",
        "1 objects stay as they are; nothing was written",
    }


def test_a_dry_run_without_the_namespace_tells_that_everything_would_be_created(desk: Desk):
    desk.cluster(namespace=None)

    done = desk.run("--dry-run")

    assert (done.returncode, desk.objects) == (0, [])
    assert done.stdout.count("would be created: ") == 6
    assert "Namespace/demo" in done.stdout


def test_a_dry_run_names_what_is_in_the_way(desk: Desk):
    desk.cluster(workload(**{"app.kubernetes.io/instance": "other-2"}))

    done = desk.run("--dry-run")

    assert done.returncode == 1
    assert "Deployment/a (instance other-2)" in done.stderr


# --- status and logs


def test_the_status_shows_nodes_and_addresses_and_changes_nothing(desk: Desk):
    deployed(desk)

    done = desk.run("--status")

    assert done.returncode == 0
    assert desk.verbs == ["create", "get"]
    assert done.stdout.splitlines()[:3] == [
        "NODE  IMAGE                 PHASE       READY  RESTARTS  AGE",
        "a     registry.example/a:1  no pod yet  1/1    0         -",
        "1 of 1 nodes ready",
    ]
    assert "orchestrator: kubectl port-forward -n demo service/orchestrator 8061:8061" in done.stdout


def test_the_status_of_what_is_not_ready_or_not_whole_is_3(desk: Desk):
    desk.cluster(workload(), CLAIM)

    done = desk.run("--status")

    assert done.returncode == 3
    assert "missing: NetworkPolicy/demo-1-nodes, Service/orchestrator, ConfigMap/demo-1-pipeline-1" in done.stderr
    assert "a: the cluster has made no pod for it yet" in done.stderr


def test_the_status_of_nothing_is_a_failure(desk: Desk):
    done = desk.run("--status")

    assert done.returncode == 1
    assert "nothing of demo-1 is in namespace demo" in done.stderr


def test_the_last_lines_of_a_container_that_exits_are_shown_and_cannot_steer_the_terminal(desk: Desk):
    status = {"name": "a", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    last = {"terminated": {"exitCode": 3}}
    metadata = {"name": "a-1", "labels": {**LABELS, "app": "a"}, "creationTimestamp": "2026-01-01T00:00:00Z"}
    pod = {"kind": "Pod", "metadata": metadata, "status": {"containerStatuses": [{**status, "lastState": last}]}}
    desk.cluster(*BUNDLE, pods=[pod], log="first\n\x1b[2Jlast")

    done = desk.run("--status")

    assert "  a: its container exits with status 3, restarted 2 times" in done.stderr
    assert "the last lines of a:\n  | first\n  | \\x1b[2Jlast\n" in done.stderr
    assert ["logs", "a-1", "-n", "demo", "-c", "a", "--tail=5", "--previous"] in [
        call["arguments"][:8] for call in desk.calls
    ]


def test_logs_are_those_of_the_node_of_this_instance(desk: Desk):
    desk.cluster(log="hello")

    done = desk.run("--logs", "a")

    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert desk.calls[-1]["arguments"][:4] == ["logs", "-l", "app=a,app.kubernetes.io/instance=demo-1", "--follow"]


def test_logs_of_a_node_that_is_not_in_the_bundle_name_those_that_are(desk: Desk):
    done = desk.run("--logs", "b")

    assert done.returncode == 1
    assert "expected one of a; found b" in done.stderr


def test_a_node_that_is_no_name_never_reaches_kubectl(desk: Desk):
    assert desk.run("--logs=--all-namespaces").returncode == 2
    assert desk.calls == []


# --- delete


def test_delete_leaves_nothing_but_the_claim(desk: Desk):
    deployed(desk, made("Secret", "mine"), workload(name="of-an-older-revision"))

    done = desk.run("--delete")

    assert (done.returncode, desk.titles) == (0, {"PersistentVolumeClaim/shared-folder"})
    assert "kept with the data on them: claim shared-folder" in done.stdout


def test_delete_takes_nothing_of_others(desk: Desk):
    theirs = [
        made("ConfigMap", "theirs", **{"app.kubernetes.io/instance": "other-2"}),
        made("Deployment", "of-helm", **{"app.kubernetes.io/managed-by": "Helm"}),
        {"kind": "Secret", "metadata": {"name": "bare"}},
    ]
    deployed(desk, *theirs)

    desk.run("--delete", "--delete-data")

    assert desk.objects == theirs


def test_a_namespace_that_the_script_made_goes_when_it_is_empty(desk: Desk):
    desk.cluster(namespace=None)
    desk.run()

    done = desk.run("--delete", "--delete-data")

    assert done.returncode == 0
    assert "namespace demo deleted" in done.stdout
    assert json.loads((desk.home / "state.json").read_text())["namespace"] is None


@pytest.mark.parametrize(
    ("there", "arguments"),
    [(CLAIM, ["--delete"]), ({"kind": "Secret", "metadata": {"name": "theirs"}}, ["--delete", "--delete-data"])],
    ids=["data", "something of others"],
)
def test_a_namespace_stays_as_long_as_somebody_may_miss_something(desk: Desk, there: object, arguments: list[str]):
    desk.cluster(workload(), there, namespace_is_ours=True)

    done = desk.run(*arguments)

    assert "namespace demo stays: " in done.stdout
    assert json.loads((desk.home / "state.json").read_text())["namespace"] == "Active"


def test_a_namespace_of_which_not_all_can_be_seen_stays(desk: Desk):
    told = 'Error from server (Forbidden): widgets is forbidden: User "me" cannot list resource'
    desk.cluster(workload(), namespace_is_ours=True, fails={"api-resources": told})

    done = desk.run("--delete")

    assert (done.returncode, desk.objects) == (0, [])
    assert "namespace demo stays: not all that is in it can be seen" in done.stdout


def test_deleting_twice_finds_nothing(desk: Desk):
    assert "0 objects of demo-1 deleted" in desk.run("--delete").stdout

    desk.cluster(namespace=None)
    assert "there is nothing to delete" in desk.run("--delete").stdout


def test_a_dry_run_of_delete_deletes_nothing(desk: Desk):
    deployed(desk)

    done = desk.run("--delete", "--dry-run")

    assert (done.returncode, desk.titles) == (0, WHOLE)
    assert "would be deleted: Deployment/a" in done.stdout
    assert "would be kept: PersistentVolumeClaim/shared-folder" in done.stdout


# --- JSON, usage, stopping


def test_json_is_one_document_on_stdout_and_words_are_on_stderr(desk: Desk):
    done = desk.run("--json")

    document = json.loads(done.stdout)
    assert (done.returncode, document["exit"], document["outcome"], document["ready"]) == (0, 0, "done", True)
    assert (document["action"], document["instance"], document["revision"]) == ("deploy", "demo-1", "revision-1")
    assert {change["what"] for change in document["changes"]} == {"created"}
    assert [(node["name"], node["state"]) for node in document["nodes"]] == [("a", "ready")]
    assert document["addresses"][0]["forward"] == "kubectl port-forward -n demo service/orchestrator 8061:8061"
    assert "workloads: 1 created" in done.stderr


def test_a_failure_has_the_same_document_with_its_problem(desk: Desk):
    desk.cluster(fails={"apply": "the cluster says no"})

    done = desk.run("--json")

    document = json.loads(done.stdout)
    assert (done.returncode, document["outcome"]) == (1, "failed")
    assert document["problem"] == "claims: kubectl apply failed: the cluster says no"


def test_ctrl_c_says_where_it_stopped_and_that_the_same_command_goes_on(desk: Desk):
    desk.cluster(ready=False)
    environment = {"PATH": str(desk.home), "KUBECTL_HOME": str(desk.home)}
    process = subprocess.Popen(
        desk.command("-n", "demo"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "--watch" not in str(desk.calls):
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)

    assert process.returncode == 130
    assert told == (
        "stopped while waiting for the nodes; everything is applied. The same command goes on where that is needed\n"
    )


def test_whoever_ends_the_script_ends_its_watch(desk: Desk):
    desk.cluster(ready=False)
    environment = {"PATH": str(desk.home), "KUBECTL_HOME": str(desk.home)}
    process = subprocess.Popen(
        desk.command("-n", "demo"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while "--watch" not in str(desk.calls):
        time.sleep(0.02)
    watch = desk.calls[-1]["process"]

    process.terminate()

    assert process.wait(timeout=20) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(watch, 0)


def test_a_run_needs_an_orchestrator_and_grpc(desk: Desk):
    done = desk.run("--run")

    assert done.returncode == 1
    assert "--run: this bundle has no orchestrator" in done.stderr


def test_a_model_is_reached_on_its_own_service(desk: Desk):
    desk.holds(workload(), service("a", **{"app.kubernetes.io/component": "model"}))

    done = desk.run()

    assert "a: kubectl port-forward -n demo service/a 8061:8061" in done.stdout
    assert "Please run" not in done.stdout


def test_a_terminal_gets_a_table_that_is_drawn_again(desk: Desk):
    desk.cluster(ready=False)
    ours, theirs = pty.openpty()
    environment = {"PATH": str(desk.home), "KUBECTL_HOME": str(desk.home), "TERM": "xterm", "COLUMNS": "70"}

    with subprocess.Popen(
        desk.command("-n", "demo", "--timeout", "1.5"), env=environment, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        drawn = read_all(ours)

    head = "NODE  IMAGE                 PHASE       READY  RESTARTS  AGE"
    assert process.returncode == 3
    assert f"{head}\r\na     registry.example/a:1  no pod yet  0/1    0         -\r\n\x1b[2F\x1b[J{head}" in drawn


def read_all(descriptor: int) -> str:
    """Return what is written to a terminal until nobody has it open any more."""
    found = b""
    with contextlib.suppress(OSError):
        while piece := os.read(descriptor, 4096):
            found += piece
    os.close(descriptor)
    return found.decode()


def test_a_run_that_does_not_wait_tells_how_the_nodes_are(desk: Desk):
    desk.cluster(ready=False)

    done = desk.run("--timeout", "0", "--json")

    document = json.loads(done.stdout)
    assert (done.returncode, document["ready"]) == (0, False)
    assert [(node["name"], node["state"]) for node in document["nodes"]] == [("a", "waiting")]
