"""Waits until all nodes are ready: pods are followed live, and the workloads asked about where that promises news."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Callable, List

from shared.finishing.diagnosis import Snapshot
from shared.finishing.kubectl import Kubectl
from shared.finishing.objects import Manifest
from shared.finishing.pruning import FOLLOWED_RESOURCES
from shared.finishing.readiness import FAILED, READY, NodeState, look_ready, node_states, state_of
from shared.finishing.watching import PodWatch

# Everything that belongs to an instance, and what the cluster makes of it.
ALL_RESOURCES = FOLLOWED_RESOURCES + ",replicasets,pods"

LOOK_SECONDS = 1.0
# The status of a workload follows its pods within a moment; the controllers that write it take some 20 a second.
SETTLE_SECONDS = 0.5
SETTLE_SECONDS_PER_WORKLOAD = 0.05
# Each question costs a process and a dozen requests: the longer the wait, the fewer.
FIRST_GAP_SECONDS = 120.0
LONGEST_READY_GAP_SECONDS = 15.0

Show = Callable[[List[NodeState]], None]


def survey(kubectl: Kubectl, selector: str) -> Snapshot:
    """Return everything of an instance as it is now."""
    return Snapshot(tuple(kubectl.get(ALL_RESOURCES, selector)))


def wait(kubectl: Kubectl, workloads: List[Manifest], selector: str, *, seconds: float, show: Show) -> Snapshot:
    """Wait until every workload is ready, one has failed for good, or the time is up; return what then is.

    `workloads` are what was applied, as the API server answered: what did not change is ready already.
    """
    end = time.monotonic() + seconds
    snapshot = Snapshot(tuple(workloads))
    if is_settled(workloads, snapshot):
        return survey(kubectl, selector)
    questions = Questions(time.monotonic(), workloads=len(workloads))
    with closing(PodWatch(kubectl, selector)) as watch:
        while True:
            snapshot = snapshot.with_pods(watch.look(LOOK_SECONDS))
            found = snapshot.find(workloads)
            show(node_states(found, snapshot.of("Pod")))
            now, is_late = time.monotonic(), time.monotonic() >= end
            if is_late or questions.is_due(now, promising=look_ready(found, snapshot.of("Pod"))):
                snapshot = survey(kubectl, selector)
                watch.learn(snapshot.of("Pod"))
                questions.asked(time.monotonic())
                if is_late or is_settled(workloads, snapshot):
                    show(node_states(snapshot.find(workloads), snapshot.of("Pod")))
                    return snapshot


def is_settled(workloads: List[Manifest], snapshot: Snapshot) -> bool:
    """Answer whether waiting longer changes nothing: all are ready, or one never will be."""
    states = [state_of(workload)[0] for workload in snapshot.find(workloads)]
    return FAILED in states or all(state == READY for state in states)


class Questions:
    """When to ask about the workloads: soon after all pods look ready, and now and then in between."""

    def __init__(self, now: float, *, workloads: int) -> None:
        self._asked = now
        self._gap = FIRST_GAP_SECONDS
        self._settle = SETTLE_SECONDS + SETTLE_SECONDS_PER_WORKLOAD * workloads
        self._promising_since = 0.0
        self._ready_gap = self._settle

    def is_due(self, now: float, *, promising: bool) -> bool:
        """Answer whether to ask now."""
        if not promising:
            self._promising_since, self._ready_gap = 0.0, self._settle
            return now - self._asked >= self._gap
        self._promising_since = self._promising_since or now
        return now - max(self._asked, self._promising_since) >= self._ready_gap

    def asked(self, now: float) -> None:
        """Take down that we asked: the next gap is longer."""
        self._asked = now
        if self._promising_since:
            self._ready_gap = min(self._ready_gap * 2, LONGEST_READY_GAP_SECONDS)
        else:
            self._gap *= 2
