"""The nodes of a workflow: name, image, variables and policy of each; and in which order those run that are jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from shared.errors import InvalidOptionsError
from shared.findings import Finding, warning
from shared.kubernetes import volumes
from shared.kubernetes.choices import Choice
from shared.kubernetes.plan import Plan
from shared.solution import Node, Solution
from shared.workflows import operations, texts
from shared.workflows.operations import OperationGraph
from shared.workflows.policy import Caching, NodePolicy, Policy, Retries, SecretKey

_SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node as a workflow runs it, whatever the engine."""

    name: str
    """Of its task or template."""
    node: Node
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    choice: Choice
    """Resources, placement, pull policy, user."""
    is_called: bool
    """Somebody waits for its gRPC port."""
    variables: Mapping[str, str]
    """Variables with values that are safe to stand inline."""
    parameters: tuple[str, ...]
    """Variables that have the value of the workflow's parameter of the same name."""
    secrets: Mapping[str, SecretKey]
    texts: Mapping[str, str]
    """Variables whose values must travel in a ConfigMap, because they hold what is live in a workflow."""
    retries: Retries
    deadline: int
    """Seconds for a task of this node; 0: no other than the run's, which `limited` gives to jobs."""
    caching: Caching | None
    after: tuple[str, ...] = ()
    """Names of the jobs that must have succeeded before: see `in_order`."""


def by_name(solution: Solution, policy: Policy) -> Policy:
    """Return the policy with its overrides under the names that the nodes have in the bundle.

    Raises:
        InvalidOptionsError: an override stands under both names of its node.
    """
    names = {node.container_name: node.name for node in solution.workloads}
    names |= {node.name: node.name for node in solution.workloads}
    overrides: dict[str, NodePolicy] = {}
    for key, override in policy.nodes.items():
        name = names.get(key, key)
        if name in overrides:
            raise InvalidOptionsError(f"options: nodes: expected {name} once, found it under both of its names")
        overrides[name] = override
    return msgspec.structs.replace(policy, nodes=overrides)


def plan(solution: Solution, policy: Policy, pods: Plan, *, reserved: frozenset[str]) -> tuple[NodePlan, ...]:
    """Return all nodes, in the order of the blueprint.

    Raises:
        InvalidOptionsError: a variable has two sources.
    """
    labels = operations.distinct({node.name: node.name for node in solution.workloads}, reserved=reserved)
    folders = volumes.variables(solution.shared_folders)
    return tuple(
        _node(
            node,
            name=labels[node.name],
            policy=policy,
            choice=pods.choices[node.name],
            folders=folders,
            is_called=bool(node.operations) or not solution.is_pipeline,
        )
        for node in solution.workloads
    )


def _node(
    node: Node, *, name: str, policy: Policy, choice: Choice, folders: Mapping[str, str], is_called: bool
) -> NodePlan:
    own = policy.nodes.get(node.name, NodePolicy())
    variables = {**choice.environment, **folders}
    secrets = {**policy.secrets, **own.secrets}
    _refuse_two_sources(node.name, variables, tuple(policy.parameters), secrets)
    probes = given(own.probes, policy.probes) if is_called or own.probes is not UNSET else "none"
    return NodePlan(
        name=name,
        node=node,
        image=str(node.image),
        command=own.command,
        args=own.args,
        choice=choice if choice.probes == probes else replace(choice, probes=probes),
        is_called=is_called,
        variables={key: value for key, value in variables.items() if not texts.is_live(value)},
        parameters=tuple(policy.parameters),
        secrets=secrets,
        texts={key: value for key, value in variables.items() if texts.is_live(value)},
        retries=given(own.retries, policy.retries),
        deadline=given(own.deadline, 0),
        caching=given(own.caching, policy.caching),
    )


def given(value: T | UnsetType, fallback: T) -> T:
    """Return the value for one node, or that for all."""
    return fallback if isinstance(value, UnsetType) else value


def limited(jobs: Sequence[NodePlan], *, run: int) -> tuple[NodePlan, ...]:
    """Return the jobs, those without a deadline with that of the `run`: no driver that knows it stands beside them."""
    return tuple(replace(job, deadline=job.deadline or run) for job in jobs)


def in_order(jobs: Sequence[NodePlan], graph: OperationGraph) -> tuple[NodePlan, ...]:
    """Return the jobs, each with those that come before it.

    Where edges join them, they say it. Those that no edge joins run one after the other, as the blueprint has them, and
    before all others: with a shared folder only, nobody can know who needs what.
    """
    nodes = {task.key: task.node for task in graph.tasks}
    names = {job.node.name: job.name for job in jobs}
    pairs = {(nodes[edge.source], nodes[edge.target]) for edge in graph.edges}
    joins = sorted((a, b) for a, b in pairs if a != b and a in names and b in names)
    joined = {name for pair in joins for name in pair}
    alone = [job.node.name for job in jobs if job.node.name not in joined]
    before = {name: [source for source, target in joins if target == name] for name in names}
    for first, second in pairwise(alone):
        before[second] = [first]
    for name in joined:
        before[name] = before[name] or alone[-1:]
    return tuple(replace(job, after=tuple(names[name] for name in before[job.node.name])) for job in jobs)


def findings(nodes: Sequence[NodePlan], policy: Policy, jobs: frozenset[str]) -> Iterator[Finding]:
    """Yield what was taken for granted, and what should not be done so."""
    for each in nodes:
        name = each.node.name
        said = policy.nodes.get(name, NodePolicy()).kind is not UNSET
        if not each.is_called and not said:
            taken = "a job, and the others wait until it ends" if name in jobs else "a service, and ends with the run"
            yield warning(
                "node-kind-guessed",
                f"$.nodes[{name}]",
                expected="a node with operations, or its kind",
                found=f"no operation: it is taken for {taken}",
                hint=f"option nodes.{name}.kind says it: job or service",
            )
        for variable in each.choice.environment:
            if _SECRET.search(variable):
                yield warning(
                    "secret-in-the-open",
                    f"options.environment.{variable}",
                    expected="a secret to stand in a Secret",
                    found="its value in the options, and so in the bundle",
                    hint=f"option secrets.{variable} names a Secret and its key",
                )


def _refuse_two_sources(
    node: str, variables: Mapping[str, str], parameters: Sequence[str], secrets: Mapping[str, SecretKey]
) -> None:
    for name in (*parameters, *secrets):
        if name in variables or (name in parameters and name in secrets):
            raise InvalidOptionsError(f"options: {node}: expected one source of the variable {name}, found two")
