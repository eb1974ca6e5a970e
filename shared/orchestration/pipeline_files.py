"""The files of a pipeline on their way through ConfigMaps to the folder that the orchestrator reads: cut, and put together.

The rule of cutting: a file that does not fit into one ConfigMap becomes `<file>.000`, `<file>.001`, …, always three
digits, which joined in order are the file. No other file name ends so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

BLUEPRINT = "blueprint.json"
DOCKERINFO = "dockerinfo.json"
POLICIES = "orchestration"
"""Key of the blueprint under which an author asks something of the orchestrator."""

# `kubectl apply` keeps a copy of the object, as JSON, in an annotation of at most 256 KiB. etcd would take 1.5 MiB.
MAX_PIECE_BYTES = 180 * 1024

# Most texts of this size fit as JSON, with their quotes and line ends escaped.
_BLOCK_BYTES = 128 * 1024

Data = dict[str, bytes]
"""File name → content, as one ConfigMap holds it."""

_PIECE = re.compile(r"(?P<file>.+)\.(?P<number>[0-9]{3})", re.DOTALL)


def split(files: Mapping[str, bytes]) -> list[Data]:
    """Return the data of as few ConfigMaps as the order of `files` allows, each of at most `MAX_PIECE_BYTES` as JSON."""
    groups: list[Data] = [{}]
    room = MAX_PIECE_BYTES
    for name, content in files.items():
        for piece_name, piece in _pieces(name, content):
            size = len(piece_name) + _json_size(piece)
            if size > room and groups[-1]:
                groups.append({})
                room = MAX_PIECE_BYTES
            groups[-1][piece_name] = piece
            room -= size
    return groups


def join(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that `split` was given, out of all of its pieces, in any order.

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

    Where several ConfigMaps cannot be mounted as one folder, they stand in folders below it that are numbered.

    Raises:
        ValueError: pieces are missing.
        OSError: the folder cannot be read.
    """
    numbered = [each for each in folder.iterdir() if each.name.isdecimal() and each.is_dir()]
    # A mounted ConfigMap has links and hidden folders beside the files.
    found = [path for each in (folder, *numbered) for path in each.iterdir()]
    paths = sorted(path for path in found if path.is_file() and not path.name.startswith("."))
    return join({path.name: path.read_bytes() for path in paths})


def text_of(content: bytes) -> str | None:
    """Return the content as a text; None where it is none, and a ConfigMap has to carry it as `binaryData`."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _pieces(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    parts = list(_cut(content))
    if len(parts) == 1:
        return iter([(name, content)])
    # Three digits are enough: a blueprint of 2 MiB, written as deeply indented as it may be, makes some 300 pieces.
    return ((f"{name}.{number:03}", part) for number, part in enumerate(parts))


def _cut(content: bytes) -> Iterator[bytes]:
    """Cut into blocks, and each block into halves until it fits; in the middle of no character."""
    if _fits(content):
        yield content
        return
    end = _BLOCK_BYTES if len(content) > _BLOCK_BYTES else len(content) // 2
    start = 0
    while start < len(content):
        stop = _character_start(content, start + end)
        block = content[start:stop]
        yield from [block] if _fits(block) else _cut(block)
        start = stop


def _fits(content: bytes) -> bool:
    # The name of a piece counts too; a key has at most 253 characters.
    return len(content) <= MAX_PIECE_BYTES and _json_size(content) <= MAX_PIECE_BYTES - 256


def _character_start(content: bytes, position: int) -> int:
    """Return where the character begins that `position` is in; bytes that are no text are cut anywhere."""
    for back in range(4):
        if position >= len(content) or content[position - back] & 0xC0 != 0x80:  # noqa: PLR2004 - UTF-8's inner bytes
            return min(position - back, len(content))
    return position


def _json_size(content: bytes) -> int:
    """Return at least the bytes that the content takes in the JSON of a Go program."""
    text = text_of(content)
    if text is None:
        return len(content) * 4 // 3 + 4
    # Go writes `<`, `>` and `&` as six characters; what it leaves bare beyond ASCII, Python does not.
    return len(json.dumps(text)) + 5 * sum(map(text.count, "<>&"))
