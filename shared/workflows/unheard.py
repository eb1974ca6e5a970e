"""Options that a mode has no use for: what somebody asks for and does not get is told."""

from __future__ import annotations

from collections.abc import Iterator

from shared.findings import Finding, warning
from shared.workflows.modes import Mode
from shared.workflows.policy import Deadlines, Policy

_RUNNING = frozenset({Mode.SERVICES, Mode.PERSISTENT})
_DRIVEN = frozenset({Mode.STEPS, Mode.SERVICES})


def findings(chosen: Policy, mode: Mode, *, is_deployed: bool) -> Iterator[Finding]:
    """Yield a warning for each option that changes nothing in this mode; `is_deployed`: nodes run from manifests."""
    if chosen.duration and mode is not Mode.SERVICES:
        yield told("duration", mode, "mode services, in which a run can be ended well")
    if chosen.iterations and mode not in _DRIVEN:
        yield told("iterations", mode, "mode steps or services, in which the workflow starts the run")
    if (chosen.caching or any(each.caching for each in chosen.nodes.values())) and mode is not Mode.STEPS:
        yield told("caching", mode, "mode steps, in which a task gives artifacts")
    if chosen.deadlines.run != Deadlines().run and mode is Mode.PERSISTENT:
        yield told("deadlines.run", mode, "mode steps or services, in which the workflow starts the run")
    for name, each in chosen.nodes.items() if mode in _RUNNING else ():
        if each.deadline and each.kind != "job":
            yield told(f"nodes.{name}.deadline", mode, "mode steps, in which a node has tasks")
    if chosen.parameters and is_deployed:
        yield warning(
            "option-unheard",
            "options.parameters",
            expected="nodes that are containers of the workflow",
            found=f"mode {mode}, in which they are deployed",
            hint="their variables have the defaults in every run",
        )


def told(option: str, mode: Mode, expected: str) -> Finding:
    """Return the warning; `expected` is the mode in which the option means something, and why."""
    return warning("option-unheard", f"options.{option}", expected=expected, found=f"mode {mode}")
