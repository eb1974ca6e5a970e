"""The server is killed while people push: what was acknowledged is there, once, and no process outlives its server.

`SLIPWAY_TEST_KILLS` names how often; `SLIPWAY_TEST_SEED` repeats a run whose seed a failure has shown.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.playground import ADA, EVE, OPERATOR, ZIP, zipped
from support.playground_server import Server, eventually, small_table

KILLS = int(os.environ.get("SLIPWAY_TEST_KILLS", "2"))
SEED = int(os.environ.get("SLIPWAY_TEST_SEED", str(random.randrange(10**6))))  # noqa: S311 - guards nothing
PUSHES = [
    ("sentiment", str(number), principal) for number in range(1, 10) for principal in [ADA if number % 2 else EVE]
] + [("word-count", "1", ADA)]
WORD_COUNT = ("writer", "counter", "reporter")
WAYS = (
    {"master": True, "workers": True},
    {"master": False, "workers": True},
    {"master": True, "workers": False},
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    images = [f"slipway/sample-{name}:1" for name in ("sentiment", *WORD_COUNT)]
    small_table(tmp_path, *images, jobs=("slipway/sample-seed:1",), runningPerOwner=10)
    made = Server(
        tmp_path,
        SLIPWAY_OPERATORS=OPERATOR,
        SLIPWAY_DRAIN_SECONDS="0",
        SLIPWAY_THREADS="16",
        SLIPWAY_PLAYGROUND_CHANGES_PER_MINUTE="0",
    )
    try:
        yield made
        made.stop()
    finally:
        made.process.kill()


class Pushing:
    """Pushes everything, each again and again until the server has said that it has it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: dict[tuple[str, str, str], str] = {}
        self.refusals: list[str] = []
        self.is_over = False
        """Nobody waits for it any more."""

    def run(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._push, PUSHES))

    def _push(self, one: tuple[str, str, str]) -> None:
        sample, revision, principal = one
        answer = self._asked("POST", "/v1/deployments", principal, zipped(sample, revision=revision))
        self.acknowledged[one] = answer.json()["id"]
        if revision == "1":
            # And these get another bundle, which must become one revision and not two.
            path = f"/v1/deployments/{self.acknowledged[one]}"
            self._asked("PUT", path, principal, zipped(sample, revision="again"))

    def _asked(self, method: str, path: str, principal: str, data: bytes) -> requests.Response:
        while not self.is_over:
            try:
                answer = self.server.ask(method, path, principal, data=data, headers=ZIP)
            except requests.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code < 300:
                return answer
            if answer.status_code != 503:
                self.refusals.append(answer.text)
                break
        raise AssertionError(self.refusals)


def test_a_server_that_is_killed_loses_nothing_doubles_nothing_and_leaves_nothing(server: Server) -> None:
    chance = random.Random(SEED)  # noqa: S311 - guards nothing
    pushing = Pushing(server)
    thread = threading.Thread(target=pushing.run)
    thread.start()
    try:
        kill(server, pushing, chance)
        thread.join(60)
    finally:
        pushing.is_over = True
        thread.join()

    assert pushing.refusals == []
    ids = list(pushing.acknowledged.values())
    assert len(set(ids)) == len(PUSHES), SEED
    found = eventually(lambda: all_ready(server))
    assert sorted(one["id"] for one in found) == sorted(ids), SEED
    revisions = {one["id"]: [each["revisionId"] for each in one["revisions"]] for one in found}
    assert revisions == {
        made: [revision, "again"] if revision == "1" else [revision]
        for (_, revision, _), made in pushing.acknowledged.items()
    }, SEED
    # Nine models, and the nodes and the orchestrator of a pipeline; its job has ended.
    assert sorted(server.processes().values()) == [1] * (9 + len(WORD_COUNT) + 1), SEED

    for one in found:
        server.ask("DELETE", f"/v1/deployments/{one['id']}?data=true", OPERATOR)
    eventually(lambda: not any((server.folder / "deployments").iterdir()))
    eventually(lambda: not any((server.folder / "trash").iterdir()))
    assert server.processes() == {}


def kill(server: Server, pushing: Pushing, chance: random.Random) -> None:
    """Kill the server again and again; whenever it is back, it knows what it had acknowledged."""
    for number in range(KILLS):
        eventually(lambda: server.status("/readyz") == 200)
        time.sleep(chance.uniform(0, 0.5))
        way = WAYS[number % len(WAYS)]
        server.kill(**way)
        if way["master"]:
            server.start()
        eventually(lambda: is_back(server), 60)
        acknowledged = set(pushing.acknowledged.values())
        # A worker whose master was killed still answers for a moment, and then no more.
        kept = {found["id"] for found in eventually(lambda: listed(server), 20)[0]}
        assert acknowledged - kept == set(), SEED


def is_back(server: Server) -> bool:
    """Do what a supervisor does until the server answers: a worker without a master may keep the port for a while."""
    if server.process.poll() is not None:
        server.start()
    return server.status("/readyz") == 200


def listed(server: Server) -> list[list[dict[str, object]]]:
    """Return the list of deployments, in a list; nothing where nobody answers."""
    try:
        answer = server.ask("GET", "/v1/deployments", OPERATOR)
    except requests.RequestException:
        return []
    return [answer.json()["deployments"]] if answer.status_code == 200 else []


def all_ready(server: Server) -> list[dict[str, object]]:
    """Return all deployments when every one of them is ready."""
    (found,) = listed(server) or ([],)
    return found if {one["state"] for one in found} == {"ready"} else []
