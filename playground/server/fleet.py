"""The list of deployments: what of it somebody wants to see, and what a row tells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from playground.runtime.deployment import Deployment, State
from playground.server.page_views import node_light
from shared.graph.live import Light

SEARCHED_FROM = 12
"""Deployments; fewer are seen at one look."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to see; nothing in particular by default."""

    state: State | None = None
    text: str = ""
    """In the name of the solution, the id or the owner; small and large letters are the same."""

    def of(self, found: Iterable[Deployment]) -> list[Deployment]:
        """Return what was chosen, in the same order."""
        return [each for each in found if self.state in {None, each.state} and _has(each, self.text.casefold())]

    def query(self, state: State | None = None) -> str:
        """Return the query of a link that keeps the text and goes to a state."""
        chosen = {"state": state.value if state else "", "text": self.text}
        return urlencode({name: value for name, value in chosen.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """A deployment with a light for every node."""

    found: Deployment
    lights: tuple[Light, ...]

    @property
    def ready(self) -> int:
        """How many nodes are as they should be."""
        return self.lights.count(Light.GOOD)


def rows(found: Iterable[Deployment]) -> list[Row]:
    """Return a row for each."""
    return [Row(each, tuple(map(node_light, each.nodes))) for each in found]


def states(found: Iterable[Deployment]) -> Mapping[State, int]:
    """Count the states, in the order of a deployment's life."""
    counted = Counter(each.state for each in found)
    return {state: counted[state] for state in State if state in counted}


def _has(found: Deployment, text: str) -> bool:
    return not text or any(text in said.casefold() for said in (found.solution_name, found.id, found.owner.id))
