"""Reads the static files of a bundle, once, at start: the end of the readme, and the finishing script."""

from __future__ import annotations

from importlib.resources import files

SCRIPT = "kubeflow-script.py"
README = "README.md"


def load_files() -> dict[str, bytes]:
    """Return the files by their path in a bundle; the same bytes on every call."""
    asset = files("services.kubeflow.assets").joinpath("readme.txt")
    return {README: asset.read_bytes(), SCRIPT: files("shared.finishing").joinpath(SCRIPT).read_bytes()}
