"""The list of deployments: what of it is shown, and what a row tells."""

from __future__ import annotations

import pytest

from playground.runtime.deployment import Deployment, DeploymentId, NodeStatus, State
from playground.server import fleet
from playground.server.fleet import Choice
from shared.graph.live import Light
from shared.principal import Principal


def deployment(number: int, state: State, owner: str = "ada@example.org", *nodes: NodeStatus) -> Deployment:
    return Deployment(
        id=DeploymentId(f"d{number}"),
        owner=Principal(owner),
        solution_name=f"Solution {number}",
        state=state,
        reason="",
        created_at=0.0,
        used_at=0.0,
        nodes=nodes,
        revisions=(),
        current=1,
    )


FOUND = (
    deployment(1, State.READY),
    deployment(2, State.FAILED, "eve@example.org"),
    deployment(3, State.READY, "Eve@Example.org"),
)


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(), ["d1", "d2", "d3"]),
        (Choice(State.READY), ["d1", "d3"]),
        (Choice(State.ASLEEP), []),
        (Choice(text="EVE@"), ["d2", "d3"]),
        (Choice(text="solution 1"), ["d1"]),
        (Choice(text="d3"), ["d3"]),
        (Choice(State.READY, "eve"), ["d3"]),
    ],
)
def test_what_is_shown_has_the_state_and_the_text(choice: Choice, ids: list[str]) -> None:
    assert [each.id for each in choice.of(FOUND)] == ids


def test_a_link_keeps_the_text_and_goes_to_a_state() -> None:
    choice = Choice(State.READY, "a&b")

    assert (choice.query(State.FAILED), choice.query()) == ("state=failed&text=a%26b", "text=a%26b")
    assert Choice().query() == ""


def test_states_are_counted_in_the_order_of_a_life() -> None:
    assert list(fleet.states(reversed(FOUND)).items()) == [(State.READY, 2), (State.FAILED, 1)]


def test_a_row_has_a_light_for_every_node() -> None:
    nodes = (NodeStatus("a", "i", "ready", is_ready=True), NodeStatus("b", "i", "crashed"))

    (row,) = fleet.rows([deployment(1, State.STARTING, "ada@example.org", *nodes)])

    assert (row.lights, row.ready) == ((Light.GOOD, Light.BAD), 1)
