"""Whose turn it is."""

from __future__ import annotations

from collections import Counter

from playground.runtime.deployment import DeploymentId
from playground.runtime.turns import Limits, Waiting, next_one, reason

LIMITS = Limits(running=4, running_per_owner=2)


def waiting(*names: str) -> list[Waiting]:
    return [Waiting(DeploymentId(name), name[0], float(since)) for since, name in enumerate(names)]


def served(names: list[Waiting], *, turns: int, limits: Limits = LIMITS) -> list[str]:
    """Return who is served in turn when nobody ever ends."""
    left, running, last, order = list(names), Counter[str](), dict[str, int](), list[str]()
    for turn in range(1, turns + 1):
        chosen = next_one(left, running, last, limits)
        if chosen is None:
            break
        left.remove(chosen)
        running[chosen.owner_id] += 1
        last[chosen.owner_id] = turn
        order.append(chosen.id)
    return order


def test_owners_take_turns_however_many_each_has_pushed() -> None:
    assert served(waiting("a1", "a2", "a3", "b1", "c1", "b2"), turns=9) == ["a1", "b1", "c1", "a2"]


def test_an_owner_has_no_more_than_allowed() -> None:
    assert served(waiting("a1", "a2", "a3"), turns=9) == ["a1", "a2"]


def test_nobody_is_served_beyond_the_limit() -> None:
    assert next_one(waiting("a1"), Counter({"b": 2, "c": 2}), {}, LIMITS) is None


def test_who_waited_longest_is_first_among_equals() -> None:
    chosen = next_one(waiting("b1", "a1"), Counter(), {}, LIMITS)

    assert chosen is not None
    assert chosen.id == "b1"


def test_the_reason_says_what_is_waited_for() -> None:
    (one,) = waiting("a1")

    assert (
        reason(one, Counter({"a": 2}), LIMITS)
        == "waits until one of its owner's 2 running deployments sleeps or is deleted"
    )
    assert reason(one, Counter({"b": 2, "c": 2}), LIMITS) == "waits for its turn: 4 of 4 deployments run"
