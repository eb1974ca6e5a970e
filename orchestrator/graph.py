"""Solution + descriptors + addresses → plan, and every reason why there can be none, all at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor

from orchestrator import compatibility, cycles, mappings, places
from orchestrator.plan import Edge, Operation, Part, Plan
from orchestrator.policies import Policies
from orchestrator.wire import Select
from shared import findings
from shared import solution as model
from shared.findings import Finding, quoted
from shared.protobuf import Descriptors, Problem, Rpc
from shared.solution import Node, Role, Solution

_INTERNAL = {Role.SPLITTER: Part.SPLITTER, Role.COLLATOR: Part.COLLATOR}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or None when a finding is an error."""

    plan: Plan | None
    findings: tuple[Finding, ...]


def build(solution: Solution, protos: Mapping[str, Descriptors | Problem], addresses: Mapping[str, str]) -> Planned:
    """Plan the pipeline.

    Args:
        solution: the pipeline.
        protos: what each node's proto declares, by `Node.name`.
        addresses: `host:port` by container name in lower case; empty for one that was refused already.
    """
    builder = _Builder(solution, protos, addresses)
    plan = builder.plan()
    has_error = any(finding.severity is findings.Severity.ERROR for finding in builder.findings)
    return Planned(None if has_error else plan, tuple(builder.findings))


class _Builder:
    def __init__(
        self, solution: Solution, protos: Mapping[str, Descriptors | Problem], addresses: Mapping[str, str]
    ) -> None:
        self.findings: list[Finding] = []
        self._solution = solution
        self._protos = protos
        self._addresses = addresses
        self._policies = Policies(solution.document)
        self._nodes = {node.name: node for node in solution.nodes}
        self._paths = places.nodes(solution)

    def plan(self) -> Plan:
        fed = {(edge.target, edge.target_operation) for edge in self._solution.edges}
        operations = [
            operation
            for node in self._solution.nodes
            if node.role is not Role.PROBE
            for operation in self._operations(node, fed)
        ]
        edges = self._edges(operations)
        pairs = [(edge.source, edge.target) for edge in edges]
        closing = cycles.closing(len(operations), pairs)
        collators = [index for index, operation in enumerate(operations) if operation.part is Part.COLLATOR]
        branching = cycles.branching(len(operations), pairs, collators)
        edges = [
            replace(edge, closes_cycle=index in closing, branches=index in branching)
            for index, edge in enumerate(edges)
        ]
        self._check_messages(operations, edges)
        edges = self._mapped(operations, edges)
        has_error = any(finding.severity is findings.Severity.ERROR for finding in self.findings)
        if not has_error and not any(operation.part is Part.SOURCE for operation in operations):
            self._warn("no-source", "$.nodes", "an operation whose input is Empty", "none: nothing starts a run")
        self.findings.extend((*self._policies.findings, *self._policies.unused()))
        return Plan(self._solution.name, tuple(operations), tuple(edges), cycles.groups(len(operations), pairs))

    def _operations(self, node: Node, fed: set[tuple[str, str]]) -> Iterator[Operation]:
        internal = _INTERNAL.get(node.role)
        names = [operation.name for operation in node.operations]
        policies = {name: self._policies.operation(*_names(node, name)) for name in names}
        if internal is not None:
            yield from (Operation(node.name, name, internal, policies[name]) for name in names)
            return
        if not names:
            return
        address = self._address(node)
        proto = self._proto(node)
        for index, signature in enumerate(node.operations):
            path = f"{self._paths[node.name]}.operation_signature_list[{index}].operation_signature"
            rpc = self._rpc(node, signature, proto, path) if proto is not None else None
            planned = Operation(node.name, signature.name, Part.IDLE, policies[signature.name], address)
            if rpc is not None:
                planned = _described(planned, rpc, is_fed=(node.name, signature.name) in fed)
                if planned.part is Part.IDLE:
                    self._warn("operation-idle", path, "an edge into the operation", f"none into {quoted(planned.key)}")
            yield planned

    def _address(self, node: Node) -> str:
        for name in (node.container_name.lower(), node.name):
            if name in self._addresses:
                return self._addresses[name]
        found = ", ".join(sorted(self._addresses)) or "nothing"
        expected = f"an entry for {quoted(node.container_name)} in dockerinfo.json"
        self._error("address-missing", self._paths[node.name], expected, found[:300])
        return ""

    def _proto(self, node: Node) -> Descriptors | None:
        path = f"microservice/{node.container_name}.proto"
        proto = self._protos.get(node.name)
        if isinstance(proto, Descriptors):
            return proto
        found = proto.text if proto is not None else "no such file"
        self._error("proto-invalid" if proto else "proto-missing", path, f"the proto of {quoted(node.name)}", found)
        return None

    def _rpc(self, node: Node, signature: model.Operation, proto: Descriptors, path: str) -> Rpc | None:
        named = [rpc for rpc in proto.rpcs if rpc.path.rpartition("/")[2] == signature.name]
        exact = [rpc for rpc in named if _is_named(rpc, signature)]
        candidates = exact if len(named) > 1 and exact else named
        if len(candidates) != 1:
            expected = f"one rpc {quoted(signature.name)} in the proto of {quoted(node.name)}"
            found = ", ".join(rpc.path for rpc in candidates or proto.rpcs) or "no rpc at all"
            self._error("operation-unknown", path, expected, found[:300])
            return None
        self._check_streams(node, signature, candidates[0], path)
        return candidates[0]

    def _check_streams(self, node: Node, signature: model.Operation, rpc: Rpc, path: str) -> None:
        for side, said, is_stream in (
            ("input", signature.input.stream, rpc.input_stream),
            ("output", signature.output.stream, rpc.output_stream),
        ):
            key = f"{side}_message_stream"
            # Old blueprints have no stream keys at all: then the proto alone decides.
            if said == is_stream:
                continue
            raw = places.signature(self._solution.document, node, signature.name)
            if raw is None or key in raw:
                self._error(
                    "stream-differs", f"{path}.{key}", f"{is_stream}, as in the proto".lower(), f"{said}".lower()
                )

    def _edges(self, operations: Sequence[Operation]) -> list[Edge]:
        index = {(operation.node, operation.name): number for number, operation in enumerate(operations)}
        edges = []
        for edge in dict.fromkeys(self._solution.edges):
            ends = index.get((edge.source, edge.source_operation)), index.get((edge.target, edge.target_operation))
            if ends[0] is None or ends[1] is None:
                found = f"{edge.source}.{edge.source_operation} -> {edge.target}.{edge.target_operation}"
                self._error("edge-dangling", "$.nodes", "two operations of the pipeline", quoted(found))
                continue
            source, target = self._nodes[edge.source], self._nodes[edge.target]
            names = [
                f"{left} -> {right}"
                for left in _names(source, edge.source_operation)
                for right in _names(target, edge.target_operation)
            ]
            edges.append(Edge(ends[0], ends[1], self._policies.edge(*names)))
        return edges

    def _check_messages(self, operations: Sequence[Operation], edges: Sequence[Edge]) -> None:
        for edge in edges:
            target = operations[edge.target]
            if target.input is None or target.is_trigger or _selects(self._nodes[operations[edge.source].node]):
                continue
            for written in _given(edge.source, operations, edges):
                self._compare(operations[edge.source], target, written, target.input)

    def _compare(self, source: Operation, target: Operation, written: Descriptor, read: Descriptor) -> None:
        differences = compatibility.compare(written, read)
        if not differences:
            return
        is_fatal = any(difference.is_fatal for difference in differences)
        shown = "; ".join(f"{d.field}: {d.written} against {d.read}" for d in differences if d.is_fatal == is_fatal)
        report, code = (self._error, "messages-incompatible") if is_fatal else (self._warn, "messages-differ")
        path = f"{self._paths[source.node]}, {source.key} -> {target.key}"
        report(code, path, compatibility.describe(read), f"{compatibility.describe(written)}: {shown}"[:1000])

    def _mapped(self, operations: Sequence[Operation], edges: Sequence[Edge]) -> list[Edge]:
        return [self._with_mapping(edge, operations, edges) for edge in edges]

    def _with_mapping(self, edge: Edge, operations: Sequence[Operation], edges: Sequence[Edge]) -> Edge:
        source, target = operations[edge.source], operations[edge.target]
        try:
            if source.part is Part.SPLITTER:
                node = self._nodes[target.node]
                mapping = mappings.split(self._nodes[source.node].settings, node.container_name)
                self._check_selection(source, mapping, _given(edge.source, operations, edges))
                return replace(edge, mapping=mapping)
            if target.part is Part.COLLATOR:
                node = self._nodes[source.node]
                given = _given(edge.source, operations, edges)
                wanted = _wanted(edge.target, operations, edges)
                settings = self._nodes[target.node].settings
                collated = mappings.collate(settings, node.container_name, given[0] if given else None, wanted)
                self._check_selection(target, collated, given)
                return replace(edge, mapping=collated)
        except mappings.MappingError as problem:
            path = f"{self._paths[source.node]}, {source.key} -> {target.key}"
            self._error("mapping-invalid", path, "a map that covers this edge", str(problem))
        return edge

    def _check_selection(self, operation: Operation, mapping: object, given: Sequence[Descriptor]) -> None:
        for message in given if isinstance(mapping, Select) else ():
            missing = mappings.missing(mapping, message) if isinstance(mapping, Select) else ()
            if missing:
                found = f"no field {', '.join(missing)} in {compatibility.describe(message)}"
                self._error("mapping-invalid", self._paths[operation.node], "fields that the message has", found)

    def _error(self, code: str, path: str, expected: str, found: str) -> None:
        self.findings.append(findings.error(code, path, expected=expected, found=found))

    def _warn(self, code: str, path: str, expected: str, found: str) -> None:
        self.findings.append(findings.warning(code, path, expected=expected, found=found))


def _described(operation: Operation, rpc: Rpc, *, is_fed: bool) -> Operation:
    is_empty = compatibility.is_empty(rpc.input)
    part = Part.CALL if is_fed else Part.SOURCE if is_empty else Part.IDLE
    return replace(
        operation,
        part=part,
        service=rpc.path.split("/")[1],
        path=rpc.path,
        input_stream=rpc.input_stream,
        output_stream=rpc.output_stream,
        is_trigger=is_empty,
        input=rpc.input,
        output=rpc.output,
    )


def _given(index: int, operations: Sequence[Operation], edges: Sequence[Edge]) -> list[Descriptor]:
    """Return the types that an operation may give; through splitters, those of its sources."""
    seen, waiting, found = {index}, [index], []
    while waiting:
        operation = operations[current := waiting.pop()]
        if operation.part is not Part.SPLITTER:
            found.extend([operation.output] if operation.output is not None else [])
            continue
        for edge in edges:
            if edge.target == current and edge.source not in seen:
                seen.add(edge.source)
                waiting.append(edge.source)
    return found


def _wanted(index: int, operations: Sequence[Operation], edges: Sequence[Edge]) -> Descriptor | None:
    """Return the type that the operation's first target reads; through splitters, their first target's."""
    seen: set[int] = set()
    while index not in seen:
        seen.add(index)
        target = next((edge.target for edge in edges if edge.source == index), None)
        if target is None:
            return None
        if operations[target].part not in {Part.SPLITTER, Part.COLLATOR}:
            return operations[target].input
        index = target
    return None


def _selects(node: Node) -> bool:
    return node.role in _INTERNAL and mappings.is_by_parameter(node.settings)


def _names(node: Node, operation: str) -> tuple[str, str]:
    return f"{node.container_name}.{operation}", f"{node.name}.{operation}"


def _is_named(rpc: Rpc, signature: model.Operation) -> bool:
    def fits(message: Descriptor, name: str) -> bool:
        return not name or name in {message.name, message.full_name}

    return fits(rpc.input, signature.input.name) and fits(rpc.output, signature.output.name)
