"""Strangers at the orchestrator's own port: each is limited with a clear answer, and its own client is served meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.orchestrator_process import peak_mib, process
from support.raw_node import PREFACE

from shared.orchestration.generated import control_pb2, orchestrator_pb2
from shared.orchestration.generated.control_pb2_grpc import ControlStub
from shared.orchestration.generated.orchestrator_pb2_grpc import OrchestratorStub

Served = tuple[subprocess.Popen[str], int]
PROTO = 'syntax = "proto3"; package p; message Item { int64 id = 1; } service S { rpc run(Item) returns (Item); }'
OWN_POOL = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
"""Every channel has a connection of its own."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with process(tmp_path_factory.mktemp("orchestrator")) as running:
        yield running


def answers(port: int) -> bool:
    """Ask for the status as any client does."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OWN_POOL) as channel:
        return bool(OrchestratorStub(channel).get_status(orchestrator_pb2.RunLabel(), timeout=5).success)


def crowd(
    port: int, count: int, call: Callable[[grpc.aio.Channel], Awaitable[Any]], *, ended: int
) -> tuple[Counter[str], bool]:
    """Make so many calls at once over ten connections, and wait until as many as are to end have ended.

    Return how they ended, and whether a client is answered while the others go on.
    """
    ends: Counter[str] = Counter()

    async def one(channel: grpc.aio.Channel) -> None:
        try:
            await call(channel)
        except grpc.aio.AioRpcError as failure:
            ends[f"{failure.code().name}: {failure.details()}"] += 1

    async def main() -> bool:
        channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OWN_POOL) for _ in range(10)]
        tasks = [asyncio.create_task(one(channels[number % 10])) for number in range(count)]
        async with asyncio.timeout(30):
            for end in itertools.islice(asyncio.as_completed(tasks), ended):
                await end
        await asyncio.sleep(0.2)  # in which what is too many would end
        is_answered = await asyncio.to_thread(answers, port)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in channels:
            await channel.close()
        return is_answered

    return ends, asyncio.run(main())


@pytest.mark.parametrize(
    "garbage",
    [
        os.urandom(100_000),
        b"GET / HTTP/1.1\r\nHost: orchestrator\r\n\r\n",
        bytes.fromhex("1603010200010001fc0303") + os.urandom(500),
        PREFACE[:10],
        PREFACE + os.urandom(100_000),
        PREFACE + bytes(1_000_000),
    ],
    ids=["random", "HTTP/1.1", "TLS", "half a preface", "random frames", "zeros"],
)
def test_garbage_ends_nothing_but_its_own_connection(served: Served, garbage: bytes):
    running, port = served
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                connection.sendall(garbage)
            except OSError:
                continue

    assert answers(port)
    assert running.poll() is None


def test_a_thousand_silent_connections_cost_little(served: Served):
    running, port = served
    before = peak_mib(running)

    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
    for connection in connections[::2]:
        connection.sendall(PREFACE + bytes.fromhex("000000040000000000"))
    is_answered = answers(port)
    for connection in connections:
        connection.close()

    assert is_answered
    assert answers(port)
    assert peak_mib(running) - before < 60


def test_a_crowd_of_observers_is_limited(served: Served):
    async def observe(channel: grpc.aio.Channel) -> None:
        await OrchestratorStub(channel).observe(orchestrator_pb2.OrchestrationObservationConfiguration()).read()

    ends, is_answered = crowd(served[1], 300, observe, ended=200)

    assert ends == {"RESOURCE_EXHAUSTED: expected at most 100 calls of /Orchestrator/observe at once": 200}
    assert is_answered


def test_a_crowd_at_one_method_leaves_the_others_free(served: Served):
    async def watch(channel: grpc.aio.Channel) -> None:
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        while await call.read() is not grpc.aio.EOF:
            continue

    ends, is_answered = crowd(served[1], 700, watch, ended=660)

    refused = ends["RESOURCE_EXHAUSTED: expected at most 40 calls of /grpc.health.v1.Health/Watch at once"]
    # What comes while the first are being refused may meet the limit of the whole server.
    assert refused + ends["RESOURCE_EXHAUSTED: Concurrent RPC limit exceeded!"] == 660
    assert is_answered


def test_large_requests_at_once_take_little_memory(tmp_path):
    large = "a" * (31 << 20)

    async def initialize(channel: grpc.aio.Channel) -> None:
        await OrchestratorStub(channel).initialize(
            orchestrator_pb2.OrchestrationConfiguration(protofiles={"a.proto": large})
        )

    async def get_status(channel: grpc.aio.Channel) -> None:
        await OrchestratorStub(channel).get_status(orchestrator_pb2.RunLabel(label=large))

    with process(tmp_path) as (running, port):
        _, is_answered = crowd(port, 8, initialize, ended=8)
        ends, is_still_answered = crowd(port, 10, get_status, ended=10)
        most = peak_mib(running)

    assert (is_answered, is_still_answered) == (True, True)
    assert set(ends) == {"INVALID_ARGUMENT: expected a request of at most 65536 bytes, found 32505861"}
    assert most < 350


# --- what initialize refuses


def op(name: str, to: tuple[str, ...] = ()) -> dict[str, Any]:
    signature = {"operation_name": name, "input_message_name": "Item", "output_message_name": "Item"}
    targets = [{"container_name": target, "operation_signature": {"operation_name": "run"}} for target in to]
    return {"operation_signature": signature, "connected_to": targets}


def blueprint(names: list[str], **more: Any) -> str:
    nodes = [
        {"container_name": name, "node_type": "MLModel", "image": "e.org/n:1", "operation_signature_list": [op("run")]}
        for name in names
    ]
    return json.dumps({"name": "t", "version": "1", "nodes": nodes, **more})


def dockerinfo(names: list[str], host: str = "127.0.0.1") -> str:
    entries = [{"container_name": name, "ip_address": host, "port": 1} for name in names]
    return json.dumps({"docker_info_list": entries})


MANY = [f"n{number}" for number in range(20_000)]
ONE = {"blueprint": blueprint(["a"]), "dockerinfo": dockerinfo(["a"]), "protofiles": {"a.proto": PROTO}}
NESTED = PROTO + "".join(f"message M{depth} {{" for depth in range(5000)) + "}" * 5000
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "100,000 nodes": (ONE | {"blueprint": blueprint(MANY * 5)}, "error: $: expected at most 2097152 bytes"),
    "20,000 nodes": (
        ONE | {"blueprint": json.dumps({"nodes": [{"container_name": name} for name in MANY]})},
        "error: $.nodes: expected at most 500 nodes",
    ),
    "deep": (ONE | {"blueprint": "[" * 1_000_000}, "error: $: expected at most"),
    "deep addresses": (
        ONE | {"dockerinfo": '{"docker_info_list":' + "[" * 300_000 + "]" * 300_000 + "}"},
        "error: dockerinfo.json $: expected dockerinfo.json",
    ),
    "long number": (
        ONE | {"dockerinfo": '{"docker_info_list": [{"port": ' + "9" * 5000 + "}]}"},
        "error: dockerinfo.json $: expected dockerinfo.json",
    ),
    "foreign addresses": (
        ONE | {"dockerinfo": dockerinfo(MANY[:10_000], host="10.0.0.1")},
        "error: dockerinfo.json $.docker_info_list[0]: expected this machine",
    ),
    "unknown policies": (
        ONE | {"blueprint": blueprint(["a"], orchestration={"operations": {name: {} for name in MANY}})},
        "error: $.orchestration.operations: expected the name of one of the operations",
    ),
    "large proto": (ONE | {"protofiles": {"a.proto": PROTO + " " * (256 << 10)}}, "error: microservice/a.proto: "),
    "nested messages": (ONE | {"protofiles": {"a.proto": NESTED}}, "error: microservice/a.proto: "),
    "imports of itself": (
        ONE | {"protofiles": {"a.proto": PROTO.replace("package", 'import "a.proto"; package')}},
        "error: microservice/a.proto: ",
    ),
    "imports of the machine": (
        ONE | {"protofiles": {"a.proto": PROTO.replace("package", 'import "/etc/passwd"; package')}},
        "error: microservice/a.proto: ",
    ),
    "half characters": (
        ONE | {"blueprint": r'{"name": "\ud800", "nodes": [{"container_name": "\ud800"}]}'},
        "error: $.name: expected whole characters",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pipeline_is_refused_soon_and_in_few_words(served: Served, name: str):
    hostile, words = HOSTILE[name]
    running, port = served
    started = time.monotonic()

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OWN_POOL) as channel:
        status = OrchestratorStub(channel).initialize(
            orchestrator_pb2.OrchestrationConfiguration(**hostile), timeout=20
        )

    assert (status.success, status.code) == (False, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    assert status.message.startswith(words)
    assert len(status.message) < 100_000
    assert time.monotonic() - started < 5
    assert (running.poll(), answers(port)) == (None, True)


def test_names_of_files_become_no_paths(served: Served, tmp_path):
    bait = tmp_path / "bait.proto"
    names = ["../../../../../../.." + str(bait), str(bait), "a" * 100_000 + ".proto", "\0", "."]
    request = orchestrator_pb2.OrchestrationConfiguration(**ONE)
    for name in names:
        request.protofiles[name] = PROTO

    with grpc.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        status = OrchestratorStub(channel).initialize(request, timeout=20)

    assert status.success
    assert not bait.exists()


@pytest.mark.parametrize("label", ["l" * 201, "l" * 60_000])
def test_a_long_label_is_refused(served: Served, label: str):
    with grpc.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        OrchestratorStub(channel).initialize(orchestrator_pb2.OrchestrationConfiguration(**ONE))
        status = OrchestratorStub(channel).run(orchestrator_pb2.RunLabel(label=label))

    assert (status.success, status.code) == (False, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    assert status.message == f"label: expected at most 200 characters, found {len(label)}"


def test_there_are_only_so_many_labels(tmp_path):
    with process(tmp_path) as (_, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        OrchestratorStub(channel).initialize(orchestrator_pb2.OrchestrationConfiguration(**ONE))
        for number in range(100):
            OrchestratorStub(channel).run(orchestrator_pb2.RunLabel(label=str(number)))
        status = OrchestratorStub(channel).run(orchestrator_pb2.RunLabel(label="one more"))
        runs = ControlStub(channel).ListRuns(control_pb2.ListRunsRequest()).runs

    assert (status.success, status.code) == (False, grpc.StatusCode.UNAVAILABLE.value[0])
    assert status.message == "expected at most 100 labels"
    assert len(runs) == 100


@pytest.mark.parametrize("pattern", ["(.{30}){30}", "(a+)+$", "|".join("abc" * 80), "(.*)(.*)(.*)[ab]" * 40])
def test_a_costly_pattern_costs_an_observer_nothing(served: Served, pattern: str):
    with grpc.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        started = time.monotonic()
        watching = orchestrator_pb2.OrchestrationObservationConfiguration(name_regex=pattern, component_regex=pattern)
        call = OrchestratorStub(channel).observe(watching)
        call.initial_metadata()
        OrchestratorStub(channel).initialize(orchestrator_pb2.OrchestrationConfiguration(**ONE))
        seconds = time.monotonic() - started
        call.cancel()

    assert seconds < 2
