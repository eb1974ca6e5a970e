"""The images of this checkout as pods need them: built as `make images` does, and where the nodes of a cluster find them.

An image gets a tag of its content, so that a node never runs an older one that it happens to have, and tests that share
a cluster do not run each other's.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from support import cluster_tools
from support.containers import base, docker, image, inspect, run
from support.solutions import ROOT

from shared.solution import SolutionFiles

PROGRAMS = sorted(ROOT.glob("samples/*/nodes/*/node.py"))
NODES = tuple(path.parent.relative_to(ROOT / "samples").as_posix() for path in PROGRAMS)
TARGETS = ("image/orchestrator", *(f"image/{node}" for node in NODES))
ORCHESTRATOR = image("orchestrator")
NAMES = (ORCHESTRATOR, *(f"slipway/sample-{path.parent.name}:1" for path in PROGRAMS))
TAG_LENGTH = 16
LOAD_VARIABLE = "SLIPWAY_LOAD_IMAGES"
_ALONE = """FROM scratch
COPY {program} /bin/{program}
ENV PATH=/bin
ADD tmp.tar /
ENTRYPOINT ["/bin/{program}"]
"""


def engine_problem() -> str:
    """Return why there is no Docker engine to build on; empty when there is one."""
    try:
        found = run("docker", "version", seconds=30)
    except (OSError, subprocess.SubprocessError) as problem:
        return str(problem)
    return found.output if found.status else ""


def build() -> dict[str, str]:
    """Build the orchestrator and every node of the samples, and return name → the same with a tag of its content."""
    built = run("make", "--jobs", str(os.cpu_count() or 1), *TARGETS, f"BASE={base()}")
    assert built.status == 0, built.output[-5000:]
    return {name: _by_content(name) for name in NAMES}


def service(name: str) -> str:
    """Build the image of a service, bring it to the cluster, and return by which name its nodes find it."""
    built = run("make", f"image/{name}", f"BASE={base()}")
    assert built.status == 0, built.output[-5000:]
    reference = _by_content(image(name))
    load({image(name): reference})
    return reference


def of_program(program: Path) -> str:
    """Make an image that holds a static program and a `/tmp`, bring it to the cluster, and return its name there."""
    name = f"slipway-test/{program.name}:1"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, folder)
        with tarfile.open(Path(folder) / "tmp.tar", "w") as archive:
            everybodys = tarfile.TarInfo("tmp")
            everybodys.type, everybodys.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(everybodys)
        (Path(folder) / "Dockerfile").write_text(_ALONE.format(program=program.name), encoding="utf-8")
        docker("build", "--quiet", "--tag", name, folder)
    reference = _by_content(name)
    load({name: reference})
    return reference


def _by_content(name: str) -> str:
    identifier = inspect(name)["Id"].removeprefix("sha256:")
    return f"{name.rpartition(':')[0]}:{identifier[:TAG_LENGTH]}"


def loader() -> list[str]:
    """Return the command that brings the images named after it to the cluster.

    Raises:
        LookupError: nobody said how; in words for a person.
    """
    chosen = shlex.split(os.environ.get(LOAD_VARIABLE, ""))
    tool = cluster_tools.tool("load-image")
    if not chosen and tool is None:
        raise LookupError(f"set {LOAD_VARIABLE} to what brings images to the cluster, such as `minikube image load`")
    return chosen or [str(tool)]


def load(tagged: Mapping[str, str]) -> None:
    """Bring images to the nodes of the cluster under other names; name → the other one.

    One process at a time does so: other names are there only as long as it takes, and loaders use some of their own.
    """
    with _alone():
        for name, reference in tagged.items():
            docker("tag", name, reference)
        loaded = run(*loader(), *tagged.values())
        docker("rmi", *tagged.values())
    assert loaded.status == 0, loaded.output[-5000:]


@contextmanager
def _alone() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / "slipway-load-images.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def naming(files: SolutionFiles, references: Mapping[str, str]) -> SolutionFiles:
    """Return a solution whose nodes run these images."""
    if files.model_image:
        return replace(files, model_image=references[files.model_image])
    return replace(files, blueprint=renamed(files.blueprint or b"", references))


def renamed(blueprint: bytes, references: Mapping[str, str]) -> bytes:
    """Return a blueprint whose nodes run these images."""
    for name, reference in references.items():
        blueprint = blueprint.replace(f'"{name}"'.encode(), f'"{reference}"'.encode())
    return blueprint
