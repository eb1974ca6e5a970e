"""Emitted packages, executed by Kubeflow's own SDK on the Docker engine, and what came of it.

The SDK knows nothing of a cluster: what the platform document mounts is laid out as files, and a stand-in before the
driver deploys to the engine. It tells what the nodes have logged before it removes them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.containers import image
from support.environments import environment
from support.kubeflow_bundles import PIPELINE, documents, objects
from support.solutions import ROOT

from services.kubeflow.generate import DEPLOYER
from shared.bundle import Bundle
from shared.deployer import Assets, Images
from shared.solution import SolutionFiles

HERE = ROOT / "tests" / "docker"
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
RUN_SECONDS = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ENDED = re.compile(r"- (?:INFO|ERROR) - (Task|Pipeline) '(\S+)' finished with status (\w+)")
_REMOVED = re.compile(r"^ *removed (\S+) (\S+)$")
_LOGGED = re.compile(r"^ *logged (\S+) (\{.*)$")


@dataclass(frozen=True, slots=True)
class LocalRun:
    """How a package ended."""

    pipeline: str
    """SUCCESS or FAILURE."""
    tasks: Mapping[str, str]
    """The same of each task that was run, in the order in which they ended."""
    removed: Mapping[str, str]
    """The image of each node that the teardown removed."""
    events: Mapping[str, list[dict[str, Any]]]
    """What these nodes had logged."""
    log: str


def built(files: SolutionFiles, options: Mapping[str, Any]) -> Bundle:
    """Return the bundle for the images of this checkout."""
    images = Images(orchestrator=image("orchestrator"))
    return DEPLOYER.build(files, DEPLOYER.parse_options(options), Assets({}, images))


def execute(bundle: Bundle, folder: Path, network: str, parameters: Mapping[str, Any]) -> LocalRun:
    """Execute the package of a bundle with its containers in this network."""
    python = environment("kfp-local", HERE / "kubeflow-requirements.txt") / "python"
    package = folder / "package.yaml"
    package.write_bytes(bundle.files[PIPELINE])
    command = [
        *(python, "-W", "ignore", HERE / "kubeflow" / "run_local.py"),
        *(package, _mounted(bundle, folder / "files"), network, ENGINE, json.dumps(parameters)),
    ]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=RUN_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout
    return _read(_COLOURS.sub("", done.stdout))


def _mounted(bundle: Bundle, folder: Path) -> Path:
    """Lay the ConfigMaps out below a folder, where the platform document mounts them; return the folder."""
    maps = {each["metadata"]["name"]: each for each in objects(bundle).values() if each["kind"] == "ConfigMap"}
    _, platform = documents(bundle)
    folder.mkdir()
    for executor in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        for mount in executor.get("configMapAsVolume", ()):
            place = folder / mount["mountPath"].removeprefix("/")
            place.mkdir(parents=True)
            found = maps[mount["configMapName"]]
            for name, text in found.get("data", {}).items():
                (place / name).write_text(text, encoding="utf-8")
            for name, data in found.get("binaryData", {}).items():
                (place / name).write_bytes(base64.b64decode(data))
    return folder


def _read(log: str) -> LocalRun:
    ended = _ENDED.findall(log)
    events: dict[str, list[dict[str, Any]]] = {}
    lines = log.splitlines()
    for node, line in (found.groups() for found in map(_LOGGED.match, lines) if found):
        events.setdefault(node, []).append(json.loads(line))
    (pipeline,) = (status for kind, _, status in ended if kind == "Pipeline")
    tasks = {name: status for kind, name, status in ended if kind == "Task"}
    removed = {found[1]: found[2] for found in map(_REMOVED.match, lines) if found}
    return LocalRun(pipeline, tasks, removed, events, log)
