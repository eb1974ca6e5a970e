"""Workflows for tests: solutions in short words, Argo bundles, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from support.graphs import graph
from support.solutions import assets, corpus, node, pipeline, samples

from services.argo.generate import DEPLOYER
from shared.bundle import Bundle
from shared.errors import InvalidOptionsError, InvalidSolutionError
from shared.solution import Edge, Message, Node, Operation, Solution, SolutionFiles

MODES = ("steps", "services", "persistent", "jobs")
# All that adds objects or fields; what only changes a value is in the tests of the deployer.
OPTIONS: dict[str, Any] = {
    "schedule": {"cron": ["@daily", "0 6 * * 1-5"], "timeZone": "Europe/Berlin"},
    "stableDns": True,
    "caching": {},
    "artifacts": {"key": "minio"},
    "parameters": {"LEVEL": 3},
    "secrets": {"KEY": {"secret": "vault", "key": "token"}},
    "environment": {"ODD": "{{workflow.name}}"},
    "gpu": {"count": 1},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "imagePullSecrets": ["registry"],
}


def operation(name: str, given: str = "Text", made: str = "Text", *, streams: bool = False) -> Operation:
    """Return an operation; what streams is its output."""
    return Operation(name, Message(given), Message(made, stream=streams))


def source(name: str, **changes: Any) -> Node:
    """Return a node whose operation `run` starts a run."""
    return node(name, operations=(operation("run", "Empty"),), **changes)


def edge(source: str, target: str) -> Edge:
    """Return an edge between `node.operation` and `node.operation`."""
    return Edge(*source.rsplit(".", 1), *target.rsplit(".", 1))


def chain(*names: str, **changes: Any) -> Solution:
    """Return a pipeline in which the first node starts a run, and each gives its output to the next."""
    nodes = (source(names[0]), *(node(name) for name in names[1:]))
    edges = tuple(edge(f"{a}.run", f"{b}.run") for a, b in pairwise(names))
    return pipeline(*nodes, edges=edges, **changes)


def argo(solution: Solution, **options: Any) -> Bundle:
    """Return the Argo bundle of a solution that is parsed already."""
    return DEPLOYER.generate(solution, DEPLOYER.parse_options(options), assets())


def built(files: SolutionFiles, **options: Any) -> Bundle:
    """Return the Argo bundle of the files of a solution."""
    return DEPLOYER.build(files, DEPLOYER.parse_options(options), assets())


def objects(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the objects of a bundle by path, as a reader of YAML sees them."""
    return {
        path: yaml.load(data, Loader=yaml.CSafeLoader)
        for path, data in bundle.files.items()
        if path.startswith("argo/")
    }


def spec(bundle: Bundle) -> dict[str, Any]:
    """Return the spec of the Workflow."""
    found: dict[str, Any] = objects(bundle)["argo/workflow.yaml"]["spec"]
    return found


def templates(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the templates of the Workflow by name."""
    return {template["name"]: template for template in spec(bundle)["templates"]}


def tasks(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the tasks of the Workflow's DAG by name."""
    return {task["name"]: task for task in templates(bundle)["pipeline"]["dag"]["tasks"]}


def every_solution(test_data: Path, graphs: int) -> Iterator[tuple[str, SolutionFiles]]:
    """Return our samples, the real solutions, and random graphs."""
    yield from samples()
    yield from corpus(test_data)
    yield from ((f"graph-{seed}", graph(seed).files) for seed in range(graphs))


def every_bundle(
    test_data: Path, graphs: int, options: Mapping[str, Any]
) -> Iterator[tuple[str, str, Bundle | InvalidOptionsError]]:
    """Return name, mode and Argo bundle of every solution; see `in_every_mode`."""
    return in_every_mode(test_data, graphs, lambda files, mode: built(files, mode=mode, **options))


def in_every_mode(
    test_data: Path, graphs: int, build: Callable[[SolutionFiles, str], Bundle]
) -> Iterator[tuple[str, str, Bundle | InvalidOptionsError]]:
    """Return name, mode and bundle of every solution that is sound, in every mode; the refusal where it cannot work."""
    for name, files in every_solution(test_data, graphs):
        for mode in MODES:
            try:
                yield name, mode, build(files, mode)
            except InvalidOptionsError as refusal:
                yield name, mode, refusal
            except InvalidSolutionError as refusal:
                # Templates that people fill in are no solutions; but no error may come from our lint.
                if not all(finding.path.startswith("$.") for finding in refusal.findings.errors):
                    raise
