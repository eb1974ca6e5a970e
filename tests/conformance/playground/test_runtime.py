"""What the process runtime does beyond the contract: crashes, killed servers, the queue, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from support.leaks import leaked_since, open_things, state
from support.runtime_contract import eventually, gone, logged, push, until

from playground.runtime.deployment import DeploymentId, State
from playground.runtime.process import store
from playground.runtime.process.opening import opened
from playground.runtime.process.runtime import ProcessRuntime
from shared.errors import ConflictError, RateLimitedError, UnavailableError
from shared.processes import leftovers, ports

SERVER = """
import sys, time
from pathlib import Path
from playground.runtime.process.opening import opened
runtime = opened(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(600)
"""


@contextmanager
def runtime_in(folder: Path) -> Iterator[ProcessRuntime]:
    made = opened(folder)
    try:
        yield made
    finally:
        made.close()


def limited(folder: Path, **limits: int) -> Path:
    table = json.loads((folder / "images.json").read_bytes())
    (folder / "images.json").write_text(json.dumps(table | {"limits": limits}), encoding="utf-8")
    return folder


def living(folder: Path) -> list[int]:
    return list(leftovers.marked((folder / "mark").read_text(encoding="ascii")))


def process_of(folder: Path, node: str) -> int:
    """Return the process of a node: its home tells."""
    (found,) = [
        pid for pid in living(folder) if f"/homes/{node}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    ]
    return found


@pytest.fixture(scope="module")
def stream(runtime: ProcessRuntime) -> DeploymentId:
    """Give a pipeline through which messages flow."""
    deployment = runtime.create(push("sensor-stream", INTERVAL_MS=20))[0].id
    until(runtime, deployment, State.READY)
    eventually(lambda: b"reading_shown" in logged(runtime, deployment, "dashboard"))
    return deployment


def test_a_killed_node_is_started_again_and_counted(
    runtime: ProcessRuntime, module_folder: Path, stream: DeploymentId
) -> None:
    before = until(runtime, stream, State.READY)
    starts = logged(runtime, stream, "detector").count(b'"serving"')

    os.kill(process_of(module_folder, "detector"), signal.SIGKILL)
    until(runtime, stream, State.STARTING)
    event = runtime.events(stream)[-1]
    after = until(runtime, stream, State.READY)

    assert [(node.name, node.restarts) for node in after.nodes] == [
        (node.name, node.restarts + (node.name == "detector")) for node in before.nodes
    ]
    assert (event.node, event.is_warning) == ("detector", True)
    assert event.text.startswith("was killed by SIGKILL; its last words: {")
    eventually(lambda: logged(runtime, stream, "detector").count(b'"serving"') == starts + 1)


def test_one_node_is_restarted_alone(runtime: ProcessRuntime, stream: DeploymentId) -> None:
    before = {node.name: node for node in until(runtime, stream, State.READY).nodes}
    starts = logged(runtime, stream, "dashboard").count(b'"serving"')

    runtime.restart(stream, "dashboard")
    eventually(lambda: logged(runtime, stream, "dashboard").count(b'"serving"') == starts + 1)
    after = {node.name: node for node in until(runtime, stream, State.READY).nodes}

    assert [name for name in before if after[name].started_at != before[name].started_at] == ["dashboard"]
    assert after["dashboard"].restarts == before["dashboard"].restarts
    assert ports.answers(runtime.web_ui(stream, "dashboard").port)


def test_secrets_of_the_server_reach_no_node(
    runtime: ProcessRuntime, module_folder: Path, stream: DeploymentId
) -> None:
    until(runtime, stream, State.READY)
    _, token = runtime.orchestrator(stream)
    told = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in living(module_folder))
    names = {variable.partition(b"=")[0].decode() for variable in told.split(b"\0") if variable}
    arguments = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in living(module_folder))

    assert {name for name in names if not name.startswith(("SLIPWAY_", "LC_"))} <= {
        *("PATH", "LANG", "TZ", "HOME", "TMPDIR", "PYTHONUNBUFFERED", "HOST", "PORT", "WEB_UI_PORT", "INTERVAL_MS"),
    }
    assert token is not None
    assert token.reveal().encode() not in told + arguments
    assert (module_folder / "deployments").stat().st_mode & 0o077 == 0


def test_a_node_that_cannot_start_fails_in_words_and_is_tried_ever_more_rarely(folder: Path) -> None:
    code = "import sys; print('one'); sys.exit('two \\x1b[2J')"
    program = {"command": [sys.executable, "-c", code], "folder": "."}
    (folder / "images.json").write_text(
        json.dumps({"images": {"slipway/sample-sentiment:1": program}}), encoding="utf-8"
    )
    with runtime_in(folder) as runtime:
        deployment = runtime.create(push("sentiment"))[0].id

        failed = until(runtime, deployment, State.FAILED)

        assert failed.reason == "sentiment ended with status 1; its last words: one ⏎ two  [2J"
        crashes = [event.at for event in runtime.events(deployment) if event.is_warning]
        waits = [later - earlier for earlier, later in pairwise(crashes)]
        assert len(waits) == 3
        assert waits[2] > 1


def test_nothing_of_a_killed_server_lives_on_and_the_next_one_goes_on(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        deployment = runtime.create(push("sensor-stream", INTERVAL_MS=20))[0].id
        asleep = runtime.create(push("sentiment"))[0].id
        runtime.sleep(asleep)
        until(runtime, asleep, State.ASLEEP)
        before = runtime.get(deployment)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "open\n"
    eventually(lambda: len(living(folder)) == 4)

    server.kill()
    server.wait()
    server.stdout.close()
    eventually(lambda: not living(folder), seconds=10)

    with runtime_in(folder) as runtime:
        after = until(runtime, deployment, State.READY)
        assert (after.id, after.revisions, after.created_at) == (before.id, before.revisions, before.created_at)
        assert runtime.get(asleep).state is State.ASLEEP
        address, _ = runtime.orchestrator(deployment)
        assert ports.answers(address.port)


def test_what_left_its_group_is_ended_by_the_next_server(folder: Path) -> None:
    with runtime_in(folder):
        mark = (folder / "mark").read_text(encoding="ascii")
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={leftovers.VARIABLE: f"{mark}/some-deployment"},
        start_new_session=True,
    )

    with runtime_in(folder):
        assert orphan.wait(5) == -signal.SIGKILL


def test_only_one_server_has_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.runtime.process.store._LOCK_SECONDS", 0.1)
    with runtime_in(folder), pytest.raises(UnavailableError, match="another server"):
        opened(folder)


def test_more_than_may_run_wait_for_their_turn(folder: Path) -> None:
    limited(folder, running=2, runningPerOwner=1, keptPerOwner=2)
    with runtime_in(folder) as runtime:
        first = runtime.create(push("sentiment", owner="a"))[0].id
        second = runtime.create(push("sentiment", owner="a", revision="2"))[0].id
        until(runtime, first, State.READY)
        queued = until(runtime, second, State.QUEUED)
        other = runtime.create(push("sentiment", owner="b"))[0].id
        until(runtime, other, State.READY)

        eventually(lambda: runtime.get(second).reason.startswith("waits until one of its owner's 1 running"))
        capacity = runtime.capacity()
        assert queued.nodes[0].phase == "waiting"
        assert (capacity.deployments, capacity.limit, capacity.queued, capacity.per_owner_limit) == (3, 2, 1, 1)
        with pytest.raises(RateLimitedError):
            runtime.create(push("sentiment", owner="a", revision="3"))
        runtime.sleep(first)
        until(runtime, second, State.READY)
        runtime.wake(first)
        until(runtime, first, State.QUEUED)


def test_deleting_leaves_nothing(folder: Path) -> None:
    limited(folder)
    with runtime_in(folder) as runtime:
        before = min(open_things() for _ in range(1000))  # its thread may be looking into a folder just now
        deployment = runtime.create(push("word-count"))[0].id
        until(runtime, deployment, State.READY)
        assert len(living(folder)) == 4

        runtime.delete(deployment)
        assert gone(runtime, deployment) or runtime.get(deployment).state is State.DELETING
        eventually(lambda: gone(runtime, deployment))

        assert living(folder) == []
        eventually(lambda: not any((folder / "trash").iterdir()))
        assert list((folder / "deployments").iterdir()) == []
        assert leaked_since(before) == (0, 0)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    assert [pid for pid in children if state(int(pid)) == "Z"] == []


def test_what_is_being_deleted_cannot_be_changed(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        pushed = push("sentiment")
        deployment = runtime.create(pushed)[0].id
        runtime._bell.clear()
        with runtime._changed:  # so that nothing is removed meanwhile
            runtime.delete(deployment)

            assert runtime.get(deployment).state is State.DELETING
            for ask in (runtime.wake, runtime.sleep, runtime.restart, lambda _: runtime.create(pushed)):
                with pytest.raises(ConflictError):
                    ask(deployment)


def test_closing_leaves_no_thread_file_or_process(folder: Path) -> None:
    before = open_things()
    runtime = opened(folder)
    deployment = runtime.create(push("sentiment"))[0].id
    until(runtime, deployment, State.READY)

    runtime.close()

    assert leaked_since(before) == (0, 0)
    assert living(folder) == []
    with pytest.raises(UnavailableError):
        runtime.check()


def test_an_image_that_was_taken_from_the_table_fails_its_deployment_alone(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        taken = runtime.create(push("sentiment"))[0].id
        other = runtime.create(push("sensor-stream"))[0].id
    table = json.loads((folder / "images.json").read_bytes())
    del table["images"]["slipway/sample-sentiment:1"]
    (folder / "images.json").write_text(json.dumps(table), encoding="utf-8")

    with runtime_in(folder) as runtime:
        assert runtime.get(taken).state is State.FAILED
        assert "slipway/sample-sentiment:1" in runtime.get(taken).reason
        until(runtime, other, State.READY)
        runtime.delete(taken)
        eventually(lambda: gone(runtime, taken))


def test_a_state_that_cannot_be_read_stops_nobody_else(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        broken = runtime.create(push("sentiment"))[0].id
        sound = runtime.create(push("sentiment"))[0].id
    (folder / "deployments" / broken / "state.json").write_text("{", encoding="utf-8")
    (folder / "deployments" / "half-accepted" / "files").mkdir(parents=True)

    with runtime_in(folder) as runtime:
        assert [one.id for one in runtime.all()] == [sound]
        assert (folder / "deployments" / broken).is_dir()
        assert not (folder / "deployments" / "half-accepted").exists()


def test_a_promise_to_empty_the_data_outlives_the_server(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        deployment = runtime.create(push("word-count"))[0].id
        runtime.sleep(deployment)
        eventually(lambda: not runtime._places[deployment].is_alive)
        runtime.shared_folder(deployment).write("mine.txt", iter([b"mine"]))
    state = folder / "deployments" / deployment / "state.json"
    state.write_text(json.dumps(json.loads(state.read_bytes()) | {"empties_data": True}), encoding="utf-8")

    with runtime_in(folder) as runtime:
        eventually(lambda: runtime.shared_folder(deployment).entries("") == ())

        assert json.loads(eventually(state.read_bytes))["empties_data"] is False


def test_ids_are_labels_whatever_the_solution_is_called(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        for name in ("sentiment", "My Solution!", "../../x", "ü" * 80, "a" * 80, ""):
            deployment = runtime.create(replace(push("sentiment"), solution_name=name))[0].id

            assert len(deployment) <= 52
            assert deployment.isascii()
            assert "/" not in deployment
            assert DeploymentId(deployment) in [one.id for one in runtime.all()]


def test_a_deployment_whose_files_are_gone_fails_alone(folder: Path) -> None:
    with runtime_in(folder) as runtime:
        broken, foreign, sound = (runtime.create(push("sentiment"))[0].id for _ in range(3))
    next((folder / "deployments" / broken / "files").iterdir()).unlink()
    (folder / "deployments" / foreign).rename(folder / "deployments" / "another")

    with runtime_in(folder) as runtime:
        assert runtime.get(broken).state is State.FAILED
        assert runtime.get(broken).reason == "the files of revision 1 cannot be read"
        assert [one.id for one in runtime.all()] == [sound, broken]
        with pytest.raises(UnavailableError):
            runtime.files(broken)
        until(runtime, sound, State.READY)
        runtime.delete(broken)
        eventually(lambda: gone(runtime, broken))


@pytest.mark.parametrize("write", [1, 4, -1])
def test_a_push_that_meets_a_full_disk_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    pushed = push("sentiment")
    with runtime_in(folder) as runtime:
        left = iter(range(len(set(pushed.files.values())) if write < 0 else write))
        real = store.replace

        def full(path: Path, content: bytes) -> None:
            if next(left, None) is None:
                raise UnavailableError("the disk of the process runtime cannot be written now")
            real(path, content)

        monkeypatch.setattr(store, "replace", full)
        with pytest.raises(UnavailableError):
            runtime.create(pushed)
        monkeypatch.undo()

        assert runtime.all() == ()
        assert list((folder / "deployments").iterdir()) == []
        until(runtime, runtime.create(pushed)[0].id, State.READY)


def test_a_turn_that_cannot_be_written_down_is_taken_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(folder, running=1)
    with runtime_in(folder) as runtime:
        first, second = (runtime.create(push("sentiment"))[0].id for _ in range(2))
        until(runtime, first, State.READY)
        real, failures = store.replace, iter(range(1))

        def full(path: Path, content: bytes) -> None:
            if second in path.parts and next(failures, None) is not None:
                raise UnavailableError("the disk of the process runtime cannot be written now")
            real(path, content)

        monkeypatch.setattr(store, "replace", full)
        runtime.sleep(first)

        until(runtime, second, State.READY)
        runtime.check()
