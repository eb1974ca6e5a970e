"""Deployments that nobody uses fall asleep; those without data may be deleted; one that fails stops no other."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from support.playground import Failing
from support.runtime_contract import push

from playground.runtime.deployment import Deployment, DeploymentId, State
from playground.runtime.interface import Runtime
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.keeper import Keeper
from shared.errors import NotFoundError, UnavailableError

MINUTE, DAY = 60.0, 86_400.0


def keeper(runtime: Any, *, ahead: float, sleep_after: int = 10, delete_after: int = 0) -> Keeper:
    return Keeper(
        runtime, sleep_after_minutes=sleep_after, delete_after_days=delete_after, now=lambda: time.time() + ahead
    )


class Awake:
    """A runtime whose queued deployments say that they are ready: nothing has to run to be put to sleep."""

    def __init__(self, real: Runtime, *, leads: bool = True) -> None:
        self.real = real
        self.is_leader = leads

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def all(self) -> tuple[Deployment, ...]:
        return tuple(map(self.awake, self.real.all()))

    def get(self, deployment: DeploymentId) -> Deployment:
        return self.awake(self.real.get(deployment))

    @staticmethod
    def awake(found: Deployment) -> Deployment:
        return replace(found, state=State.READY) if found.state is State.QUEUED else found

    def leads(self) -> bool:
        return self.is_leader


def made(runtime: ProcessRuntime, sample: str = "sensor-stream") -> DeploymentId:
    return runtime.create(push(sample))[0].id


def state(runtime: ProcessRuntime, deployment: DeploymentId) -> str:
    found = {each.id: each.state for each in runtime.all()}
    return found[deployment].value if deployment in found else "gone"


@pytest.mark.parametrize(("ahead", "expected"), [(10 * MINUTE, "asleep"), (9 * MINUTE, "queued")])
def test_one_that_nobody_uses_falls_asleep(runtime: ProcessRuntime, ahead: float, expected: str) -> None:
    deployment = made(runtime)

    keeper(Awake(runtime), ahead=ahead).look()

    assert state(runtime, deployment) == expected


def test_one_that_waits_for_its_turn_is_left_alone(runtime: ProcessRuntime) -> None:
    deployment = made(runtime)

    keeper(runtime, ahead=DAY).look()

    assert state(runtime, deployment) == "queued"


def test_nothing_sleeps_where_that_is_switched_off(runtime: ProcessRuntime) -> None:
    deployment = made(runtime)

    keeper(Awake(runtime), ahead=DAY, sleep_after=0).look()

    assert state(runtime, deployment) == "queued"


def test_a_copy_that_does_not_lead_does_nothing(runtime: ProcessRuntime) -> None:
    deployment = made(runtime)

    keeper(Awake(runtime, leads=False), ahead=DAY).look()

    assert state(runtime, deployment) == "queued"


def test_one_without_data_is_deleted_and_one_with_data_is_not(runtime: ProcessRuntime) -> None:
    plain, with_data = made(runtime), made(runtime, "word-count")

    keeper(Awake(runtime), ahead=31 * DAY, delete_after=30).look()

    assert state(runtime, plain) in {"deleting", "gone"}
    assert state(runtime, with_data) == "asleep"


def test_one_whose_folder_cannot_be_looked_for_stays(runtime: ProcessRuntime) -> None:
    deployment = made(runtime)
    failing = Failing(Awake(runtime), shared_folder=UnavailableError("later"))  # type: ignore[arg-type]

    keeper(failing, ahead=31 * DAY, delete_after=30).look()

    assert state(runtime, deployment) == "queued"


def test_one_that_fails_stops_no_other(runtime: ProcessRuntime, logs: Any) -> None:
    first, second = made(runtime), made(runtime)

    class Poisoned(Awake):
        def sleep(self, deployment: DeploymentId) -> None:
            if deployment == first:
                raise UnavailableError("not this one")
            self.real.sleep(deployment)

    keeper(Poisoned(runtime), ahead=DAY).look()

    assert (state(runtime, first), state(runtime, second)) == ("queued", "asleep")
    assert [event["deployment"] for event in logs.events("keeper_failed")] == [first]


def test_one_that_was_used_since_all_were_listed_stays(runtime: ProcessRuntime) -> None:
    deployment = made(runtime)

    class Listed(Awake):
        def all(self) -> tuple[Deployment, ...]:
            return tuple(replace(found, used_at=0) for found in super().all())

    keeper(Listed(runtime), ahead=0, delete_after=30).look()

    assert state(runtime, deployment) == "queued"


def test_one_that_has_gone_since_all_were_listed_is_no_failure(runtime: ProcessRuntime, logs: Any) -> None:
    deployment = made(runtime)
    gone = Failing(Awake(runtime), get=NotFoundError("gone"))  # type: ignore[arg-type]

    keeper(gone, ahead=DAY).look()

    assert [event["deployment"] for event in logs.events("idle_deployment_gone")] == [deployment]
    assert logs.events("keeper_failed") == []


def test_an_outage_is_waited_for(runtime: ProcessRuntime, logs: Any) -> None:
    keeper(Failing(runtime, all=UnavailableError("gone")), ahead=DAY).look()

    assert len(logs.events("keeper_cannot_look")) == 1


def test_its_thread_goes_on_after_a_defect_and_ends_when_told(runtime: ProcessRuntime, logs: Any) -> None:
    failing = Failing(runtime, all=RuntimeError("a defect"))
    watching = Keeper(failing, sleep_after_minutes=1, delete_after_days=0, round_seconds=0.01)  # type: ignore[arg-type]

    watching.start()
    end = time.monotonic() + 5
    while len(logs.events("keeper_crashed")) < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    watching.close()

    count = len(logs.events("keeper_crashed"))
    time.sleep(0.05)
    assert len(logs.events("keeper_crashed")) == count
