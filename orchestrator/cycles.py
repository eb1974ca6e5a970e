"""Finds the cycles of a graph, without recursion: a chain may be long."""

from __future__ import annotations

from collections.abc import Sequence


def groups(count: int, edges: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return the strongly connected components of the vertices 0 … count - 1, upstream ones first."""
    following: list[list[int]] = [[] for _ in range(count)]
    preceding: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        following[source].append(target)
        preceding[target].append(source)
    order: list[int] = []
    seen: set[int] = set()
    for vertex in range(count):
        order.extend(_postorder(vertex, following, seen))
    seen.clear()
    return tuple(tuple(sorted(found)) for vertex in reversed(order) if (found := _postorder(vertex, preceding, seen)))


def _postorder(root: int, neighbours: list[list[int]], seen: set[int]) -> list[int]:
    if root in seen:
        return []
    seen.add(root)
    order: list[int] = []
    path = [(root, iter(neighbours[root]))]
    while path:
        vertex, rest = path[-1]
        fresh = next((neighbour for neighbour in rest if neighbour not in seen), None)
        if fresh is None:
            order.append(vertex)
            path.pop()
        else:
            seen.add(fresh)
            path.append((fresh, iter(neighbours[fresh])))
    return order


def closing(count: int, edges: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the indices of edges without which there is no cycle: those that lead back on a walk from the start."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for index, (source, _) in enumerate(edges):
        leaving[source].append(index)
    fed = {target for source, target in edges if source != target}
    found: set[int] = set()
    state = [0] * count  # 1: on the path, 2: done
    for root in sorted(range(count), key=lambda vertex: (vertex in fed, vertex)):
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(leaving[root]))]
        while path:
            vertex, rest = path[-1]
            index = next(rest, -1)
            if index < 0:
                state[vertex] = 2
                path.pop()
                continue
            target = edges[index][1]
            if state[target] == 1:
                found.add(index)
            elif state[target] == 0:
                state[target] = 1
                path.append((target, iter(leaving[target])))
    return frozenset(found)


def branching(count: int, edges: Sequence[tuple[int, int]], targets: Sequence[int]) -> frozenset[int]:
    """Return the indices of edges into one of `targets` that share something upstream with another edge into it."""
    arriving: list[list[int]] = [[] for _ in range(count)]
    for index, (_, target) in enumerate(edges):
        arriving[target].append(index)
    found: set[int] = set()
    for target in targets:
        owners: dict[int, int] = {}
        for index in arriving[target]:
            waiting = [edges[index][0]]
            while waiting:
                vertex = waiting.pop()
                if vertex not in owners:
                    owners[vertex] = index
                    waiting.extend(edges[before][0] for before in arriving[vertex])
                elif owners[vertex] != index:
                    found |= {index, owners[vertex]}  # they share what is further upstream as well
    return frozenset(found)
