"""What somebody chose for the containers of nodes, and no field of Kubeflow says: in its sidecars, or before a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import UNSET

from services.kubeflow.options import Options
from shared.workflows.lint.kubeflow_releases import FIRST, SECURITY, shown
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import NodePolicy, Policy

_USER = ("run_as_user", "runAsUser", "the user of the image")
_ROOT = ("run_as_non_root", "runAsNonRoot", "images that may run as root")
_PULL = ("image_pull_policy", "imagePullPolicy", "what Kubernetes does by itself: Always for the tag latest or none")
_UNCHOSEN = Policy()


class Unfit(NamedTuple):
    """One choice, by the path of its option, with what is there instead, and why."""

    path: str
    found: str
    hint: str


def choices(plan: WorkflowPlan, options: Options) -> Iterator[Unfit]:
    """Yield each choice that changes nothing in a task."""
    lacks = f"Kubeflow Pipelines takes {SECURITY} from {shown(FIRST[SECURITY])} on, and option release says {options.release}"
    is_late = not options.takes(SECURITY)
    if options.profile == "restricted":
        if is_late:
            yield Unfit("profile", "containers that do not say runAsNonRoot", lacks)
        yield Unfit("profile", "containers whose privileges Kubeflow itself decides on", "its driver and launcher too")
    for field, option, found in (_USER, _ROOT) if is_late else ():
        for path in _chosen(plan, {job.node.name for job in plan.jobs}, field, option):
            yield Unfit(path, found, lacks)
    beside = {step.node.node.name for step in plan.steps if step.node}
    for field, option, found in (_USER, _ROOT, _PULL):
        for path in _chosen(plan, beside, field, option):
            yield Unfit(path, found, "sidecars of Kubeflow have no field for it")


def _chosen(plan: WorkflowPlan, nodes: set[str], field: str, option: str) -> Iterator[str]:
    """Yield the path of the option where it is chosen for one of these nodes: for all of them, and for single ones."""
    usual = getattr(_UNCHOSEN, field)
    own = {name: getattr(plan.policy.nodes.get(name, NodePolicy()), field) for name in sorted(nodes)}
    if getattr(plan.policy, field) != usual and UNSET in own.values():
        yield option
    yield from (f"nodes.{name}.{option}" for name, value in own.items() if value not in (UNSET, usual))
