"""Reads the folder that a pipeline's ConfigMaps are mounted to: flat, large files in pieces `<file>.000`, `<file>.001` and on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

BLUEPRINT = "blueprint.json"
DOCKERINFO = "dockerinfo.json"
_PIECE = re.compile(r"(?P<file>.+)\.(?P<number>[0-9]{3})")


def join(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with their pieces put together.

    Raises:
        ValueError: a piece is missing, or a file is there both whole and in pieces.
    """
    whole = {name: content for name, content in files.items() if not _PIECE.fullmatch(name)}
    pieces: dict[str, dict[int, bytes]] = {}
    for name, content in files.items():
        if match := _PIECE.fullmatch(name):
            pieces.setdefault(match["file"], {})[int(match["number"])] = content
    for name, parts in pieces.items():
        if name in whole or sorted(parts) != list(range(len(parts))):
            raise ValueError(f"{name}: expected the file, or its pieces from .000 on, each once")
        whole[name] = b"".join(parts[number] for number in sorted(parts))
    return whole


def read(folder: Path) -> dict[str, bytes]:
    """Return the files of the folder by name, put together.

    Raises:
        ValueError: pieces are missing.
        OSError: the folder cannot be read.
    """
    # A mounted ConfigMap has links and hidden folders beside the files.
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return join({path.name: path.read_bytes() for path in paths})
