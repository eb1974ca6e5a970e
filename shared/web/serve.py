"""Runs a service under gunicorn, configured in code: threads, limits, graceful end, metrics on a port of their own.

The master forks workers, serves the metrics of all of them, and on SIGTERM first lets `/readyz` say no, so that nobody
sends new requests, before it lets the workers finish.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from shared import telemetry
from shared.errors import SettingsError
from shared.settings import load, table
from shared.tokens import MAX_TOKEN_CHARACTERS
from shared.web.health import DRAINING
from shared.web.master import Draining, Log, Master
from shared.web.settings import WebSettings
from shared.web.worker import Worker

log = structlog.get_logger(__name__)

GRACE_SECONDS = 25  # Kubernetes kills after 30; draining comes before
WORKER_TIMEOUT = 60  # seconds without a sign of life from a worker's main loop, not of a request
KEEPALIVE_SECONDS = 75  # longer than the idle time of usual proxies, which would otherwise race our close
BACKLOG = 256


class ServiceSettings(Protocol):
    """The settings of a service; `web` is the section that this module needs."""

    @property
    def web(self) -> WebSettings:
        """What `shared.web` needs."""
        ...


S = TypeVar("S", bound=ServiceSettings)


def main(name: str, settings_type: type[S], prepare: Callable[[S], Callable[[], Flask]]) -> None:
    """Read the settings from the environment and serve; exit with 2 and a line that names them when they are wrong.

    Args:
        name: the service, such as `kubernetes-client`.
        settings_type: a dataclass for `shared.settings.load`.
        prepare: checks what must hold before the first request, in the master; returns what makes the application, in
            every worker.
    """
    argparse.ArgumentParser(
        prog=f"slipway-{name}",
        description="Configured by its environment:",
        epilog=table(settings_type),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        settings = load(settings_type, os.environ)
        telemetry.configure_logs(level=settings.web.log_level)
        create_app = prepare(settings)
    except SettingsError as problem:
        sys.stderr.write(f"slipway-{name}: {problem}\n")
        sys.exit(problem.exit_code)
    run(create_app, name=name, settings=settings.web)


def run(create_app: Callable[[], Flask], *, name: str, settings: WebSettings) -> None:
    """Serve until SIGTERM or SIGINT, then answer `/readyz` with 503, drain, and exit with 0. Does not return.

    Args:
        create_app: called once in every worker process, after the fork.
        name: the service, for logs and the process title.
        settings: where to listen and how much to take on.
    """
    telemetry.configure_logs(level=settings.log_level)
    counts = tempfile.mkdtemp(prefix="slipway-metrics-")
    # prometheus_client reads this at its import, which telemetry.Metrics puts off until a worker asks for it.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    master = os.getpid()
    try:
        _Application(create_app, name, settings).run()
    finally:
        if os.getpid() == master:
            shutil.rmtree(counts, ignore_errors=True)


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn asks: the configuration, and the WSGI application of a worker."""

    def __init__(self, create_app: Callable[[], Flask], name: str, settings: WebSettings) -> None:
        self._create_app = create_app
        self._name = name
        self._settings = settings
        self.draining = Draining()
        super().__init__()

    def load_config(self) -> None:
        """Set everything that differs from gunicorn's defaults; the environment and files have no say."""
        for key, value in _options(self._name, self._settings).items():
            # The control socket came with gunicorn 25.
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Flask:
        """Make the application of one worker."""
        app = self._create_app()
        app.extensions[DRAINING] = self.draining
        return app

    def run(self) -> None:
        """Run the master."""
        try:
            Master(self, draining=self.draining, drain_seconds=self._settings.drain_seconds).run()
        except RuntimeError as problem:
            # An address is taken or not ours: no traceback helps.
            log.error("server_failed", detail=str(problem))  # noqa: TRY400
            sys.exit(1)


def _options(name: str, settings: WebSettings) -> dict[str, Any]:
    return {
        "bind": settings.bind,
        "proc_name": f"slipway-{name}",
        "worker_class": Worker,
        "workers": settings.workers,
        "threads": settings.threads,
        "timeout": WORKER_TIMEOUT,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": KEEPALIVE_SECONDS,
        "backlog": BACKLOG,
        "limit_request_line": 8190,  # gunicorn's most: a token may stand in the query of Graphene's routes
        "limit_request_fields": 64,
        "limit_request_field_size": MAX_TOKEN_CHARACTERS + 1024,
        # Which proxies are believed is decided once, in shared.web.application.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "logger_class": Log,
        "control_socket_disable": True,
        "when_ready": lambda _master: _serve_metrics(settings.metrics_bind),
        "child_exit": lambda _master, worker: _forget_worker(worker.pid),
    }


def _serve_metrics(bind: str) -> None:
    """Serve the metrics of all workers from a thread of the master."""
    if bind == "off":
        return
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - see telemetry.Metrics
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    host, _, port = bind.rpartition(":")
    try:
        start_http_server(int(port), addr=host.strip("[]"), registry=registry)
    except OSError as problem:
        raise RuntimeError(f"SLIPWAY_METRICS_BIND: {problem}") from problem


def _forget_worker(pid: int) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - see telemetry.Metrics

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
