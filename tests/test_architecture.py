"""What a deployer of workflows needs outside of its folder: no code but the parts of its script."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("kubernetes_client", "orchestrator", "playground", "samples", "services", "shared", "slipway")


def modules_outside(name: str) -> Iterator[Path]:
    """Return the product's modules that are neither the deployer's nor those of all workflows, nor a part of a script."""
    own = (f"services/{name}/", "shared/workflows/", "shared/finishing/")
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if not file.relative_to(ROOT).as_posix().startswith(own):
                yield file


@cache
def named_in(file: Path) -> tuple[str, ...]:
    """Return the modules that a module imports, and its texts."""
    return tuple(_named(ast.parse(file.read_bytes())))


def _named(module: ast.Module) -> Iterator[str]:
    for part in ast.walk(module):
        if isinstance(part, ast.Import):
            yield from (each.name for each in part.names)
        elif isinstance(part, ast.ImportFrom):
            yield from (f"{part.module}.{each.name}" for each in part.names)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


@pytest.mark.parametrize("name", ["argo", "kubeflow"])
def test_no_other_module_knows_the_deployer(name: str):
    telling = [
        f"{file.relative_to(ROOT)}: {text}"
        for file in modules_outside(name)
        for text in named_in(file)
        if text in {name, f"services.{name}"} or text.startswith((f"services.{name}.", f"slipway-{name}"))
    ]

    assert telling == []
