"""Pods are deleted while messages move: the pipeline goes on by itself, and no message is lost, doubled or mixed up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.containers import wait_until
from support.running import Deploy, Event, Running, events

PAUSE_SECONDS = 0.05
FURTHER = 40  # results; at this pace two seconds' worth
ENDED_SECONDS = 60


@pytest.fixture(scope="session")
def endless(deploy: Deploy) -> Running:
    """Deploy a calculator that draws pairs for ever at an even pace."""
    return deploy(
        "calculator",
        options={"nodes": {"numbers": {"environment": {"COUNT": 0}}}},
        policies={"operations": {"numbers.draw": {"pause_seconds": PAUSE_SECONDS}}},
    )


def shown(running: Running, further: int = FURTHER) -> list[Event]:
    """Wait for so many results from now on, and return all that were ever shown."""
    return running.eventually("printer", "results_shown", len(running.events("printer", "results_shown")) + further)


def drawn(running: Running, count: int) -> list[tuple[list[int], dict[str, float]]]:
    """Return what has to be shown for the first pairs, by what the source says of them."""
    return [
        ([pair["number"]], {"sum": pair["left"] + pair["right"], "product": pair["left"] * pair["right"]})
        for pair in running.events("numbers", "pair_drawn")[:count]
    ]


def results(found: list[Event]) -> list[tuple[list[int], dict[str, float]]]:
    return [(each["numbers"], each["values"]) for each in found]


def pods(running: Running, node: str) -> list[str]:
    """Return the unique ids of a node's pods."""
    return running.kubectl("get", "pods", "-l", f"app={node}", "-o", "jsonpath={.items[*].metadata.uid}").split()


def delete_pod(running: Running, node: str, *how: str) -> None:
    """Delete the pod of a node and wait for another."""
    before = pods(running, node)
    running.kubectl("delete", "pod", "-l", f"app={node}", *how)
    wait_until(
        lambda: bool(set(pods(running, node)) - set(before)), what=f"another pod of {node}", seconds=ENDED_SECONDS
    )


def test_messages_go_on_when_a_node_is_back(endless: Running) -> None:
    shown(endless)

    # As when its machine dies: it gets no time to answer what it has taken.
    delete_pod(endless, "adder", "--grace-period=0", "--force")

    found = shown(endless)
    assert results(found) == drawn(endless, len(found))
    assert len(endless.events("adder", "pair_computed")) >= FURTHER


def test_the_orchestrator_waits_for_a_node_and_does_not_give_up(endless: Running) -> None:
    shown(endless)
    delete_pod(endless, "multiplier", "--grace-period=0", "--force")
    shown(endless)

    failures = [each for each in endless.events("orchestrator", "call_failed") if "multiplier" in each["operation"]]

    assert [each["is_final"] for each in failures] == [False] * len(failures)
    assert endless.events("orchestrator", "run_finished") == []


def test_the_pipeline_goes_on_when_its_orchestrator_is_deleted(endless: Running) -> None:
    shown(endless)

    delete_pod(endless, "orchestrator")

    found = shown(endless)
    assert results(found) == drawn(endless, len(found))
    assert [each["event"] for each in endless.log("orchestrator") if each["level"] != "warning"] == [
        "listening",
        "pipeline_initialized",
        "run_started",
    ]


def test_an_orchestrator_that_is_deleted_delivers_what_it_holds(endless: Running, tmp_path: Path) -> None:
    shown(endless)
    log = tmp_path / "log"
    kubectl = endless.kubectl
    follow = [kubectl.program, "--namespace", kubectl.namespace, "logs", "--follow", "deployment/orchestrator"]
    with log.open("wb") as output, subprocess.Popen(follow, env=dict(kubectl.environment), stdout=output) as following:
        wait_until(lambda: b"run_started" in log.read_bytes(), what="the log is followed", seconds=ENDED_SECONDS)
        delete_pod(endless, "orchestrator")
        following.wait(timeout=ENDED_SECONDS)

    (finished,) = [event for event in events(log.read_text()) if event["event"] == "run_finished"]

    assert finished["state"] == "stopped"
    assert finished["delivered"] == finished["entered"] > 6 * FURTHER
    assert (finished["dead_lettered"], finished["dropped"], finished["undelivered"]) == (0, 0, 0)
