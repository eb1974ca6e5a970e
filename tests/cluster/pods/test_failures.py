"""Nodes that do not come up in real pods: the finishing script tells why, with their last words."""

from __future__ import annotations

import json
import subprocess

from support.finishing import SCRIPT_SECONDS, command, script
from support.running import Deploy, Running

# Two or three starts of a container that ends: the kubelet waits 10 s, then 20 s.
PATIENCE_SECONDS = "45"


def unapplied(_: Running) -> None:
    """Leave applying to the test."""


def test_a_node_that_ends_is_told_with_its_status_and_its_last_words(deploy: Deploy) -> None:
    served = deploy("word-count", apply=unapplied, options={"nodes": {"seed": {"kind": "service"}}})

    ended = script(served.kubectl, served.folder, "--timeout", PATIENCE_SECONDS)

    assert ended.status == 3
    assert "seed: its container exits with status 0, restarted" in ended.err
    assert "one that ends is of kind job" in ended.err
    assert "seed_written" in ended.err.partition("the last lines of seed:")[2]


def test_a_job_that_fails_is_told_with_its_status_and_its_last_words(deploy: Deploy) -> None:
    options = {"nodes": {"seed": {"kind": "job"}}, "sharedFolder": {"prepare": "never"}, "runAsUser": 4711}
    unwritable = deploy("word-count", apply=unapplied, options=options)

    ended = script(unwritable.kubectl, unwritable.folder, "--timeout", PATIENCE_SECONDS, "--json")

    document = json.loads(ended.out)
    causes = {cause["node"]: cause["what"] for cause in document["causes"]}
    assert (ended.status, document["ready"]) == (3, False)
    assert causes["seed"] == "its container exits with status 1"
    assert "PermissionError" in ended.err.partition("the last lines of seed:")[2]


def test_logs_follow_a_node_until_its_pods_are_gone(deploy: Deploy) -> None:
    running = deploy("calculator")
    running.eventually("printer", "results_shown")

    with following(running, "printer") as process:
        assert process.stdout
        first = process.stdout.readline()
        running.kubectl("delete", "-k", str(running.folder), "--wait=false")
        rest = process.stdout.read()
        status = process.wait(timeout=SCRIPT_SECONDS)

    assert status == 0
    assert "results_shown" in first + rest


def following(running: Running, node: str) -> subprocess.Popen[str]:
    """Start the script that follows the logs of a node."""
    return subprocess.Popen(
        command(running.kubectl, running.folder, "--logs", node),
        env=dict(running.kubectl.environment),
        stdout=subprocess.PIPE,
        text=True,
    )
