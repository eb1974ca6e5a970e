"""The plan: what the engine carries out. Frozen values made by `graph`; operations and edges know each other by index."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.descriptor import Descriptor

from orchestrator.policies import EdgePolicy, OperationPolicy
from orchestrator.wire import Mapping


class Part(StrEnum):
    """What an operation does in the graph."""

    SOURCE = "source"
    """Its input is an `Empty` that no edge leads into: it is called until its data end."""
    CALL = "call"
    """It is called with what its edges bring; with an `Empty` input each message is a trigger."""
    IDLE = "idle"
    """No edge leads into it and its input is not empty: it is never called."""
    SPLITTER = "splitter"
    COLLATOR = "collator"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one node, ready to be called."""

    node: str
    name: str
    part: Part
    policy: OperationPolicy
    address: str = ""
    """`host:port`; empty for splitters and collators, which run here."""
    service: str = ""
    path: str = ""
    """`/package.Service/Method`"""
    input_stream: bool = False
    output_stream: bool = False
    is_trigger: bool = False
    """Its input is empty: what arrives says when, and is not passed on."""
    input: Descriptor | None = None
    output: Descriptor | None = None

    @property
    def key(self) -> str:
        """`node.operation`, for people and for metrics."""
        return f"{self.node}.{self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """Operation output → operation input, by index into `Plan.operations`."""

    source: int
    target: int
    policy: EdgePolicy
    closes_cycle: bool = False
    branches: bool = False
    """Another edge into the same collator has something upstream in common with it, and may bring less."""
    mapping: Mapping | None = None
    """What a splitter or collator does to a message on this edge."""

    @property
    def spills(self) -> bool:
        """Say whether it may go to disk: a source that waits for room could hold back what makes the room."""
        return self.closes_cycle or self.branches


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline, ready to run."""

    name: str
    operations: tuple[Operation, ...]
    edges: tuple[Edge, ...]
    groups: tuple[tuple[int, ...], ...]
    """Operations that reach each other, in the direction of the edges; most groups have one member."""

    def edge_name(self, edge: Edge) -> str:
        """Return `a.x -> b.y`."""
        return f"{self.operations[edge.source].key} -> {self.operations[edge.target].key}"
