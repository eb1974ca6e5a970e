"""A solution's graph as SVG text: cards for nodes, a row for each operation, lines for edges, folders beneath.

Safe to put into a page as it is: foreign text is escaped; there are no scripts, ids, style attributes or references.
The same solution always gives the same text. A page under a strict Content-Security-Policy serves `STYLE` of
`shared.graph.style` as its own stylesheet and asks for `standalone=False`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.graph import cards, lines, writing
from shared.graph.cards import PADDING, PORT, Card, is_start
from shared.graph.layers import Link
from shared.graph.layout import Layout, layout
from shared.graph.lines import Line
from shared.graph.live import Live
from shared.graph.style import STYLE
from shared.graph.writing import length, safe
from shared.solution import SharedFolder, Solution

MARGIN = 20.0
FOLDER_HEIGHT = 44.0
LEGEND_HEIGHT = 34.0
LEGEND_WIDTH = 134.0  # of one entry
BRIDGED_LINES = 200  # more of them are written without the gaps where lines cross: the picture would grow by half
TOLD_EDGES = 40  # more of them in words help nobody


def svg(solution: Solution, *, standalone: bool = True, operations: bool = True, live: Live | None = None) -> str:
    """Draw the graph of `solution`.

    Args:
        solution: any solution; an edge to a node that it does not have is left out.
        standalone: carry `STYLE` and a background, as a file of its own; without them for use inside a page.
        operations: show each node's operations; without them the picture is smaller and has one line per pair of nodes.
        live: what nodes and edges do now, with operations.
    """
    live = live or Live()
    drawn_cards = [cards.card(each, operations=operations, lamp=live.nodes.get(each.name)) for each in solution.nodes]
    drawn_lines = lines.lines(solution, operations=operations)
    starts = [number for number, node in enumerate(solution.nodes) if any(map(is_start, node.operations))]
    drawing = layout([card.box for card in drawn_cards], _links(drawn_cards, drawn_lines), starts)
    graph = _drawn_graph(drawn_cards, drawn_lines, drawing, live)
    return "".join(_document(solution, drawn_cards, drawn_lines, drawing, graph, standalone=standalone))


def _document(
    solution: Solution,
    drawn_cards: Sequence[Card],
    drawn_lines: Sequence[Line],
    drawing: Layout,
    graph: Iterator[str],
    *,
    standalone: bool,
) -> Iterator[str]:
    legend = _legend(drawn_cards, drawn_lines)
    folders = [_told_folder(folder) for folder in solution.shared_folders]
    width = max(
        drawing.width, LEGEND_WIDTH * len(legend), *(70.0 + 7.0 * writing.columns(text) for text in folders), 80.0
    )
    height = drawing.height + FOLDER_HEIGHT * len(folders) + LEGEND_HEIGHT * bool(legend)
    corner, full_width, full_height = length(-MARGIN), length(width + 2 * MARGIN), length(height + 2 * MARGIN)
    attributes = f'viewBox="{corner} {corner} {full_width} {full_height}" width="{full_width}" height="{full_height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" {attributes}>'
    yield f"<title>{safe(solution.name or 'solution')}</title><desc>{safe(_description(solution, drawn_lines))}</desc>"
    if standalone:
        yield f'<style>{STYLE}</style><rect class="g-canvas" x="{corner}" y="{corner}" width="100%" height="100%"/>'
    yield f'<g transform="translate({length((width - drawing.width) / 2)} 0)">'
    yield from graph
    yield "</g>"
    for number, text in enumerate(folders):
        yield _drawn_folder(text, drawing.height + FOLDER_HEIGHT * number, width)
    yield from _drawn_legend(legend, height - 4.0)
    yield "</svg>\n"


def _links(drawn_cards: Sequence[Card], drawn_lines: Sequence[Line]) -> list[Link]:
    index = {card.node.name: (number, card) for number, card in enumerate(drawn_cards)}
    links = []
    for line in drawn_lines:
        (source, giver), (target, taker) = index[line.edge.source], index[line.edge.target]
        ports = giver.port(line.edge.source_operation), taker.port(line.edge.target_operation)
        links.append(Link(source, ports[0], target, ports[1]))
    return links


def _drawn_graph(
    drawn_cards: Sequence[Card], drawn_lines: Sequence[Line], drawing: Layout, live: Live
) -> Iterator[str]:
    """Write the lines below the cards."""
    with_ports = {card.node.name for card in drawn_cards if card.rows}
    for line, route in zip(drawn_lines, drawing.routes, strict=True):
        short = PORT if line.edge.target in with_ports else 0.0
        is_few = len(drawn_lines) <= BRIDGED_LINES
        yield lines.drawn(line, route, bridged=is_few, short=short, flow=live.edges.get(line.edge))
    entered = {(line.edge.target, line.edge.target_operation) for line in drawn_lines}
    for card, place in zip(drawn_cards, drawing.boxes, strict=True):
        yield from cards.drawn(card, place, entered)


def _drawn_folder(text: str, top: float, width: float) -> str:
    """Write a folder under everything: a tab, and a strip below all nodes, for all nodes mount it."""
    outline = f"M0 6Q0 2 4 2H34L40 8H{length(width - 4)}Q{length(width)} 8 {length(width)} 12V32H0z"
    return (
        f'<g class="g-shared-folder" transform="translate(0 {length(top + 12.0)})"><path class="g-folder" d="{outline}"/>'
        f'<text class="g-path" x="{length(PADDING)}" y="24">{safe(text)}</text></g>'
    )


def _legend(drawn_cards: Sequence[Card], drawn_lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Return the marks that need a word: the picture and the word."""
    legend = []
    if any(is_start(operation) for card in drawn_cards for operation in card.operations):
        legend.append(('<path class="g-start" d="M8 -9.5L19 -4L8 1.5z"/>', "starts by itself"))
    if any(line.stream for line in drawn_lines):
        legend.append(('<path class="g-line" d="M0 -4H24"/>', "message"))
        legend.append(('<g class="g-stream"><path class="g-line" d="M0 -4H24"/></g>', "stream"))
    return legend


def _drawn_legend(legend: Sequence[tuple[str, str]], y: float) -> Iterator[str]:
    for number, (mark, word) in enumerate(legend):
        place = f"translate({length(LEGEND_WIDTH * number)} {length(y)})"
        yield f'<g class="g-legend" transform="{place}">{mark}<text x="31">{word}</text></g>'


def _description(solution: Solution, drawn_lines: Sequence[Line]) -> str:
    """Say in words what the picture shows."""
    nodes, edges = len(solution.nodes), len(solution.edges)
    told = [f"{nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"]
    told += [words for line in drawn_lines[:TOLD_EDGES] for words in line.words.split("\n")]
    told += [f"and {len(drawn_lines) - TOLD_EDGES} more lines"] if len(drawn_lines) > TOLD_EDGES else []
    told += [_told_folder(folder) for folder in solution.shared_folders]
    return ". ".join(told)


def _told_folder(folder: SharedFolder) -> str:
    return f"{writing.shortened(folder.mount_path, 60)} · mounted by every node"
