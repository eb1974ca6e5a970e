"""What every runtime of the playground has to do, shown with our own samples. A test module of a runtime subclasses it.

The fixture `runtime` may serve all tests: each works under an owner of its own.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, islice
from typing import Any

import pytest
from support.bundles import built, sample_options
from support.solutions import ROOT, read

from playground.runtime.deployment import Deployment, DeploymentId, Push, State
from playground.runtime.interface import Runtime
from shared.errors import InvalidRequestError, NotFoundError, SlipwayError
from shared.principal import Principal
from shared.solution import Ids, RevisionId, SolutionId

READY_SECONDS = 60.0
NO_DEPLOYMENT = DeploymentId("no-such-deployment")
_OWNERS = (f"owner-{number}-{uuid.uuid4().hex}@example.org" for number in count(1))
"""Of nobody else, for others may use the same cluster at the same time."""


def push(sample: str, *, owner: str = "", revision: str = "1", **variables: object) -> Push:
    """Return the push of a sample's bundle; `variables` are told to all of its nodes."""
    ids = Ids(SolutionId(sample), RevisionId(revision))
    options = sample_options(sample) | (
        {"environment": {name: str(value) for name, value in variables.items()}} if variables else {}
    )
    bundle = built(read(ROOT / "samples" / sample, ids=ids), options)
    principal = Principal(owner or next(_OWNERS))
    return Push(principal, bundle.solution_name, ids, bundle.digest, bundle.sealed)


def until(runtime: Runtime, deployment: DeploymentId, *states: State) -> Deployment:
    """Wait until the deployment is in one of the states, and return it."""
    end, version = time.monotonic() + READY_SECONDS, 0
    while (found := runtime.get(deployment)).state not in states:
        assert time.monotonic() < end, found
        version = runtime.wait_changed(version, 1)
    return found


def eventually(found: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
    """Return what is found as soon as it is anything."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


def logged(runtime: Runtime, deployment: DeploymentId, node: str) -> bytes:
    """Return the whole log of a node."""
    return b"".join(runtime.logs(deployment, node, follow=False, since_seconds=None, tail=1_000_000))


def gone(runtime: Runtime, deployment: DeploymentId) -> bool:
    """Tell whether the runtime has forgotten it."""
    try:
        runtime.get(deployment)
    except NotFoundError:
        return True
    return False


class RuntimeContract:
    """The tests."""

    def test_it_can_make_deployments(self, runtime: Runtime) -> None:
        runtime.check()

        assert runtime.capacity().limit > 0

    def test_a_model_becomes_ready_and_has_no_orchestrator(self, runtime: Runtime) -> None:
        pushed = push("sentiment")
        deployment, is_new = runtime.create(pushed)

        ready = until(runtime, deployment.id, State.READY)

        assert is_new
        assert [(node.name, node.is_ready) for node in ready.nodes] == [("sentiment", True)]
        assert (ready.owner.id, ready.solution_name, ready.current) == (pushed.owner.id, "sentiment", 1)
        assert ready.id in [one.id for one in runtime.all()]
        with pytest.raises(NotFoundError):
            runtime.orchestrator(ready.id)
        with pytest.raises(NotFoundError):
            runtime.shared_folder(ready.id)
        runtime.delete(ready.id)

    def test_messages_of_a_pipeline_arrive_and_three_readers_follow_them(self, runtime: Runtime) -> None:
        deployment = runtime.create(push("sensor-stream", INTERVAL_MS=20))[0].id
        until(runtime, deployment, State.READY)
        seen: list[list[bytes]] = [[], [], []]

        def follow(into: list[bytes]) -> None:
            lines = runtime.logs(deployment, "dashboard", follow=True, since_seconds=None, tail=0)
            into.extend(islice((line for line in lines if b"reading_shown" in line), 5))

        readers = [threading.Thread(target=follow, args=(into,)) for into in seen]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(READY_SECONDS)

        assert [len(into) for into in seen] == [5, 5, 5]
        address, token = runtime.orchestrator(deployment)
        assert address.port > 0
        assert token is not None
        with pytest.raises(NotFoundError):
            runtime.logs(deployment, "no-such-node", follow=False, since_seconds=None, tail=1)
        runtime.delete(deployment)

    def test_a_job_ends_and_the_shared_folder_can_be_used(self, runtime: Runtime) -> None:
        deployment = runtime.create(push("word-count"))[0].id
        ready = until(runtime, deployment, State.READY)
        folder = runtime.shared_folder(deployment)

        assert {node.name: node.phase for node in ready.nodes}["seed"] == "completed"
        assert b"words" in b"".join(eventually(lambda: list(_report(folder))))
        folder.write("a/b/new.txt", iter([b"one ", b"two"]))
        assert b"".join(folder.read("a/b/new.txt")) == b"one two"
        names = [(entry.name, entry.is_folder) for entry in folder.entries("")]
        assert names[:2] == [("a", True), ("texts", True)]
        assert ("seed.txt", False) in names
        folder.remove("a")
        assert "a" not in [entry.name for entry in folder.entries("")]
        for path in ("../state.json", "/etc/passwd", "texts/../../x", "a//b", "texts/..", "a\0b"):
            with pytest.raises(InvalidRequestError):
                list(folder.read(path))
            with pytest.raises(InvalidRequestError):
                folder.write(path, iter([b"x"]))
        with pytest.raises(NotFoundError):
            list(folder.read("not-there.txt"))
        runtime.delete(deployment)

    def test_the_same_push_from_twenty_threads_is_one_deployment(self, runtime: Runtime) -> None:
        pushed = push("sentiment")

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: runtime.create(pushed), range(20)))

        assert len({deployment.id for deployment, _ in answers}) == 1
        assert sum(is_new for _, is_new in answers) == 1
        runtime.delete(answers[0][0].id)

    def test_the_same_bundle_of_another_owner_is_another_deployment(self, runtime: Runtime) -> None:
        pushed = push("sentiment")
        other = replace(pushed, owner=Principal(f"not-{pushed.owner.id}"))

        ids = [runtime.create(one)[0].id for one in (pushed, other)]

        assert ids[0] != ids[1]
        for deployment in ids:
            runtime.delete(deployment)

    def test_an_unknown_image_is_refused_by_its_name(self, runtime: Runtime) -> None:
        pushed = push("sentiment")
        files = {
            path: content.replace(b"slipway/sample-sentiment:1", b"evil.example.org/miner:6")
            for path, content in pushed.files.items()
        }

        with pytest.raises(SlipwayError) as refused:
            runtime.create(replace(pushed, files=files))

        (finding,) = refused.value.findings.errors  # type: ignore[attr-defined]  # InvalidSolutionError has them
        assert "evil.example.org/miner:6" in finding.found
        assert pushed.owner.id not in [one.owner.id for one in runtime.all()]

    def test_a_deployment_sleeps_and_wakes(self, runtime: Runtime) -> None:
        deployment = runtime.create(push("sentiment"))[0].id
        used = until(runtime, deployment, State.READY).used_at

        runtime.sleep(deployment)
        asleep = until(runtime, deployment, State.ASLEEP)
        eventually(lambda: not any(node.is_ready for node in runtime.get(deployment).nodes))
        runtime.wake(deployment)

        assert asleep.current == 1
        assert until(runtime, deployment, State.READY).used_at > used
        runtime.delete(deployment)

    def test_an_update_is_a_revision_and_a_rollback_another(self, runtime: Runtime) -> None:
        first = push("sentiment")
        second = replace(push("sentiment", revision="2", SEED=2), owner=first.owner)
        deployment = runtime.create(first)[0].id

        updated = runtime.update(deployment, second)
        files = runtime.files(deployment)
        rolled_back = runtime.rollback(deployment, 1)

        assert (updated.id, updated.current) == (deployment, 2)
        assert files == second.files
        assert [(one.number, one.digest) for one in rolled_back.revisions] == [
            (1, first.digest),
            (2, second.digest),
            (3, first.digest),
        ]
        assert rolled_back.current == 3
        assert runtime.files(deployment) == first.files
        assert until(runtime, deployment, State.READY).current == 3
        with pytest.raises(NotFoundError):
            runtime.rollback(deployment, 9)
        runtime.delete(deployment)

    def test_data_survive_all_but_the_explicit_choice(self, runtime: Runtime) -> None:
        pushed = push("word-count")
        deployment = runtime.create(pushed)[0].id
        until(runtime, deployment, State.READY)
        runtime.shared_folder(deployment).write("mine.txt", iter([b"mine"]))
        runtime.reset(deployment, data=False)
        runtime.update(deployment, replace(push("word-count", revision="2", SEED=3), owner=pushed.owner))
        runtime.sleep(deployment)
        runtime.wake(deployment)
        until(runtime, deployment, State.READY)

        assert b"".join(runtime.shared_folder(deployment).read("mine.txt")) == b"mine"

        runtime.reset(deployment, data=True)
        eventually(lambda: "mine.txt" not in _names(runtime, deployment))
        until(runtime, deployment, State.READY)
        assert eventually(lambda: "seed.txt" in _names(runtime, deployment))  # the job ran again
        runtime.delete(deployment)

    def test_what_is_deleted_is_gone_and_can_be_pushed_again(self, runtime: Runtime) -> None:
        pushed = push("sentiment")
        deployment = runtime.create(pushed)[0].id
        until(runtime, deployment, State.READY)

        runtime.delete(deployment)
        eventually(lambda: gone(runtime, deployment))
        again, is_new = runtime.create(pushed)

        assert is_new
        assert [one.number for one in again.revisions] == [1]
        runtime.delete(again.id)

    def test_changes_wake_who_waits_for_them(self, runtime: Runtime) -> None:
        version = runtime.wait_changed(0, 5)
        pushed = push("sentiment")
        began = time.monotonic()
        threading.Timer(0.1, lambda: runtime.create(pushed)).start()

        found = runtime.wait_changed(version, 20)

        assert found != version
        assert time.monotonic() - began < 10
        (deployment,) = eventually(lambda: [one.id for one in runtime.all() if one.owner == pushed.owner])
        assert eventually(lambda: runtime.events(deployment))
        runtime.delete(deployment)

    @pytest.mark.parametrize(
        "ask",
        [
            lambda runtime: runtime.get(NO_DEPLOYMENT),
            lambda runtime: runtime.files(NO_DEPLOYMENT),
            lambda runtime: runtime.update(NO_DEPLOYMENT, push("sentiment")),
            lambda runtime: runtime.rollback(NO_DEPLOYMENT, 1),
            lambda runtime: runtime.wake(NO_DEPLOYMENT),
            lambda runtime: runtime.sleep(NO_DEPLOYMENT),
            lambda runtime: runtime.restart(NO_DEPLOYMENT),
            lambda runtime: runtime.reset(NO_DEPLOYMENT, data=True),
            lambda runtime: runtime.delete(NO_DEPLOYMENT),
            lambda runtime: runtime.events(NO_DEPLOYMENT),
            lambda runtime: runtime.orchestrator(NO_DEPLOYMENT),
            lambda runtime: runtime.web_ui(NO_DEPLOYMENT, "x"),
            lambda runtime: runtime.shared_folder(NO_DEPLOYMENT),
            lambda runtime: runtime.logs(NO_DEPLOYMENT, "x", follow=True, since_seconds=None, tail=1),
        ],
    )
    def test_an_unknown_deployment_is_not_found(self, runtime: Runtime, ask: Callable[[Runtime], object]) -> None:
        with pytest.raises(NotFoundError):
            ask(runtime)


def _report(folder: Any) -> Iterator[bytes]:
    try:
        yield from folder.read("report.json")
    except NotFoundError:
        return


def _names(runtime: Runtime, deployment: DeploymentId) -> list[str]:
    return [entry.name for entry in runtime.shared_folder(deployment).entries("")]
