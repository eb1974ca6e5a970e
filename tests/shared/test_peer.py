"""Asking another service of the platform: once, below its base, within a deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from support.scripted_server import Request, Script, answering, cutting, scripted, silent

from shared.deadline import Deadline
from shared.errors import TooLargeError
from shared.fault import Cause, Fault
from shared.origin import ForeignUriError, Origin
from shared.peer import Answer, Peer


@contextmanager
def peer(script: Script) -> Iterator[tuple[Peer, list[Request]]]:
    with scripted(script) as (url, requests):
        made = Peer("tiny", Origin.parse(f"{url}/base"))
        try:
            yield made, requests
        finally:
            made.close()


def ask(made: Peer, path: str = "a", *, seconds: float = 5.0) -> Answer:
    return made.send("PUT", path, headers={"X": "y"}, deadline=Deadline.after(seconds), most_bytes=100, body=b"body")


def test_a_request_is_sent_as_it_is_with_the_id_of_the_one_that_is_served() -> None:
    with peer(answering(200, b"hello")) as (made, requests), structlog.contextvars.bound_contextvars(request_id="r-1"):
        answer = ask(made)

    (request,) = requests
    assert (request.command, request.path, request.content) == ("PUT", "/base/a", b"body")
    assert (request.headers["X"], request.headers["X-Request-ID"]) == ("y", "r-1")
    assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize("status", [302, 404, 409, 503])
def test_every_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    with peer(answering(status, b"why", Location="http://127.0.0.1:1/")) as (made, requests):
        assert (ask(made).status, len(requests)) == (status, 1)


@pytest.mark.parametrize(("script", "cause"), [(cutting, Cause.BROKEN), (silent, Cause.TIMEOUT)])
def test_no_answer_is_a_fault_and_nothing_is_repeated(script: Script, cause: Cause) -> None:
    begin = time.monotonic()

    with peer(script) as (made, requests), pytest.raises(Fault) as failed:
        ask(made, seconds=0.3)

    assert (failed.value.cause, len(requests)) == (cause, 1)
    assert time.monotonic() - begin < 2


def test_past_the_deadline_nothing_is_sent() -> None:
    with peer(answering(200)) as (made, requests), pytest.raises(Fault, match="the deadline has passed"):
        ask(made, seconds=0)

    assert requests == []


def test_a_large_answer_is_cut() -> None:
    with peer(answering(200, bytes(101))) as (made, _), pytest.raises(TooLargeError, match="at most 100 bytes"):
        ask(made)


@pytest.mark.parametrize("path", ["../a", "http://127.0.0.1:1/", "a//b"])
def test_no_path_leads_elsewhere(path: str) -> None:
    with peer(answering(200)) as (made, requests), pytest.raises(ForeignUriError):
        ask(made, path)

    assert requests == []
