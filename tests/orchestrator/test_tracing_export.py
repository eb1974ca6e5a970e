"""Spans leave without holding a message back, whatever the collector does; off, nothing of it is there."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import structlog
from prometheus_client import generate_latest
from support.otlp import Collector, collecting
from support.pipelines import Pipeline, completed, served

from orchestrator import metrics, tracing
from shared.errors import SettingsError

pytestmark = pytest.mark.conformance


@pytest.fixture
def collector(monkeypatch) -> Iterator[Collector]:
    with collecting() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield running


@pytest.fixture
def nobody(monkeypatch) -> Iterator[None]:
    """Name an endpoint where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{held.getsockname()[1]}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield


def three(pipeline: Pipeline, **more: object) -> Pipeline:
    pipeline.op("src", "uu", "source", **more).op("map", "uu", "echo").op("snk", "uu", "sink")
    return pipeline.edge("src", "map", "snk")


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)


def events(logs: list, name: str) -> list:
    return [event for event in logs if event["event"] == name]


@pytest.mark.usefixtures("nobody")
def test_a_collector_that_is_gone_costs_no_message_and_one_line(pipeline, tmp_path):
    with structlog.testing.capture_logs() as logs:
        run = completed(three(pipeline), tmp_path, iterations=300, SLIPWAY_TRACING="true")

    assert (run.state, run.account.delivered, run.account.undelivered) == ("completed", 600, 0)
    (line,) = [event for event in logs if event["event"].startswith("traces")]
    assert (line["event"], line["spans"]) == ("traces_lost", 900)
    assert "Connection refused" in line["reason"]


def test_a_collector_that_hangs_holds_up_neither_messages_nor_the_loop(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "20")
    collector.open.clear()
    three(pipeline).prepare()
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - before)

    async def scenario() -> tuple[int, float]:
        async with served(tmp_path, SLIPWAY_TRACING="true", SLIPWAY_GRACE_SECONDS="0") as server:
            await server.engine.initialize(pipeline.configuration(iterations=200))
            beating = asyncio.create_task(beat())
            run = await server.engine.run("")
            await run.ended()
            beating.cancel()
            assert await asyncio.to_thread(collector.asked.wait, 10)
            ending = time.perf_counter()
        return run.account.delivered, time.perf_counter() - ending

    delivered, seconds = asyncio.run(scenario())

    assert delivered == 400
    # A request of the exporter on the loop would have taken its 20 seconds.
    assert longest < 2
    assert seconds < 5


def test_what_finds_the_queue_full_is_dropped_and_counted(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "20")
    collector.open.clear()
    three(pipeline).prepare()

    async def scenario() -> tuple[dict[str, int], str]:
        async with served(tmp_path, SLIPWAY_TRACING="true", OTEL_BSP_MAX_QUEUE_SIZE="20") as server:
            await server.engine.initialize(pipeline.configuration(iterations=100))
            await (await server.engine.run("")).ended()
            collector.open.set()
            shown = generate_latest(metrics.registry(server.engine)).decode()
        return server.engine.traces.counts, shown

    counts, shown = asyncio.run(scenario())

    # At most one batch was on its way while twenty spans waited.
    assert 20 <= counts["sent"] <= 30
    assert counts == {"sent": len(collector.spans), "dropped": 300 - len(collector.spans), "lost": 0}
    assert f'slipway_trace_spans_total{{fate="dropped"}} {counts["dropped"]}.0' in shown


def test_a_collector_that_comes_back_gets_the_next_spans(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    collector.status = 400
    three(pipeline).prepare()

    async def scenario() -> dict[str, int]:
        async with served(tmp_path, SLIPWAY_TRACING="true") as server:
            await server.engine.initialize(pipeline.configuration(iterations=20))
            await (await server.engine.run("")).ended()
            await asyncio.to_thread(wait_for, lambda: server.engine.traces.counts["lost"] == 60)
            collector.status = 200
            await (await server.engine.run("")).ended()
        return server.engine.traces.counts

    with structlog.testing.capture_logs() as logs:
        counts = asyncio.run(scenario())

    assert counts == {"sent": 60, "dropped": 0, "lost": 60}
    (line,) = events(logs, "traces_not_delivered")
    assert "400" in line["reason"]
    assert [event["lost"] for event in events(logs, "traces_delivered_again")] == [60]


def test_the_last_spans_are_sent_before_the_end(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")

    completed(three(pipeline), tmp_path, iterations=2, SLIPWAY_TRACING="true")

    assert len(collector.spans) == 6


def test_the_environment_names_the_service(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "quality-control")

    completed(three(pipeline), tmp_path, iterations=1, SLIPWAY_TRACING="true")

    assert {span.service for span in collector.spans} == {"quality-control"}


def test_the_environment_chooses_the_sampler(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    completed(three(pipeline), tmp_path, iterations=1, SLIPWAY_TRACING="true")

    (told,) = pipeline.host.about()["metadata"][pipeline.paths["snk"]]
    assert (collector.spans, int(told.rpartition("-")[2], 16) & 1) == ([], 0)


def test_a_disabled_sdk_tells_nobody_anything(pipeline, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    run = completed(three(pipeline), tmp_path, iterations=1, SLIPWAY_TRACING="true")

    assert (run.state, collector.spans) == ("completed", [])
    assert pipeline.host.about()["metadata"].get(pipeline.paths["snk"], []) == []


def test_off_no_call_carries_a_trace_and_no_metric_is_shown(pipeline, tmp_path):
    run = completed(three(pipeline), tmp_path, iterations=1)

    assert run.tracer is None
    assert pipeline.host.about()["metadata"].get(pipeline.paths["snk"], []) == []


def test_a_queue_that_is_smaller_than_a_batch_stops_the_start(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512")

    with pytest.raises(SettingsError, match=r"^OTEL_\*: max_export_batch_size must be"):
        tracing.begin(queue_spans=100)


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


SERVE = """
import asyncio, pathlib, sys, tempfile
from orchestrator.server import Server
from orchestrator.settings import Settings
from shared import settings, telemetry
telemetry.configure_logs()
environ = {"SLIPWAY_HOST": "127.0.0.1", "SLIPWAY_PORT": "0", "SLIPWAY_METRICS_PORT": "0"}
async def serve():
    with tempfile.TemporaryDirectory() as folder:
        async with Server(settings.load(Settings, {**environ, "SLIPWAY_DATA_DIRECTORY": folder, **more})):
            pass
"""


def test_off_nothing_of_opentelemetry_is_imported():
    program = (
        f"more = {{}}\n{SERVE}\nasyncio.run(serve())\nprint([n for n in sys.modules if n.startswith('opentelemetry')])"
    )

    assert python(program) == "[]"


def test_without_the_extra_the_start_says_what_is_missing():
    program = f"""more = {{"SLIPWAY_TRACING": "true"}}\n{SERVE}
from shared.errors import SettingsError
sys.modules["opentelemetry"] = None
try:
    asyncio.run(serve())
except SettingsError as problem:
    print(problem)
"""

    assert python(program) == "SLIPWAY_TRACING: expected the extra `tracing` to be installed"
