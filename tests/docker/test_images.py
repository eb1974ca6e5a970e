"""The images of the services, looked at from inside, confined as strictly as a cluster may confine them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from support.containers import SERVICES, STRICT, base, docker, image, inspect, python, run, wait_until
from support.solutions import ROOT

pytestmark = pytest.mark.usefixtures("images")

MIB = 1 << 20
MOST_MIB = 100  # on top of the base: a service that needs more has grown something that belongs elsewhere
HEALTHY_SECONDS = 60
STOP_SECONDS = "30"

every_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture
def container(service: str) -> Iterator[str]:
    """Start the service without a setting, confined; a service that needs settings gets the least."""
    variables = {
        "SLIPWAY_JWT_SECRET": "x" * 32,
        "SLIPWAY_CATALOG_STORE": "folder:/tmp/solutions",
        "SLIPWAY_CATALOG_CDS_USER": "slipway",
        "SLIPWAY_CATALOG_CDS_PASSWORD": "y" * 32,
        "SLIPWAY_PERSISTENCE": "folder:/tmp",
        "SLIPWAY_ORCHESTRATOR_IMAGE": "slipway/orchestrator:1",
    }
    settings = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    name = docker("run", "--detach", *STRICT, "--network", "none", "--health-interval", "1s", *settings, image(service))
    yield name
    docker("rm", "--force", "--volumes", name)


@every_service
def test_a_service_is_nobody_in_particular(service: str) -> None:
    assert inspect(image(service))["Config"]["User"] == "10001:10001"
    assert python(service, "import os; print([os.getuid(), os.getgid()])") == [10001, 10001]


@every_service
def test_a_service_is_healthy_with_a_read_only_root_and_no_capabilities(service: str, container: str) -> None:
    wait_until(
        lambda: inspect(container)["State"]["Health"]["Status"] == "healthy",
        what=f"{service} is healthy",
        seconds=HEALTHY_SECONDS,
    )


@every_service
def test_a_service_ends_by_itself_when_it_is_told_to(service: str, container: str) -> None:
    wait_until(
        lambda: inspect(container)["State"]["Health"]["Status"] == "healthy",
        what=f"{service} is healthy",
        seconds=HEALTHY_SECONDS,
    )

    docker("stop", "--time", STOP_SECONDS, container)

    assert inspect(container)["State"]["ExitCode"] == 0


@every_service
def test_the_health_check_fails_where_nothing_answers(service: str) -> None:
    check = inspect(image(service))["Config"]["Healthcheck"]["Test"]
    assert check == ["CMD", "python", "-I", "/app/healthy.py"]

    checked = run(
        "docker", "run", "--rm", *STRICT, "--network", "none", "--entrypoint", check[1], image(service), *check[2:]
    )

    assert checked.status == 1
    assert re.search(r"refused|UNAVAILABLE", checked.output)


@pytest.mark.parametrize("service", ["kubernetes-client", "catalog"])
def test_a_service_without_its_settings_says_which(service: str) -> None:
    ended = run("docker", "run", "--rm", *STRICT, "--network", "none", image(service))

    assert ended.status == 2
    assert "SLIPWAY_JWT_SECRET" in ended.output


@every_service
def test_a_service_could_change_no_file_of_the_image(service: str) -> None:
    program = (
        "import json, os; found = []\n"
        "for folder, folders, files in os.walk('/'):\n"
        "    paths = {name: os.path.join(folder, name) for name in folders + files}\n"
        "    folders[:] = [name for name in folders if paths[name] not in {'/proc', '/sys', '/dev'}]\n"
        "    changeable = [path for path in paths.values() if not os.path.islink(path) and os.access(path, os.W_OK)]\n"
        "    found += [path for path in changeable if path not in {'/proc', '/sys', '/dev', '/.dockerenv'}]\n"
        "print(json.dumps(sorted(found)))"
    )

    # A root that can be written: a read-only one would hide what is wrong.
    written = docker("run", "--rm", "--network", "none", "--entrypoint", "python", image(service), "-c", program)

    assert json.loads(written) == ["/data", "/run/lock", "/tmp", "/var/tmp"]


@every_service
def test_nothing_that_builds_or_installs_is_left(service: str) -> None:
    program = (
        "import importlib.util, json, shutil;"
        "tools = ['gcc', 'cc', 'g++', 'c++', 'clang', 'ld', 'as', 'make', 'pip', 'pip3', 'uv', 'git', 'curl', 'wget'];"
        "modules = ['pip', 'ensurepip', 'setuptools', 'wheel', 'pytest'];"
        "print(json.dumps([*filter(shutil.which, tools), *filter(importlib.util.find_spec, modules)]))"
    )

    assert python(service, program) == []


@every_service
def test_every_package_is_the_one_that_is_locked(service: str) -> None:
    lock = (ROOT / "requirements-images.lock").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock, re.MULTILINE)
    program = (
        "import importlib.metadata, json, re, sysconfig;"
        "found = importlib.metadata.distributions(path=[sysconfig.get_path('purelib')]);"
        "print(json.dumps([[re.sub('[-_.]+', '-', d.name).lower(), d.version] for d in found if d.name != 'slipway']))"
    )

    installed = {(name, version) for name, version in python(service, program)}

    assert len(installed) > 10
    assert installed <= set(locked)


def test_a_bundle_can_switch_on_the_traces_of_the_orchestrator() -> None:
    program = "import json; import orchestrator.tracing_export as traces; print(json.dumps(traces.__name__))"

    assert python("orchestrator", program) == "orchestrator.tracing_export"


def test_the_orchestrator_brings_no_web_server() -> None:
    program = (
        "import importlib.util, json;"
        "print(json.dumps([*filter(importlib.util.find_spec, ['flask', 'gunicorn', 'boto3', 'nh3', 'grpc'])]))"
    )

    assert python("orchestrator", program) == ["grpc"]
    assert python("catalog", program) == ["flask", "gunicorn", "boto3", "nh3"]


@every_service
def test_an_image_is_small(service: str) -> None:
    added = inspect(image(service))["Size"] - inspect(base())["Size"]

    assert added < MOST_MIB * MIB
