"""The geometry of a layered drawing: boxes in columns from left to right, links as curves through the gaps between them.

A link that closes a cycle, or that leads to the next band of a folded drawing, is led around the boxes at right angles.
Lengths are in pixels of the picture. Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.graph import columns, heights, layers
from shared.graph.detours import Detours, End, Obstacle
from shared.graph.heights import PASSING
from shared.graph.layers import Layers, Link


@dataclass(frozen=True, slots=True)
class Box:
    """The size of what has to be placed."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a box stands. Boxes of one column have the same width."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Placed:
        """Return the place shifted by that much."""
        return Placed(self.x + x, self.y + y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a link. `square`: corners joined by straight lines; else curves and level lines in turn."""

    points: tuple[tuple[float, float], ...]
    square: bool = False

    def moved(self, x: float, y: float) -> Route:
        """Return the way shifted by that much."""
        return Route(tuple((at_x + x, at_y + y) for at_x, at_y in self.points), self.square)


@dataclass(frozen=True, slots=True)
class Layout:
    """A finished drawing, its upper left corner at 0, 0; places and ways in the order of boxes and links."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The columns: for each layer its band, its left edge and its width."""

    band: Sequence[int]
    lefts: Sequence[float]
    widths: Sequence[float]


def layout(boxes: Sequence[Box], links: Sequence[Link], starts: Sequence[int] = ()) -> Layout:
    """Place all boxes: each connected part for itself, then the parts in rows.

    Args:
        boxes: what is drawn.
        links: between boxes, by their numbers.
        starts: boxes where a reader should begin; decides which link of a cycle points backwards.
    """
    parts = layers.components(len(boxes), links)
    part_of = {box: number for number, part in enumerate(parts) for box in part}
    links_of: list[list[int]] = [[] for _ in parts]
    for number, link in enumerate(links):
        links_of[part_of[link.source]].append(number)
    drawn: list[Layout] = []
    for part, numbers in zip(parts, links_of, strict=True):
        local = {box: index for index, box in enumerate(part)}
        own = [replace(links[n], source=local[links[n].source], target=local[links[n].target]) for n in numbers]
        drawn.append(_part([boxes[box] for box in part], own, [local[box] for box in starts if box in local]))
    return _shelved(parts, links_of, drawn)


def _shelved(parts: Sequence[Sequence[int]], links_of: Sequence[Sequence[int]], drawn: Sequence[Layout]) -> Layout:
    """Set the parts side by side, a new row where the line is full."""
    area = sum((part.width + columns.GAP) * (part.height + heights.GAP) for part in drawn)
    line = max([columns.FOLD_WIDTH * 0.8, (area * 1.8) ** 0.5, *(part.width for part in drawn)])
    x = y = row_height = width = 0.0
    boxes: dict[int, Placed] = {}
    routes: dict[int, Route] = {}
    for part, numbers, picture in zip(parts, links_of, drawn, strict=True):
        if x > 0 and x + picture.width > line:
            x, y, row_height = 0.0, y + row_height + heights.GAP, 0.0
        boxes.update(zip(part, (place.moved(x, y) for place in picture.boxes), strict=True))
        routes.update(zip(numbers, (route.moved(x, y) for route in picture.routes), strict=True))
        width, row_height = max(width, x + picture.width), max(row_height, picture.height)
        x += picture.width + columns.GAP / 2
    in_order = tuple(boxes[box] for box in sorted(boxes)), tuple(routes[number] for number in sorted(routes))
    return Layout(width, y + row_height, *in_order)


def _part(boxes: Sequence[Box], links: Sequence[Link], starts: Sequence[int]) -> Layout:
    rank = layers.ranks(len(boxes), links, starts)
    widths, filled = [0.0] * (max(rank) + 1), [0.0] * (max(rank) + 1)
    for box, layer in zip(boxes, rank, strict=True):
        widths[layer] = max(widths[layer], box.width)
        filled[layer] += box.height + heights.GAP
    band = columns.bands(widths, filled, rank, links)
    around = [number for number, link in enumerate(links) if _leads_around(rank[link.source], rank[link.target], band)]
    arranged = layers.arrange(rank, links, around)
    grid = _Grid(band, columns.lefts(widths, band, rank, [links[number] for number in around]), widths)
    sizes = [box.height for box in boxes]
    places = _places(arranged, grid, sizes, heights.tops(arranged, sizes, links))
    layer_of = {item: layer for layer, row in enumerate(arranged.rows) for item in row}
    detours = Detours(_obstacles(arranged, grid, places))
    detours.lead([(number, *_ends(links[number], grid, places, layer_of)) for number in around])
    tops, corners = detours.tops, detours.points()
    placed = [place.moved(0.0, tops[band[layer_of[item]]]) for item, place in enumerate(places)]
    routes = [
        Route(corners[number], square=True) if number in corners else _curve(link, arranged.chains[number], placed)
        for number, link in enumerate(links)
    ]
    return _cropped(placed[: len(boxes)], routes)


def _leads_around(source: int, target: int, band: Sequence[int]) -> bool:
    return target <= source or band[target] != band[source]


def _places(arranged: Layers, grid: _Grid, sizes: Sequence[float], tops: Sequence[float]) -> list[Placed]:
    """Return the place of every item, heights counted from the highest item of its band."""
    highest: dict[int, float] = {}
    for layer, row in enumerate(arranged.rows):
        band = grid.band[layer]
        highest[band] = min(highest.get(band, tops[row[0]]), tops[row[0]])
    places: dict[int, Placed] = {}
    for layer, row in enumerate(arranged.rows):
        for item in row:
            height = sizes[item] if item < len(sizes) else PASSING
            places[item] = Placed(grid.lefts[layer], tops[item] - highest[grid.band[layer]], grid.widths[layer], height)
    return [places[item] for item in range(len(places))]


def _obstacles(arranged: Layers, grid: _Grid, places: Sequence[Placed]) -> list[list[Obstacle]]:
    """Return the columns of each band, as deep as they reach."""
    found: list[list[Obstacle]] = [[] for _ in range(grid.band[-1] + 1)]
    for layer, row in enumerate(arranged.rows):
        lowest = places[row[-1]]
        found[grid.band[layer]].append(Obstacle(lowest.x, lowest.x + lowest.width, lowest.y + lowest.height))
    return found


def _ends(link: Link, grid: _Grid, places: Sequence[Placed], layer_of: Mapping[int, int]) -> tuple[End, End]:
    """Return where a link leaves the right side of its source, and where it enters the left side of its target."""

    def end(box: int, port: float, *, width: float) -> End:
        place, layer = places[box], layer_of[box]
        y, bottom = place.y + port * place.height, place.y + place.height
        return End(box, place.x + width, y, bottom, layer, grid.band[layer])

    source = end(link.source, link.source_port, width=places[link.source].width)
    return source, end(link.target, link.target_port, width=0.0)


def _curve(link: Link, chain: Sequence[int], placed: Sequence[Placed]) -> Route:
    first, last = placed[chain[0]], placed[chain[-1]]
    points = [(first.x + first.width, first.y + link.source_port * first.height)]
    for item in chain[1:-1]:
        place = placed[item]
        points += [(place.x, place.y + PASSING / 2), (place.x + place.width, place.y + PASSING / 2)]
    points.append((last.x, last.y + link.target_port * last.height))
    return Route(tuple(points))


def _cropped(placed: Sequence[Placed], routes: Sequence[Route]) -> Layout:
    """Move the drawing to 0, 0."""
    xs = [x for route in routes for x, _ in route.points]
    ys = [y for route in routes for _, y in route.points]
    left, top = min([place.x for place in placed] + xs), min([place.y for place in placed] + ys)
    right = max([place.x + place.width for place in placed] + xs)
    bottom = max([place.y + place.height for place in placed] + ys)
    boxes, ways = (place.moved(-left, -top) for place in placed), (route.moved(-left, -top) for route in routes)
    return Layout(right - left, bottom - top, tuple(boxes), tuple(ways))
