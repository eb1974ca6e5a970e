"""Solutions for tests: made up in code, or read from folders (samples, corpus, golden cases)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from shared.bundle import Bundle
from shared.deployer import Assets, Images
from shared.solution import Ids, ImageRef, Message, Node, Operation, Role, SharedFolder, Solution, SolutionFiles
from shared.solution_folder import from_files

ROOT = Path(__file__).parent.parent.parent

IMAGES = Images(
    orchestrator="registry.example.org:5000/slipway/orchestrator:1.0",
    probe="registry.example.org:5000/graphene/probe:1.0",
    nginx="registry.example.org:5000/nginx:1.0",
)


def read(folder: Path, *, ids: Ids | None = None) -> SolutionFiles:
    """Return the solution in a folder: its own files and the protos, nothing else."""
    paths = [path for path in folder.iterdir() if path.is_file()] + sorted(folder.glob("microservice/*.proto"))
    return from_files({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, ids=ids)


def samples() -> Iterator[tuple[str, SolutionFiles]]:
    """Return our own samples by name."""
    folders = sorted(path.parent for name in ("blueprint", "model") for path in ROOT.glob(f"samples/*/{name}.json"))
    return ((folder.name, read(folder)) for folder in folders)


def corpus(test_data: Path) -> Iterator[tuple[str, SolutionFiles]]:
    """Return the real solutions of the test data by name."""
    folders = sorted((test_data / "corpus" / "solutions").iterdir())
    return ((folder.name, read(folder)) for folder in folders)


def assets() -> Assets:
    """Return assets with an image for everything and no static files."""
    return Assets(images=IMAGES)


def node(name: str, **changes: Any) -> Node:
    """Return a node with one operation."""
    message = Message("Text")
    made = Node(
        name=name,
        container_name=name,
        role=Role.WORKLOAD,
        node_type="MLModel",
        image=ImageRef(f"registry.example.org:5000/team/{name}:1.0"),
        proto_uri="",
        operations=(Operation("run", message, message),),
    )
    return replace(made, **changes)


def pipeline(*nodes: Node | str, **changes: Any) -> Solution:
    """Return a pipeline of these nodes, or of nodes with these names; each has a proto."""
    made = tuple(node(each) if isinstance(each, str) else each for each in nodes)
    solution = Solution(
        name="pipeline",
        version="1",
        is_pipeline=True,
        nodes=made,
        protos={each.name: b'syntax = "proto3";\n' for each in made if each.is_workload},
        document={"name": "pipeline", "nodes": [{"container_name": each.name} for each in made]},
    )
    return replace(solution, **changes)


def model(name: str = "model", **changes: Any) -> Solution:
    """Return a model with a proto."""
    alone = node(name, operations=())
    solution = Solution(
        name=name, version="1", is_pipeline=False, nodes=(alone,), protos={name: b'syntax = "proto3";\n'}
    )
    return replace(solution, **changes)


def folders(*paths: str) -> tuple[SharedFolder, ...]:
    """Return the shared folders mounted at these paths."""
    return tuple(SharedFolder(index, path) for index, path in enumerate(paths, start=1))


def objects(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the Kubernetes objects of a bundle by path, as a reader of YAML sees them."""
    return {
        path: yaml.load(data, Loader=yaml.CSafeLoader)
        for path, data in bundle.files.items()
        if path.startswith(("deployments/", "policies/"))
    }
