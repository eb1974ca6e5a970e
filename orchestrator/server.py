"""Puts the engine behind its gRPC services, health and metrics, and takes everything down in order."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from orchestrator import autostart, dead_letters, metrics, namespace, tracing, trust
from orchestrator.addresses import HostRule
from orchestrator.admission import REQUEST_BYTES, Admission
from orchestrator.assembly import RunOptions
from orchestrator.budget import Budget
from orchestrator.connections import ConnectionOptions
from orchestrator.control import ControlServicer
from orchestrator.engine import Engine, EngineOptions
from orchestrator.metrics_server import MetricsServer
from orchestrator.servicer import GrapheneServicer
from orchestrator.settings import Settings
from shared.errors import SettingsError

_LOG = structlog.get_logger()
MAX_CONCURRENT_CALLS = 500
LEAST_TRACES_SECONDS = 0.5
"""For the last spans, where the drain has used up its grace."""
SERVICES = ("", "Orchestrator", "slipway.orchestrator.v1.Control")


class Server:
    """The orchestrator as a process serves it: `async with Server(settings) as server`."""

    def __init__(self, settings: Settings) -> None:
        self.engine = Engine(options(settings))
        self.port = 0
        """The port that was bound, once started."""
        self._settings = settings
        self._health = HealthServicer()
        self._metrics = MetricsServer(metrics.registry(self.engine))
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", REQUEST_BYTES),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
                ("grpc.http2.bdp_probe", 0),  # or the transport takes megabytes from who is not let in yet
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ],
            interceptors=[Admission()],
            maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS,
        )

    async def __aenter__(self) -> Self:
        self._server.add_generic_rpc_handlers(
            (GrapheneServicer(self.engine).handler, ControlServicer(self.engine, self._settings.token).handler)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._settings.reflection:
            reflection.enable_server_reflection([*SERVICES[1:], reflection.SERVICE_NAME], self._server)
        try:
            self.port = self._server.add_insecure_port(f"{self._settings.host}:{self._settings.port}")
        except RuntimeError as problem:
            raise SettingsError("SLIPWAY_PORT: expected a free port on SLIPWAY_HOST") from problem
        await self._serve_metrics()
        await self._server.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _LOG.info("listening", port=self.port)
        if self._settings.pipeline_directory is not None:
            await autostart.start(self.engine, self._settings.pipeline_directory, runs=self._settings.autostart)
        return self

    async def _serve_metrics(self) -> None:
        if not self._settings.metrics_port:
            return
        try:
            await self._metrics.start(self._settings.metrics_port)
        except OSError as problem:
            raise SettingsError("SLIPWAY_METRICS_PORT: expected a free port") from problem

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        until = time.monotonic() + self.engine.grace_seconds
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self.engine.drain()
        # Observers get the last events before their streams end.
        await asyncio.sleep(0.05)
        await self._server.stop(0.5)
        await self.engine.close()
        await self._metrics.close()
        if self.engine.traces is not None:
            await self.engine.traces.close(max(LEAST_TRACES_SECONDS, until - time.monotonic()))

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in SERVICES:
            await self._health.set(name, status)


def options(settings: Settings) -> EngineOptions:
    """Return the engine's options.

    Raises:
        SettingsError: the files for TLS do not fit together.
    """
    disk = Budget(settings.disk_bytes)
    disk.take(dead_letters.held(settings.folder / dead_letters.FOLDER))
    tls = trust.read(settings.tls_authority, settings.tls_certificate, settings.tls_key)
    connection = ConnectionOptions(settings.message_bytes, settings.keepalive_seconds, tls)
    run = RunOptions(
        settings.queue_messages,
        settings.queue_bytes,
        settings.deadline_seconds,
        settings.folder,
        Budget(settings.memory_bytes),
        disk,
    )
    rule = HostRule(settings.namespace or namespace.detect(), frozenset(map(str.lower, settings.node_hosts)))
    traces = tracing.begin(queue_spans=settings.trace_queue_spans) if settings.tracing else None
    return EngineOptions(connection, run, rule, settings.grace_seconds, traces)
