"""Reads the static files of a bundle, once, at start: the end of the readme, and the finishing script."""

from __future__ import annotations

from importlib.resources import files

SCRIPT = "argo-script.py"
_README = "README.md"


def load_files() -> dict[str, bytes]:
    """Return the files by their path in a bundle; the same bytes on every call."""
    return {
        _README: files("services.argo.assets").joinpath("readme.txt").read_bytes(),
        SCRIPT: files("shared.finishing").joinpath(SCRIPT).read_bytes(),
    }
