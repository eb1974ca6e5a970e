"""The bundles that the tier looks at, and the tools that look at them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.environments import environment
from support.graphs import graph
from support.solutions import ROOT, assets, corpus, read, samples

from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.errors import InvalidSolutionError

GRAPHS = 300
HERE = Path(__file__).parent


def _golden() -> Iterator[tuple[str, Bundle]]:
    for options in sorted((ROOT / "tests" / "golden").glob("*/options.json")):
        chosen = DEPLOYER.parse_options(json.loads(options.read_bytes()))
        yield f"golden-{options.parent.name}", DEPLOYER.build(read(options.parent), chosen, assets())


def _samples() -> Iterator[tuple[str, Bundle]]:
    for name, files in samples():
        yield name, DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())


def _corpus(test_data: Path) -> Iterator[tuple[str, Bundle]]:
    for name, files in corpus(test_data):
        try:
            yield name, DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())
        except InvalidSolutionError:
            continue  # that such a solution ends in findings is tested elsewhere


def _graphs() -> Iterator[tuple[str, Bundle]]:
    for seed in range(GRAPHS):
        made = graph(seed)
        yield f"graph-{seed}", DEPLOYER.build(made.files, DEPLOYER.parse_options(made.options), assets())


@pytest.fixture(scope="session")
def own_bundles() -> dict[str, Bundle]:
    """Return the bundles of the samples and of the golden cases."""
    return dict([*_samples(), *_golden()])


@pytest.fixture(scope="session")
def all_bundles(own_bundles: dict[str, Bundle], test_data: Path) -> dict[str, Bundle]:
    """Return those, and the bundles of the real solutions and of 300 random graphs."""
    return own_bundles | dict([*_corpus(test_data), *_graphs()])


@pytest.fixture(scope="session")
def tools() -> Callable[[str, str], Path]:
    """Return the programs of an environment by its name and the file with its requirements."""

    def installed(name: str, requirements: str) -> Path:
        try:
            return environment(name, HERE / requirements)
        except (subprocess.SubprocessError, OSError) as problem:
            message = f"cannot install {requirements}: {problem}"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)

    return installed
