"""Nodes as cards: a head with the name, a row with two ports for each operation, a shape that tells the role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.graph import live, writing
from shared.graph.layout import Box, Placed
from shared.graph.live import STRIP, Lamp
from shared.graph.writing import length, safe
from shared.solution import Node, Operation, Role

PADDING = 14.0
LINE = 17.0
ROW = 22.0
LEAST_WIDTH = 116.0
PORT = 3.6  # radius
SLANT = 9.0  # of the sides of splitters and collators
INNER = (Role.SPLITTER, Role.COLLATOR)  # they run inside the orchestrator


@dataclass(frozen=True, slots=True)
class Card:
    """A node as it will be written: its lines of text, its rows and its size."""

    node: Node
    name: tuple[str, ...]
    note: str
    rows: Mapping[str, float]
    """Height of each operation's row from the top of the card."""
    head: float
    """Height of the name and the note under it."""
    box: Box
    lamp: Lamp | None = None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that have a row."""
        return self.node.operations if self.rows else ()

    def port(self, operation: str) -> float:
        """Return where a line ends, from 0 (top) to 1 (bottom); at the head where there is no such row."""
        return self.rows.get(operation, self.head / 2) / self.box.height


def card(node: Node, *, operations: bool, lamp: Lamp | None = None) -> Card:
    """Return the card of a node, with or without rows for its operations, with a strip at its foot for a lamp."""
    name = writing.wrapped(node.name)
    note = "" if node.node_type in ("", "MLModel") else writing.shortened(node.node_type)
    slant = SLANT if node.role in INNER else 0.0
    head = 15.0 + LINE * len(name) + 13.0 * bool(note) + slant
    shown = node.operations if operations else ()
    rows = {operation.name: head + 3.0 + ROW * (number + 0.5) for number, operation in enumerate(shown)}
    widths = [
        *map(writing.name_width, name),
        7.0 * writing.columns(note),
        *(7.0 * writing.columns(writing.shortened(name)) for name in rows),
    ]
    height = head + ROW * len(shown) + 6.0 * bool(shown) + slant + (STRIP if lamp else 0.0)
    least = live.LEAST_WIDTH if lamp else LEAST_WIDTH
    return Card(node, name, note, rows, head, Box(max(least, max(widths) + 2 * PADDING), height), lamp)


def is_start(operation: Operation) -> bool:
    """Return whether the operation waits for nothing and gives something: data begins there."""
    return operation.input.is_empty and not operation.output.is_empty


def drawn(card: Card, place: Placed, entered: set[tuple[str, str]]) -> Iterator[str]:
    """Write a card; `entered` are the operations (node, name) that an edge leads to."""
    node = card.node
    inner = node.role in INNER
    kind = f"g-node g-{node.role.value}{' g-inner' if inner else ''}"
    yield f'<g class="{kind}" data-node="{safe(node.name)}" transform="translate({length(place.x)} {length(place.y)})">'
    yield f"<title>{safe(_told_node(node))}</title>"
    yield _outline(node.role, place.width, place.height)
    if card.operations and not inner:
        yield f'<path class="g-head" d="{_head(place.width, card.head)}"/>'
    if card.operations:
        yield f'<path class="g-rule" d="M0 {length(card.head)}H{length(place.width)}"/>'
    baseline = 20.0 + SLANT * inner
    for number, text in enumerate(card.name):
        yield f'<text class="g-name" x="{length(PADDING)}" y="{length(baseline + LINE * number)}">{safe(text)}</text>'
    if card.note:
        yield f'<text class="g-note" x="{length(PADDING)}" y="{length(card.head - 9.0)}">{safe(card.note)}</text>'
    for operation in card.operations:
        yield from _drawn_row(operation, card, place.width, is_entered=(node.name, operation.name) in entered)
    if card.lamp:
        yield from live.strip(card.lamp, place)
    yield "</g>"


def _outline(role: Role, width: float, height: float) -> str:
    """Draw the shape of a card: a splitter widens in the direction of flow, a collator narrows."""
    if role is Role.SPLITTER:
        d = f"M0 {length(SLANT)}L{length(width)} 0V{length(height)}L0 {length(height - SLANT)}z"
    elif role is Role.COLLATOR:
        d = f"M0 0L{length(width)} {length(SLANT)}V{length(height - SLANT)}L0 {length(height)}z"
    else:
        return f'<rect class="g-card" width="{length(width)}" height="{length(height)}" rx="6"/>'
    return f'<path class="g-card" d="{d}"/>'


def _head(width: float, height: float) -> str:
    """Return the shaded part, inside the outline."""
    edge, right = 0.7, length(width - 0.7)
    return f"M{edge} {length(height)}V6Q{edge} {edge} 6 {edge}H{length(width - 6)}Q{right} {edge} {right} 6V{length(height)}z"


def _drawn_row(operation: Operation, card: Card, width: float, *, is_entered: bool) -> Iterator[str]:
    y = card.rows[operation.name]
    yield f"<g><title>{safe(_told_operation(operation))}</title>"
    name = safe(writing.shortened(operation.name))
    yield f'<text class="g-operation" x="{length(PADDING)}" y="{length(y + 4)}">{name}</text>'
    if is_start(operation) and not is_entered:
        yield f'<path class="g-start" d="M-5 {length(y - 5.5)}L6 {length(y)}L-5 {length(y + 5.5)}z"/>'
    elif is_entered or not operation.input.is_empty:
        yield _port(0.0, y, stream=operation.input.stream)
    if not operation.output.is_empty:
        yield _port(width, y, stream=operation.output.stream)
    yield "</g>"


def _port(x: float, y: float, *, stream: bool) -> str:
    return f'<circle class="g-port{" g-flowing" if stream else ""}" cx="{length(x)}" cy="{length(y)}" r="{PORT}"/>'


def _told_node(node: Node) -> str:
    told = [f"{node.name} ({node.node_type})" if node.node_type else node.name]
    told += [f"container name: {node.container_name}"] if node.container_name != node.name else []
    told += [f"image: {node.image}"] if node.image else []
    return "\n".join(told)


def _told_operation(operation: Operation) -> str:
    def end(name: str, *, stream: bool) -> str:
        return f"{'stream of ' if stream else ''}{name or '?'}"

    taken = end(operation.input.name, stream=operation.input.stream)
    given = end(operation.output.name, stream=operation.output.stream)
    return f"{operation.name}: {taken} → {given}"
