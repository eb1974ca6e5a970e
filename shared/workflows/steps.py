"""Mode `steps`: a task for each operation that a run reaches, and an artifact for each edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared import naming
from shared.workflows import operations
from shared.workflows.nodes import NodePlan
from shared.workflows.operations import Edge, OperationGraph, Task
from shared.workflows.policy import Caching, Policy, Retries

SUFFIX = ".binpb"


@dataclass(frozen=True, slots=True)
class Artifact:
    """The messages that travel along an edge: a file of messages, each behind its length."""

    edge: Edge
    name: str
    """A label, unique in the workflow."""
    producer: str
    """Name of the step that writes it."""

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}{SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation as a task."""

    name: str
    task: Task
    node: NodePlan | None
    """Whose process stands beside it; None for a splitter or collator, which the driver is itself."""
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]
    retries: Retries
    deadline: int
    """Seconds; 0: no other than the run's."""
    caching: Caching | None

    @property
    def is_source(self) -> bool:
        """Whether it starts a run: then it is called as often as the parameter says."""
        return not self.inputs

    @property
    def after(self) -> tuple[str, ...]:
        """Names of the steps that come before it, each once."""
        return tuple(dict.fromkeys(artifact.producer for artifact in self.inputs))


def plan(
    graph: OperationGraph, services: Sequence[NodePlan], policy: Policy, *, reserved: frozenset[str]
) -> tuple[Step, ...]:
    """Return the steps, in the order of the blueprint."""
    running = graph.running
    names = operations.names(running.tasks, reserved=reserved)
    labels = naming.node_names([f"{names[edge.source]}-to-{names[edge.target]}" for edge in running.edges])
    artifacts = [Artifact(edge, label, names[edge.source]) for edge, label in zip(running.edges, labels, strict=True)]
    incoming: dict[str, list[Artifact]] = {}
    outgoing: dict[str, list[Artifact]] = {}
    for artifact in artifacts:
        incoming.setdefault(artifact.edge.target, []).append(artifact)
        outgoing.setdefault(artifact.edge.source, []).append(artifact)
    by_name = {service.node.name: service for service in services}
    return tuple(
        _step(
            task,
            name=names[task.key],
            node=by_name.get(task.node),
            policy=policy,
            inputs=tuple(incoming.get(task.key, ())),
            outputs=tuple(outgoing.get(task.key, ())),
        )
        for task in running.tasks
    )


def _step(
    task: Task,
    *,
    name: str,
    node: NodePlan | None,
    policy: Policy,
    inputs: tuple[Artifact, ...],
    outputs: tuple[Artifact, ...],
) -> Step:
    return Step(
        name=name,
        task=task,
        node=node,
        inputs=inputs,
        outputs=outputs,
        retries=node.retries if node else policy.retries,
        deadline=node.deadline if node else 0,
        caching=node.caching if node else policy.caching,
    )
