"""Health: cheap, bounded, and honest about what is missing."""

from __future__ import annotations

import threading

import pytest
from support import service

from shared.errors import UnavailableError, UpstreamError
from shared.web import health
from shared.web.health import DRAINING, ReadinessCache


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class Check:
    """A readiness check that counts, fails and hangs on demand."""

    def __init__(self, missing: dict[str, str] | None = None) -> None:
        self.missing = missing or {}
        self.calls = 0
        self.problem: Exception | None = None
        self.begun = threading.Event()
        self.released = threading.Event()
        self.released.set()

    def __call__(self) -> dict[str, str]:
        self.calls += 1
        self.begun.set()
        self.released.wait(10)
        if self.problem:
            raise self.problem
        return self.missing


def test_healthz_depends_on_nothing():
    shelf = service.shelf()
    shelf.failure = RuntimeError("down")

    assert service.create(shelf).test_client().get("/healthz").json == {"status": "ok"}


def test_readyz_is_ready_when_nothing_is_missing():
    answer = service.create().test_client().get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ready", "missing": {}, "notices": {}})


def test_readyz_names_what_is_missing():
    shelf = service.shelf()
    shelf.failure = UpstreamError("cds", "timeout")

    answer = service.create(shelf).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {"status": "unready", "missing": {"persistence": "cds: timeout"}, "notices": {}}


def test_readyz_names_every_check_that_fails():
    app = service.create(token_settings={"secret": None, "jwks": "http://127.0.0.1:9/keys"})

    assert app.test_client().get("/readyz").json["missing"] == {"token keys": "the key set cannot be read"}


def test_readyz_tells_what_an_operator_should_know():
    app = service.create(compat=("graphene", "anonymous-download"))

    assert app.test_client().get("/readyz").json["notices"] == {
        "SLIPWAY_COMPAT": "tokens are accepted in the query of Graphene's routes; anybody may download public solutions"
    }


def test_readyz_says_no_while_the_server_stops():
    app = service.create()
    app.extensions[DRAINING] = lambda: True

    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.json["missing"]) == (503, {"server": "stopping"})


@pytest.mark.parametrize(
    ("problem", "missing"),
    [
        (UnavailableError("no disk"), {"readiness": "no disk"}),
        (RuntimeError("canary"), {"readiness": "the check failed"}),
    ],
    ids=["ours", "a defect"],
)
def test_a_check_that_raises_makes_the_service_unready(problem: Exception, missing: dict[str, str]):
    check = Check()
    check.problem = problem

    assert ReadinessCache(check).missing() == missing


def test_an_answer_is_kept_for_two_seconds():
    clock, check = Clock(), Check()
    cache = ReadinessCache(check, now=clock)
    cache.missing()
    clock.time += 1.9
    cache.missing()

    assert check.calls == 1


def test_an_answer_is_renewed_after_two_seconds():
    clock, check = Clock(), Check()
    cache = ReadinessCache(check, now=clock)
    cache.missing()
    check.missing = {"disk": "full"}
    clock.time += 2.0

    assert cache.missing() == {"disk": "full"}


def test_a_hanging_check_holds_a_probe_for_a_moment_and_is_not_started_twice():
    check = Check()
    check.released.clear()
    cache = ReadinessCache(check, wait_seconds=0.05)

    found = [cache.missing(), cache.missing()]
    check.begun.wait(10)
    check.released.set()

    assert found == [{"readiness": "the check did not answer in time"}] * 2
    assert check.calls == 1


def test_a_check_that_hung_counts_again_when_it_answers():
    check = Check()
    check.released.clear()
    cache = ReadinessCache(check, wait_seconds=0.05)
    cache.missing()
    check.released.set()

    assert service.wait_until(lambda: cache.missing() == {})


def test_underscores_of_a_check_are_read_as_blanks():
    def fail() -> None:
        raise UnavailableError("gone")

    assert health.checks(token_keys=fail, persistence=lambda: None)() == {"token keys": "gone"}
