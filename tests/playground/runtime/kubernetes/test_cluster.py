"""The short calls, before a server that plays the API's refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from playground.runtime.kubernetes.api import RefusedError
from playground.runtime.kubernetes.cluster import Cluster

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
RACE = (
    409,
    {"code": 409, "reason": "Conflict", "message": 'Operation cannot be fulfilled on resourcequotas "slipway-guard"'},
)
THERE = (409, {"code": 409, "reason": "AlreadyExists", "message": 'services "a" already exists'})
MADE = (200, SERVICE)
Answer = tuple[int, dict[str, object]]


class Connection:
    """What the calls need of an `Api`: answers one after the other, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.asked = 0

        def answer(_request: httpx2.Request) -> httpx2.Response:
            status, body = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return httpx2.Response(status, content=json.dumps(body))

        self.http = httpx2.Client(base_url="http://cluster.test", transport=httpx2.MockTransport(answer))


@contextmanager
def cluster(*answers: Answer) -> Iterator[tuple[Cluster, Connection]]:
    connection = Connection(*answers)
    with connection.http:
        yield Cluster(connection), connection  # type: ignore[arg-type]


WRITES: list[Callable[[Cluster], object]] = [
    lambda calls: calls.create(SERVICE, "space"),
    lambda calls: calls.apply(SERVICE, "space"),
]


@pytest.mark.parametrize("write", WRITES, ids=["create", "apply"])
def test_a_race_for_the_quota_is_run_again(write: Callable[[Cluster], object]) -> None:
    with cluster(RACE, RACE, MADE) as (calls, connection):
        written = write(calls)

    assert (written, connection.asked) == (SERVICE, 3)


@pytest.mark.parametrize("write", WRITES, ids=["create", "apply"])
def test_a_race_that_never_ends_is_a_refusal_and_no_object_that_is_there(write: Callable[[Cluster], object]) -> None:
    with cluster(RACE) as (calls, connection), pytest.raises(RefusedError, match="resourcequotas"):
        write(calls)

    assert connection.asked == 5


def test_what_is_there_already_is_not_made() -> None:
    with cluster(THERE) as (calls, connection):
        made = calls.create(SERVICE, "space")

    assert (made, connection.asked) == (None, 1)
