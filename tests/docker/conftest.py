"""The engine, the images of this checkout, and the platform that compose starts of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.compose import Platform
from support.containers import base, docker, inspect, run
from support.environments import environment

SIZES = pytest.StashKey[dict[str, int]]()
MIB = 1 << 20


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Find an engine, and compose."""
    try:
        found = [run("docker", "version", seconds=30), run("docker", "compose", "version", seconds=30)]
        missing = "\n".join(ended.output for ended in found if ended.status)
    except (OSError, subprocess.SubprocessError) as problem:
        missing = str(problem)
    if missing:
        message = f"no Docker engine with compose answers (DOCKER_HOST, or the usual socket): {missing}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> None:
    """Build every image, as a user does."""
    built = run("make", "images", f"BASE={base()}")
    assert built.status == 0, built.output[-5000:]
    names = docker("images", "--filter", "reference=slipway/*", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    sizes = {name: inspect(name)["Size"] for name in [base(), *sorted(names)]}
    request.config.stash[SIZES] = sizes


@pytest.fixture(scope="session")
def platform(images: None) -> Iterator[Platform]:  # noqa: ARG001 - they have to be there
    """Start the platform; its volumes go when the tests are over."""
    started = Platform(f"slipway-test-{os.getpid()}")
    try:
        started.start()
        yield started
    finally:
        started.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="session")
def hadolint() -> Path:
    """Install the linter of Dockerfiles."""
    try:
        return environment("docker", Path(__file__).parent / "requirements.txt") / "hadolint"
    except (subprocess.SubprocessError, OSError) as problem:
        message = f"cannot install hadolint: {problem}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how large the images are."""
    sizes = config.stash.get(SIZES, {})
    if sizes:
        terminalreporter.section("sizes of the images")
    for name, size in sizes.items():
        above = (size - sizes[base()]) / MIB
        terminalreporter.write_line(f"{name:40} {size / MIB:6.0f} MiB, {above:4.0f} MiB of them on top of the base")
