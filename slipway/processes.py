"""Starts the services of a platform as child processes, watches them, and ends exactly those again."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import UnavailableError
from slipway.platform import Platform, Service
from slipway.samples import write_programs

START_SECONDS = 30.0
STOP_SECONDS = 30.0  # a little more than the services' own grace of 25 s
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 15


class Running:
    """The started services; see `started`."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._children: dict[Service, subprocess.Popen[bytes]] = {}

    def start(self, service: Service) -> None:
        """Start one service; its output goes to its log."""
        log = self.platform.log(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._children[service] = subprocess.Popen(  # noqa: S603 - our own modules under our own interpreter
                [sys.executable, "-m", service.module],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.platform.environment(service),
                start_new_session=True,  # Ctrl-C is for us: we end the services in order
            )

    def wait_ready(self) -> None:
        """Wait until every service answers `/readyz`.

        Raises:
            UnavailableError: one ended, or is not ready in time; with the end of its log.
        """
        end = time.monotonic() + START_SECONDS
        for service in self._children:
            while not _is_ready(service):
                self.check()
                if time.monotonic() > end:
                    raise UnavailableError(
                        f"{service.name} is not ready after {START_SECONDS:.0f} s\n{self._tail(service)}"
                    )
                time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise UnavailableError when a service has ended."""
        for service, child in self._children.items():
            if child.poll() is not None:
                raise UnavailableError(f"{service.name} ended with status {child.returncode}\n{self._tail(service)}")

    def stop(self) -> None:
        """End every service gracefully, then by force."""
        for child in self._children.values():
            child.terminate()
        end = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _tail(self, service: Service) -> str:
        lines = self.platform.log(service).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])


@contextmanager
def started(platform: Platform) -> Iterator[Running]:
    """Start every service, wait until all are ready, and end them when the block ends however it ends.

    The catalog comes first: whoever asks it in vain for some time leaves it alone for a while.
    """
    running = Running(platform)
    write_programs(platform.programs)
    try:
        running.start(platform.catalog)
        running.wait_ready()
        for service in platform.services:
            if service != platform.catalog:
                running.start(service)
        running.wait_ready()
        yield running
    finally:
        running.stop()


def _is_ready(service: Service) -> bool:
    try:
        with urllib.request.urlopen(f"{service.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own http URL
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False
