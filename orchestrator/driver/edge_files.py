"""Which file belongs to which edge of an operation: `--in EDGE=FILE` and `--out EDGE=FILE`, every edge and nothing else.

EDGE is the end that is not the called operation, `NODE.OPERATION`. Two words stand for what no edge brings or takes:
`input` (messages for the operation) and `output` (whatever it answers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.plan import Part, Plan
from shared.errors import UsageError
from shared.findings import quoted

INPUT = "input"
OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class EdgeFiles:
    """The files of one operation's edges; an edge is its index in the plan."""

    inputs: tuple[tuple[int | None, Path], ...]
    """In the order of the command line; None is `input`."""
    outputs: Mapping[int | None, Path]
    """None is `output`."""


def match(plan: Plan, operation: int, given_in: Sequence[str], given_out: Sequence[str]) -> EdgeFiles:
    """Match the arguments with the edges of the operation.

    Raises:
        UsageError: an argument names no edge, an edge has no file, or two edges write one.
    """
    incoming = {index: edge.source for index, edge in enumerate(plan.edges) if edge.target == operation}
    outgoing = {index: edge.target for index, edge in enumerate(plan.edges) if edge.source == operation}
    inputs = tuple(_pair("--in", text, plan, incoming, INPUT) for text in given_in)
    outputs: dict[int | None, Path] = {}
    for text in given_out:
        index, path = _pair("--out", text, plan, outgoing, OUTPUT)
        if index in outputs or path in outputs.values():
            raise UsageError(f"--out: expected every edge and every file once, found {quoted(text)} again")
        outputs[index] = path
    # Of what never runs, nothing arrives, and no artifact is there.
    alive = _reached(plan)
    awaited = {index: source for index, source in incoming.items() if source in alive}
    _demand_all("--in", plan, awaited, {index for index, _ in inputs})
    _demand_all("--out", plan, outgoing, set(outputs))
    return EdgeFiles(inputs, outputs)


def _pair(option: str, text: str, plan: Plan, edges: Mapping[int, int], word: str) -> tuple[int | None, Path]:
    name, _, file = text.partition("=")
    if not name or not file:
        raise UsageError(f"{option}: expected EDGE=FILE, found {quoted(text)}")
    if name == word:
        return None, Path(file)
    for index, other in edges.items():
        if name == plan.operations[other].key:
            return index, Path(file)
    known = ", ".join([*(plan.operations[other].key for other in edges.values()), word])
    raise UsageError(f"{option}: expected one of {known}, found {quoted(name)}")


def _reached(plan: Plan) -> set[int]:
    """Return the operations that something comes to when the sources are called."""
    reached = {index for index, operation in enumerate(plan.operations) if operation.part is Part.SOURCE}
    while more := {edge.target for edge in plan.edges if edge.source in reached} - reached:
        reached |= more
    return reached


def _demand_all(option: str, plan: Plan, edges: Mapping[int, int], given: set[int | None]) -> None:
    missing = [plan.operations[other].key for index, other in edges.items() if index not in given]
    if missing:
        raise UsageError(f"{option}: expected a file for every edge, found none for {', '.join(missing)}")
