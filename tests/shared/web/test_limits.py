"""Limits: a bucket per caller, and a number of builds at once."""

from __future__ import annotations

import threading

import pytest
from support import service

from shared.errors import RateLimitedError, UnavailableError
from shared.web import limits
from shared.web.limits import Gate, RateLimit


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def exhausted(per_minute: int, clock: Clock) -> RateLimit:
    rate = RateLimit(per_minute, now=clock)
    for _ in range(per_minute):
        rate.take("ada")
    return rate


def test_one_more_than_a_minutes_worth_is_refused_and_told_when_to_come_back():
    rate = exhausted(6, Clock())

    with pytest.raises(RateLimitedError, match="at most 6 requests per minute") as refused:
        rate.take("ada")

    assert refused.value.retry_after == 10


def test_another_caller_is_not_affected():
    rate = exhausted(6, Clock())

    rate.take("eve")


def test_the_next_one_passes_after_the_time_that_was_told():
    clock = Clock()
    rate = exhausted(6, clock)
    clock.time += 10
    rate.take("ada")

    with pytest.raises(RateLimitedError):
        rate.take("ada")


def test_a_long_pause_refills_no_more_than_a_minutes_worth():
    clock = Clock()
    rate = exhausted(2, clock)
    clock.time += 3600
    rate.take("ada")
    rate.take("ada")

    with pytest.raises(RateLimitedError):
        rate.take("ada")


def test_zero_means_no_limit():
    rate = RateLimit(0, now=Clock())

    assert [rate.take("ada") for _ in range(1000)] == [None] * 1000


def test_the_number_of_remembered_callers_is_bounded():
    rate = RateLimit(1, now=Clock())
    for number in range(limits.MAX_CALLERS + 5):
        rate.take(f"caller {number}")

    assert len(rate._buckets) == limits.MAX_CALLERS


def test_a_full_gate_lets_nobody_in():
    gate = Gate(1, wait_seconds=0.01)

    with gate.passed(), pytest.raises(UnavailableError, match="too much is being done at once"), gate.passed():
        raise AssertionError


def test_a_place_is_free_again_after_a_failure():
    gate = Gate(1, wait_seconds=0.01)
    with pytest.raises(KeyError), gate.passed():
        raise KeyError

    with gate.passed():
        pass


def test_a_caller_over_the_limit_gets_429_and_health_is_exempt():
    client = service.create(requests_per_minute=2).test_client()
    asked = {"solutionId": "mine", "revisionId": "r1"}

    answers = [client.post("/v1/bundles", headers=service.bearer(), json=asked) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "30"
    assert [client.get("/healthz").status_code for _ in range(5)] == [200] * 5


def test_a_build_too_many_at_once_is_refused_while_health_answers():
    shelf = service.shelf()
    shelf.gate = threading.Event()
    app = service.create(shelf, concurrent_builds=1)
    asked = {"solutionId": "mine", "revisionId": "r1"}
    statuses: list[int] = []

    def build() -> None:
        statuses.append(app.test_client().post("/v1/bundles", headers=service.bearer(), json=asked).status_code)

    first = threading.Thread(target=build)
    first.start()
    service.wait_until(lambda: bool(shelf.asked))
    build()
    health = app.test_client().get("/healthz").status_code
    shelf.gate.set()
    first.join()

    assert (statuses, health) == ([503, 200], 200)
