"""What every image promises, of a service or of a sample's node: nobody in particular runs it, and it holds no more than it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.containers import NODES, SERVICES, base, image, inspect, python
from support.solutions import ROOT

pytestmark = pytest.mark.usefixtures("images")

Facts = dict[str, dict[str, Any]]
MIB = 1 << 20
# On top of the base; what needs more has grown something that belongs elsewhere.
MOST_MIB = dict.fromkeys(SERVICES, 100) | dict.fromkeys(NODES, 30)
LOCKS = dict.fromkeys(SERVICES, "requirements-images.lock") | dict.fromkeys(NODES, "samples/requirements.lock")
# Run without confinement: a read-only root would hide what somebody could write to.
LOOK_AROUND = """
import importlib.metadata, json, os, re, shutil, sys
tools = ['gcc', 'cc', 'g++', 'c++', 'clang', 'ld', 'as', 'make', 'pip', 'pip3', 'uv', 'git', 'curl', 'wget']
installers = re.compile(r'(pip|setuptools|wheel|ensurepip|pkg_resources|pytest)([-.].*)?')
changeable, found = [], [name for name in tools if shutil.which(name)]
for folder, folders, files in os.walk('/'):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in {'/proc', '/sys', '/dev'}]
    if os.path.basename(folder) in {'site-packages', 'dist-packages', 'python-wheels'} or re.search(r'/python3[.0-9]*$', folder):
        found += [os.path.join(folder, name) for name in folders + files if installers.fullmatch(name)]
    paths = [os.path.join(folder, name) for name in folders + files]
    changeable += [path for path in paths if not os.path.islink(path) and os.access(path, os.W_OK)]
packages = [path for path in sys.path if path.startswith(('/app/', '/packages'))]
installed = [(d.name, d.version) for d in importlib.metadata.distributions(path=packages) if d.name != 'slipway']
print(json.dumps({
    'user': [os.getuid(), os.getgid(), os.getgroups()], 'changeable': sorted(changeable), 'installers': found,
    'installed': sorted([re.sub('[-_.]+', '-', name).lower(), version] for name, version in installed),
}))
"""

every_image = pytest.mark.parametrize("name", [*SERVICES, *NODES])


@pytest.fixture(scope="session")
def facts(images: None) -> Iterator[Facts]:  # noqa: ARG001 - they have to be there
    """Look around in every image, once."""
    names = [*SERVICES, *NODES]
    with ThreadPoolExecutor(4) as threads:
        yield dict(zip(names, threads.map(lambda name: python(name, LOOK_AROUND), names), strict=True))


@every_image
def test_an_image_runs_as_nobody_in_particular(name: str, facts: Facts) -> None:
    assert inspect(image(name))["Config"]["User"] == "10001:10001"
    assert facts[name]["user"] == [10001, 10001, [10001]]


@every_image
def test_nothing_that_builds_or_installs_is_left(name: str, facts: Facts) -> None:
    assert facts[name]["installers"] == []


@every_image
def test_no_file_of_an_image_can_be_changed(name: str, facts: Facts) -> None:
    volumes = ["/data", "/secrets"] if name in SERVICES else []

    assert facts[name]["changeable"] == sorted([*volumes, "/run/lock", "/tmp", "/var/tmp"])


@every_image
def test_every_package_is_the_one_that_is_locked(name: str, facts: Facts) -> None:
    lock = (ROOT / LOCKS[name]).read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock, re.MULTILINE)

    installed = {(package, version) for package, version in facts[name]["installed"]}

    assert len(installed) >= 3
    assert installed <= set(locked)


@every_image
def test_an_image_knows_how_to_check_its_health(name: str) -> None:
    check = inspect(image(name))["Config"]["Healthcheck"]

    script = ["-I", "/app/healthy.py"] if name in SERVICES else ["healthy.py"]
    assert check["Test"] == ["CMD", "python", *script]


@every_image
def test_an_image_is_small(name: str) -> None:
    added = inspect(image(name))["Size"] - inspect(base())["Size"]

    assert added < MOST_MIB[name] * MIB
