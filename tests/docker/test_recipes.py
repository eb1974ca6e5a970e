"""What can be said of the recipes without building anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import object_store
from support.containers import NODES, SERVICES, docker, image, run
from support.solutions import ROOT

from shared.version import VERSION

every_recipe = pytest.mark.parametrize("recipe", ["Dockerfile", "samples/Dockerfile", "tests/docker/s3/Dockerfile"])


def pins(name: str) -> dict[str, str]:
    """Return version and hashes of every package of a lock file."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
    lines = [[line.strip(" \\") for line in block.splitlines() if not line.strip().startswith("#")] for block in blocks]
    return {block[0].partition("==")[0]: " ".join(block) for block in lines}


@every_recipe
def test_hadolint_finds_nothing(recipe: str, hadolint: Path) -> None:
    linted = run(str(hadolint), "--no-color", recipe)

    assert (linted.status, linted.output) == (0, "")


@every_recipe
def test_a_recipe_installs_only_what_is_locked(recipe: str) -> None:
    text = (ROOT / recipe).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|download)[^&\n]*", text)

    assert [line for line in installs if "--require-hashes" not in line and "--no-index" not in line] == []
    assert not re.search(r"apt|apk|curl|wget|^ADD", text, re.MULTILINE)


@every_recipe
def test_the_base_of_a_recipe_is_an_argument(recipe: str) -> None:
    text = (ROOT / recipe).read_text(encoding="utf-8")

    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}


@pytest.mark.parametrize("target", ["image/catalog", "image/sensor-stream/nodes/sensor", "images"])
def test_a_release_wants_the_digest_of_its_base(target: str) -> None:
    refused = run("make", target, "RELEASE=1", "BASE=python:3.13-slim")

    assert refused.status != 0
    assert "expected BASE=name@sha256:…, found python:3.13-slim" in refused.output


def test_a_release_is_built_on_a_digest() -> None:
    planned = run("make", "--dry-run", "image/catalog", "RELEASE=1", f"BASE=python@sha256:{'0' * 64}")

    assert f"docker build --build-arg BASE=python@sha256:{'0' * 64} --build-arg SERVICE=catalog" in planned.output


def test_the_base_of_compose_is_that_of_make_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_BASE", "python:3.12-slim")

    planned = run("make", "--dry-run", "image/catalog")

    assert "docker build --build-arg BASE=python:3.12-slim --build-arg SERVICE=catalog" in planned.output


def test_make_lists_the_images_that_it_builds() -> None:
    listed = run("make", "--silent", "image-names").output.split()
    planned = run("make", "--dry-run", "images").output

    assert sorted(listed) == sorted(re.findall(r"-t (\S+)", planned))
    assert set(listed) == {image(name) for name in (*SERVICES, *NODES)}
    assert len(listed) == 15 + len(SERVICES)


def test_nodes_run_on_the_packages_that_their_code_was_made_for() -> None:
    node, build, images = (
        pins(f"{name}.lock") for name in ("samples/requirements", "samples/requirements-build", "requirements-images")
    )

    assert {name: build.get(name) for name in node} == node
    assert {name: images.get(name) for name in build} == build


def test_images_and_checkouts_use_the_same_packages() -> None:
    images, checkout = pins("requirements-images.lock"), pins("requirements.lock")

    assert {name: images.get(name) for name in checkout} == checkout


def test_compose_names_the_images_of_this_version() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"slipway/[a-z-]+:([^\s}]+)", text)) == {VERSION}


def test_compose_names_the_s3_server_that_is_tested() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert re.findall(r"versity/versitygw:([^\s}]+)", text) == [object_store.version()]


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
        "playground",
        "pyproject.toml",
        "requirements-images.lock",
        "samples",
        "services",
        "shared",
        "slipway",
    }
    assert not [path for path in (tmp_path / "sent").rglob("*") if path.name.startswith((".", "__pycache__"))]
