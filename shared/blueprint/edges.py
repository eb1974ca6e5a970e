"""Finds the ends of every link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.blueprint.collector import Collector
from shared.blueprint.draft import DraftNode, DraftOperation, Link
from shared.findings import quoted
from shared.solution import Edge, Operation, Role

_ANY = "any"  # what brokers and templates say for "whatever the other end has"

_Operations = Mapping[str, Mapping[str, Operation]]


def resolve(nodes: Sequence[DraftNode], names: Mapping[str, str], findings: Collector) -> tuple[Edge, ...]:
    """Return the edges in the order of the source; a link that leads nowhere is an error."""
    operations = {node.container_name: {d.operation.name: d.operation for d in node.operations} for node in nodes}
    edges: list[Edge] = []
    for node in nodes:
        for link in node.loose:
            _target(link, operations, findings)
        for draft in node.operations:
            for link in draft.links:
                target = _target(link, operations, findings)
                if target is None:
                    continue
                if node.role is Role.WORKLOAD:
                    _compare(draft, link, target, findings)
                source, end = names[node.container_name], names[link.container]
                edges.append(Edge(source, draft.operation.name, end, target.name))
    return tuple(edges)


def _target(link: Link, operations: _Operations, findings: Collector) -> Operation | None:
    there = operations.get(link.container)
    if there is None:
        found = quoted(link.container)
        findings.error("edge-dangling", link.container_path, expected="the container_name of a node", found=found)
        return None
    if not link.operation:
        return None
    if link.operation not in there:
        expected = f"an operation of {quoted(link.container)}"
        findings.error("edge-dangling", link.operation_path, expected=expected, found=quoted(link.operation))
        return None
    return there[link.operation]


def _compare(draft: DraftOperation, link: Link, target: Operation, findings: Collector) -> None:
    """Note where the names at both ends differ; whether the messages fit is decided by their structure."""
    given, taken = draft.operation.output.name, target.input.name
    if not given or not taken or _short(given) == _short(taken) or _ANY in {given.casefold(), taken.casefold()}:
        return
    hint = "that is no mistake when their fields are the same"
    found = f"{quoted(given)}, which the source gives"
    findings.note("message-names-differ", link.operation_path, expected=quoted(taken), found=found, hint=hint)


def _short(message: str) -> str:
    return message.rpartition(".")[2]
