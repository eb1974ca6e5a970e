"""The bundles that the tier looks at, and the tools that look at them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import bundles
from support.environments import environment

from shared.bundle import Bundle

GRAPHS = 300
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def own_bundles() -> dict[str, Bundle]:
    """Return the bundles of the samples and of the golden cases."""
    return dict([*bundles.of_samples(), *bundles.golden()])


@pytest.fixture(scope="session")
def all_bundles(own_bundles: dict[str, Bundle], test_data: Path) -> dict[str, Bundle]:
    """Return those, and the bundles of the real solutions and of 300 random graphs."""
    return own_bundles | dict([*bundles.of_corpus(test_data), *bundles.of_graphs(range(GRAPHS))])


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
