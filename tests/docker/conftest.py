"""The engine, the images of this checkout, and the platform that compose starts of them, with a folder and with S3."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support import object_store
from support.compose import Platform, Times
from support.containers import NODES, SERVICES, base, docker, image, inspect, run
from support.environments import environment

SIZES = pytest.StashKey[dict[str, int]]()
MIB = 1 << 20

Started = tuple[Platform, Mapping[str, Times]]
"""A platform, and the times of its first start: what runs only once runs again at the next."""


def _missing(message: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Find an engine, and compose."""
    try:
        found = [run("docker", "version", seconds=30), run("docker", "compose", "version", seconds=30)]
        missing = "\n".join(ended.output for ended in found if ended.status)
    except (OSError, subprocess.SubprocessError) as problem:
        missing = str(problem)
    if missing:
        _missing(f"no Docker engine with compose answers (DOCKER_HOST, or the usual socket): {missing}")


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> None:
    """Build every image, as a user does."""
    built = run("make", "images", f"BASE={base()}")
    assert built.status == 0, built.output[-5000:]
    names = [base(), *(image(name) for name in (*SERVICES, *NODES))]
    request.config.stash[SIZES] = {name: inspect(name)["Size"] for name in names}


@pytest.fixture(scope="session")
def started(images: None) -> Iterator[Started]:  # noqa: ARG001 - they have to be there
    """Start the platform; its volumes go when the tests are over."""
    yield from _running(Platform(f"slipway-test-{os.getpid()}"))


@pytest.fixture(scope="session")
def platform(started: Started) -> Platform:
    """Return the platform, which runs."""
    return started[0]


@pytest.fixture(scope="session")
def started_on_s3(images: None, object_store_image: str) -> Iterator[Started]:  # noqa: ARG001 - as above
    """Start the platform with the profile `s3`."""
    variables = {"SLIPWAY_S3_IMAGE": object_store_image}
    yield from _running(Platform(f"slipway-test-s3-{os.getpid()}", ("--profile", "s3"), variables))


@pytest.fixture(scope="session")
def platform_on_s3(started_on_s3: Started) -> Platform:
    """Return the platform with the profile `s3`, which runs."""
    return started_on_s3[0]


def _running(platform: Platform) -> Iterator[Started]:
    try:
        platform.start()
        yield platform, platform.times()
    finally:
        platform.remove()


@pytest.fixture(scope="session")
def object_store_image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the image of the S3 server: the one that SLIPWAY_S3_IMAGE names, or the same server built here from its Go module."""
    named = os.environ.get("SLIPWAY_S3_IMAGE")
    if named:
        return named
    try:
        folder = object_store.build(tmp_path_factory.mktemp("s3"))
    except (subprocess.SubprocessError, OSError) as problem:
        _missing(f"cannot build the S3 server (is Go there?); SLIPWAY_S3_IMAGE may name an image of it: {problem}")
    recipe = str(object_store.MODULE / "Dockerfile")
    docker("build", "--file", recipe, "--build-arg", f"BASE={base()}", "--tag", object_store.IMAGE, str(folder))
    return object_store.IMAGE


@pytest.fixture(scope="session")
def hadolint() -> Path:
    """Install the linter of Dockerfiles."""
    try:
        return environment("docker", Path(__file__).parent / "requirements.txt") / "hadolint"
    except (subprocess.SubprocessError, OSError) as problem:
        _missing(f"cannot install hadolint: {problem}")
        raise


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how large the images are."""
    sizes = config.stash.get(SIZES, {})
    if sizes:
        terminalreporter.section("sizes of the images")
    for name, size in sizes.items():
        above = (size - sizes[base()]) / MIB
        terminalreporter.write_line(f"{name:40} {size / MIB:6.0f} MiB, {above:4.0f} MiB of them on top of the base")
