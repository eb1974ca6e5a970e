"""Calls at the same time: nobody waits past a deadline, nothing that has not begun is begun after the batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest
import structlog

from shared.deadline import Deadline
from shared.errors import NotFoundError, UpstreamTimeoutError
from shared.persistence.calls import Calls


@pytest.fixture
def calls() -> Iterator[Calls]:
    with closing(Calls("cds", threads=1)) as calls:
        yield calls


def fail() -> None:
    raise NotFoundError("nothing")


def test_results_come_back(calls: Calls) -> None:
    with calls.batch(Deadline.after(5)) as batch:
        started = [batch.start(pow, 2, exponent) for exponent in range(4)]

        assert [batch.result(future) for future in started] == [1, 2, 4, 8]


def test_an_error_waits_for_result(calls: Calls) -> None:
    with calls.batch(Deadline.after(5)) as batch:
        future = batch.start(fail)

        assert batch.settled(future) is None
        with pytest.raises(NotFoundError, match="nothing"):
            batch.result(future)


def test_a_call_that_cannot_be_stopped_is_not_waited_for(calls: Calls) -> None:
    stuck = Event()
    start = time.monotonic()
    with calls.batch(Deadline.after(0.1)) as batch:
        future = batch.start(stuck.wait, 10)

        with pytest.raises(UpstreamTimeoutError, match="cds: timeout: a call did not end in time"):
            batch.result(future)

    assert time.monotonic() - start < 2
    stuck.set()


def test_what_has_not_begun_when_the_batch_ends_never_does(calls: Calls) -> None:
    stuck, begun = Event(), Event()
    with calls.batch(Deadline.after(5)) as batch:
        first = batch.start(stuck.wait, 10)
        second = batch.start(begun.set)
    stuck.set()

    assert (first.result(5), second.cancelled(), begun.is_set()) == (True, True, False)


def test_the_context_goes_along(calls: Calls) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req-1"), calls.batch(Deadline.after(5)) as batch:
        assert batch.result(batch.start(structlog.contextvars.get_contextvars)) == {"request_id": "req-1"}
