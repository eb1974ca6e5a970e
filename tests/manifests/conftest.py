"""The bundles that the tier looks at, and the tools that look at them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from support import bundles
from support.environments import environment

from shared.bundle import Bundle

GRAPHS = 300
HERE = Path(__file__).parent
VERSIONS = ("1.30", "1.37")
VALIDATE_SECONDS = 900


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


@pytest.fixture(scope="session")
def validated(
    tools: Callable[[str, str], Path],
) -> Callable[[Iterable[tuple[str, dict[str, Any]]]], list[dict[str, Any]]]:
    """Return what validates (source, object) pairs; it answers a line per problem, and one with the count of objects."""

    def validate(entries: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps({"source": source, "manifest": manifest}) + "\n" for source, manifest in entries)
        command = [tools("manifests", "requirements.txt") / "python", HERE / "validate.py", *VERSIONS]
        done = subprocess.run(
            command, input=lines, capture_output=True, text=True, check=True, timeout=VALIDATE_SECONDS
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return validate
