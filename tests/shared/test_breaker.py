"""The circuit breaker, alone with a clock of its own and in its place before a real server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.raw_server import Peer, RawServer, answering

from shared.breaker import Breaker
from shared.deadline import Deadline
from shared.errors import UpstreamError, UpstreamTimeoutError
from shared.outbound import Limits, Upstream

OK = "200 OK"


class Clock:
    """A clock that stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_at_the_last_of_the_failures_and_says_so_once() -> None:
    breaker = Breaker(failures=3, pause=10, clock=Clock())

    assert [breaker.failed() for _ in range(5)] == [False, False, True, False, False]
    assert not breaker.allows()


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(failures=2, pause=10, clock=Clock())
    breaker.failed()
    breaker.succeeded()

    assert (breaker.failed(), breaker.allows()) == (False, True)


def test_after_the_pause_one_call_may_try() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, pause=10, clock=clock)
    breaker.failed()
    clock.now += 10

    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_trial_that_fails_costs_another_pause() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, pause=10, clock=clock)
    breaker.failed()
    clock.now += 10
    breaker.allows()
    breaker.failed()
    clock.now += 9

    assert not breaker.allows()


def test_a_trial_that_never_reports_does_not_keep_it_open() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, pause=10, clock=clock)
    breaker.failed()
    clock.now += 10
    breaker.allows()
    clock.now += 10

    assert breaker.allows()


def never_answer(peer: Peer) -> None:
    peer.wait(5)


def attempt(upstream: Upstream) -> str:
    with pytest.raises(UpstreamError) as caught:
        upstream.get("x", deadline=Deadline.after(2), most_bytes=10)
    return str(caught.value)


def test_the_breaker_opens_after_failures_in_a_row_and_closes_when_a_trial_succeeds() -> None:
    down = answering("503 Service Unavailable")
    with RawServer(down, down, down, answering(OK)) as server:
        upstream = Upstream("cds", server.url, limits=Limits(tries=1, failures=3, pause=0.3))
        failures = [attempt(upstream) for _ in range(4)]
        asked_while_open = len(server.requests)
        time.sleep(0.35)

        response = upstream.get("x", deadline=Deadline.after(2), most_bytes=10)

        assert [text.split(": ")[1] for text in failures] == ["unavailable"] * 3 + ["circuit_open"]
        assert (asked_while_open, response.status) == (3, 200)


def test_the_breaker_is_shared_by_threads_and_lets_one_trial_pass() -> None:
    with RawServer(answering("503 Service Unavailable")) as server:
        upstream = Upstream("cds", server.url, limits=Limits(tries=1, failures=3, pause=0.3))
        with ThreadPoolExecutor(8) as threads:
            for _ in range(3):
                attempt(upstream)
            time.sleep(0.35)
            texts = list(threads.map(lambda _: attempt(upstream), range(16)))

        assert sorted(text.split(": ")[1] for text in texts) == ["circuit_open"] * 15 + ["unavailable"]
        assert len(server.requests) == 4


@pytest.mark.parametrize("answer", ["500 Internal Server Error", "400 Bad Request", "404 Not Found", "403 Forbidden"])
def test_one_bad_resource_does_not_open_the_breaker(answer: str) -> None:
    with RawServer(*[answering(answer)] * 6, answering(OK)) as server:
        upstream = Upstream("cds", server.url, limits=Limits(tries=1, failures=3))
        with ThreadPoolExecutor(1) as thread:
            for _ in range(6):
                thread.submit(upstream.get, "x", deadline=Deadline.after(2), most_bytes=10).exception()

        assert upstream.get("x", deadline=Deadline.after(2), most_bytes=10).status == 200


def test_callers_without_patience_do_not_open_the_breaker() -> None:
    with RawServer(*[never_answer] * 5, answering(OK)) as server:
        upstream = Upstream("cds", server.url, limits=Limits(tries=1, failures=3))
        for _ in range(5):
            with pytest.raises(UpstreamTimeoutError):
                upstream.get("x", deadline=Deadline.after(0.05), most_bytes=10)

        assert upstream.get("x", deadline=Deadline.after(2), most_bytes=10).status == 200


def test_a_check_that_succeeds_closes_the_breaker() -> None:
    with RawServer(answering("503 Service Unavailable"), answering(OK)) as server:
        upstream = Upstream("cds", server.url, limits=Limits(tries=1, failures=1, pause=60))
        attempt(upstream)

        upstream.check("", deadline=Deadline.after(2))

        assert upstream.get("x", deadline=Deadline.after(2), most_bytes=10).status == 200
