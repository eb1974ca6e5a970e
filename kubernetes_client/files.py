"""Reads the static files of a bundle, once, at start: our own texts, the orchestrator's client, the finishing script."""

from __future__ import annotations

from importlib.resources import files

from shared.orchestration.files import client_files

_SCRIPT = "kubernetes-client-script.py"
_TEXTS = ("deployment-readme.txt", "requirements.txt")


def load_files() -> dict[str, bytes]:
    """Return the files by their path in a bundle; the same bytes on every call."""
    texts = files("kubernetes_client.assets")
    return {
        **client_files(),
        **{name: texts.joinpath(name).read_bytes() for name in _TEXTS},
        _SCRIPT: files("shared.finishing").joinpath(_SCRIPT).read_bytes(),
    }
