"""Options that a mode has no use for: what somebody asks for and does not get is told."""

from __future__ import annotations

from collections.abc import Container, Iterator

from msgspec import UNSET

from shared.findings import Finding, warning
from shared.workflows.modes import Mode
from shared.workflows.policy import Deadlines, NodePolicy, Policy

_RUNNING = frozenset({Mode.SERVICES, Mode.PERSISTENT})
_DRIVEN = frozenset({Mode.STEPS, Mode.SERVICES})
_PROBED = "a service in mode services or persistent, where the engine asks whether it is ready"


def findings(
    chosen: Policy, mode: Mode, *, is_deployed: bool, jobs: Container[str], called: Container[str]
) -> Iterator[Finding]:
    """Yield a warning for each option that changes nothing in this mode.

    Args:
        chosen: what the person who asks has chosen, nodes by their name in the bundle.
        mode: in which the workflow runs.
        is_deployed: nodes run from manifests.
        jobs: names of the nodes that run to their end.
        called: names of the nodes whose port somebody waits for.
    """
    if chosen.duration and mode is not Mode.SERVICES:
        yield told("duration", mode, "mode services, in which a run can be ended well")
    if chosen.iterations and mode not in _DRIVEN:
        yield told("iterations", mode, "mode steps or services, in which the workflow starts the run")
    if (chosen.caching or any(each.caching for each in chosen.nodes.values())) and mode is not Mode.STEPS:
        yield told("caching", mode, "mode steps, in which a task gives artifacts")
    if chosen.deadlines.run != Deadlines().run and mode is Mode.PERSISTENT:
        yield told("deadlines.run", mode, "mode steps or services, in which the workflow starts the run")
    if chosen.probes == "grpc" and mode not in _RUNNING:
        yield told("probes", mode, _PROBED)
    for name, each in chosen.nodes.items():
        yield from _of_node(name, each, mode, is_deployed=is_deployed, is_job=name in jobs, is_called=name in called)
    if chosen.parameters and is_deployed:
        yield warning(
            "option-unheard",
            "options.parameters",
            expected="nodes that are containers of the workflow",
            found=f"mode {mode}, in which they are deployed",
            hint="their variables have the defaults in every run",
        )


def _of_node(
    name: str, own: NodePolicy, mode: Mode, *, is_deployed: bool, is_job: bool, is_called: bool
) -> Iterator[Finding]:
    if own.deadline and mode in _RUNNING and (is_deployed or not is_job):
        expected = "nodes that the workflow runs itself" if is_job else "mode steps, in which a node has tasks"
        yield told(f"nodes.{name}.deadline", mode, expected)
    if own.retries is not UNSET and is_deployed:
        yield told(f"nodes.{name}.retries", mode, "nodes that the workflow runs itself: Kubernetes runs those again")
    # What nobody calls runs beside the steps, and the engine asks it.
    if own.probes == "grpc" and (is_job or mode is Mode.JOBS or (mode is Mode.STEPS and is_called)):
        yield told(f"nodes.{name}.probes", mode, _PROBED)


def told(option: str, mode: Mode, expected: str) -> Finding:
    """Return the warning; `expected` is the mode in which the option means something, and why."""
    return warning("option-unheard", f"options.{option}", expected=expected, found=f"mode {mode}")
