"""Runs `docker` as a user would: the engine of the usual variables, programs in containers, and what is published."""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from support.solutions import ROOT

from shared.version import VERSION

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
# The driver is a program in the orchestrator's image.
SERVICES = tuple(name.removeprefix("slipway-") for name in SCRIPTS if name not in {"slipway", "slipway-driver"})
NODES = tuple(sorted(path.parent.name for path in ROOT.glob("samples/*/nodes/*/node.py")))
COMMAND_SECONDS = 1800  # the first build on a slow machine
POLL_SECONDS = 0.2
# As a cluster with a strict policy runs a container.
STRICT = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote to standard output and standard error."""

    status: int
    output: str


def run(*command: str, environment: Mapping[str, str] | None = None, seconds: float = COMMAND_SECONDS) -> Ended:
    """Run a command in the root of the repository."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    return Ended(done.returncode, done.stdout)


def base() -> str:
    """Return the image to build on: `SLIPWAY_BASE`, or what the recipes take by themselves."""
    return os.environ.get("SLIPWAY_BASE") or "python:3.13-slim"


def image(name: str) -> str:
    """Return the image of a service or of a sample's node."""
    return f"slipway/{name}:{VERSION}" if name in SERVICES else f"slipway/sample-{name}:1"


def docker(*arguments: str) -> str:
    """Return the output of a docker command that must succeed."""
    ended = run("docker", *arguments)
    assert ended.status == 0, f"docker {' '.join(arguments)}: status {ended.status}\n{ended.output}"
    return ended.output.strip()


def inspect(name: str) -> dict[str, Any]:
    """Return what the engine knows of an image or a container."""
    found: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return found


def python(name: str, program: str, *options: str) -> Any:
    """Run a Python program in an image, alone and with further options of `docker run`; return the JSON that it prints."""
    alone = ("--rm", "--network", "none", "--entrypoint", "python")
    return json.loads(docker("run", *alone, *options, image(name), "-c", program))


def published(container: str, port: int) -> str:
    """Return the base URL of a published port, as this machine reaches it."""
    return f"http://{docker('port', container, str(port)).splitlines()[0]}"


def wait_until(happened: Callable[[], bool], *, what: str, seconds: float) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"not after {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def call(
    method: str, url: str, *, token: str = "", body: bytes | None = None, content_type: str = "application/json"
) -> Answer:
    """Ask a service, as a program with a token does."""
    headers = {"Content-Type": content_type} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 - our own http URL
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, dict(refused.headers), refused.read())
