"""What can be said of the recipes without building anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.containers import docker, run
from support.solutions import ROOT

from shared.version import VERSION


def pins(name: str) -> dict[str, str]:
    """Return version and hashes of every package of a lock file."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
    lines = [[line.strip(" \\") for line in block.splitlines() if not line.strip().startswith("#")] for block in blocks]
    return {block[0].partition("==")[0]: " ".join(block) for block in lines}


@pytest.mark.parametrize("recipe", ["Dockerfile", "samples/Dockerfile"])
def test_hadolint_finds_nothing(recipe: str, hadolint: Path) -> None:
    linted = run(str(hadolint), "--no-color", recipe)

    assert (linted.status, linted.output) == (0, "")


@pytest.mark.parametrize("target", ["image/catalog", "image/sensor-stream/nodes/sensor", "images"])
def test_a_release_wants_the_digest_of_its_base(target: str) -> None:
    refused = run("make", target, "RELEASE=1", "BASE=python:3.13-slim")

    assert refused.status != 0
    assert "expected BASE=name@sha256:…, found python:3.13-slim" in refused.output


def test_a_release_is_built_on_a_digest() -> None:
    planned = run("make", "--dry-run", "image/catalog", "RELEASE=1", f"BASE=python@sha256:{'0' * 64}")

    assert f"docker build --build-arg BASE=python@sha256:{'0' * 64} --build-arg SERVICE=catalog" in planned.output


def test_images_and_checkouts_use_the_same_packages() -> None:
    images, checkout = pins("requirements-images.lock"), pins("requirements.lock")

    assert {name: images.get(name) for name in checkout} == checkout


def test_compose_names_the_images_of_this_version() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"slipway/[a-z-]+:([^\s}]+)", text)) == {VERSION}


def test_only_what_an_image_needs_is_sent_to_the_engine(tmp_path: Path) -> None:
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM scratch\nCOPY . /\n")

    docker("build", "--file", str(recipe), "--output", str(tmp_path / "sent"), ".")

    assert {path.name for path in (tmp_path / "sent").iterdir()} == {
        "LICENSE",
        "README.md",
        "docker",
        "kubernetes_client",
        "orchestrator",
        "pyproject.toml",
        "requirements-images.lock",
        "samples",
        "services",
        "shared",
        "slipway",
    }
    assert not [path for path in (tmp_path / "sent").rglob("*") if path.name.startswith((".", "__pycache__"))]
