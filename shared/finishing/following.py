"""Follows runs of a workflow to their end, and ends those that go on: with a limit, since nobody may look after them."""

from __future__ import annotations

import json
import time
from typing import Dict, Optional, Set

from shared.finishing.kubectl import Kubectl, KubectlError
from shared.finishing.objects import name_of
from shared.finishing.speaking import EXIT_DONE, EXIT_FAILED, POLL_SECONDS, changes_between, say
from shared.finishing.workflow_runs import SUCCEEDED, has_ended, is_seen, phase_of, tasks_of

RUNS = "workflows.argoproj.io"
SCHEDULES = "cronworkflows.argoproj.io"
# A controller gives a run a phase at once, also one that has to wait for others.
UNSEEN_SECONDS = 60.0
LONGEST_UNSEEN_SECONDS = 120.0


def follow(kubectl: Kubectl, name: str, *, ending_since: Optional[float] = None) -> int:
    """Tell what happens to a run until it is over, and return whether it succeeded as an exit status.

    `ending_since`: when (`time.monotonic`) it was told to end, to be deleted then. It may be gone, or be given up where
    no controller sees it.

    Raises:
        ValueError: it is gone, and was not told to end.
    """
    began = time.monotonic() if ending_since is None else ending_since
    shown: Dict[str, str] = {}
    is_told = False
    while True:
        run = kubectl.find(RUNS, name)
        if run is None:
            if ending_since is None:
                raise ValueError(f"the run {name} is gone")
            return EXIT_DONE
        now = tasks_of(run)
        for line in changes_between(shown, now):
            say(f"  {line}")
        shown = now
        if has_ended(run):
            message = run["status"].get("message")
            say(f"{name}: {phase_of(run)}{f': {message}' if message else ''}")
            return EXIT_DONE if phase_of(run) == SUCCEEDED else EXIT_FAILED
        if not is_seen(run):
            waited = time.monotonic() - began
            if ending_since is not None and waited >= LONGEST_UNSEEN_SECONDS:
                say(
                    f"{name} has no phase after {LONGEST_UNSEEN_SECONDS:.0f} s: nobody stops it, so it is deleted as it is"
                )
                return EXIT_FAILED
            if waited >= UNSEEN_SECONDS and not is_told:
                say(f"{name} has no phase yet: no controller of Argo seems to look after namespace {kubectl.namespace}")
                is_told = True
        time.sleep(POLL_SECONDS)


def tell_to_end(kubectl: Kubectl, name: str, how: str) -> None:
    """Tell a run to end: `Stop`, in order, or `Terminate`, at once."""
    # A run that is held (suspended) is looked at again only when it goes on.
    change(kubectl, RUNS, name, {"shutdown": how})
    say(f"{name} is told to {how.lower()}")


def end_runs(kubectl: Kubectl, selector: str) -> None:
    """End the runs that go on, and see to it that no schedule starts another one meanwhile."""
    for schedule in kubectl.get(SCHEDULES, selector):
        # Deleting it would delete its runs at once, without their exit handlers.
        change(kubectl, SCHEDULES, name_of(schedule), {"suspend": True})
    handled: Set[str] = set()
    while True:
        # The last one may have been started just before its schedule was suspended.
        found = {name_of(run) for run in kubectl.get(RUNS, selector) if not has_ended(run)} - handled
        if not found:
            return
        say("a run goes on: it is stopped first, so that its exit handler can remove what it has made")
        for name in sorted(found):
            tell_to_end(kubectl, name, "Stop")
        since = time.monotonic()
        for name in sorted(found):
            follow(kubectl, name, ending_since=since)
        handled |= found


def change(kubectl: Kubectl, kind: str, name: str, spec: Dict[str, object]) -> None:
    """Change some fields of a spec; what is gone needs no change."""
    patch = json.dumps({"spec": spec})
    try:
        kubectl.run("patch", kind, name, "-n", kubectl.namespace, "--type=merge", f"--patch={patch}")
    except KubectlError as problem:
        if "(NotFound)" not in problem.told:
            raise
