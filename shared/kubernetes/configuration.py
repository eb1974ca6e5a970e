"""ConfigMaps that carry the pipeline to the orchestrator: cut to size, and put together again.

The rule of cutting: a file that does not fit into one ConfigMap becomes `<file>.000`, `<file>.001`, …, always three
digits, which joined in order are the file. No other file name ends so. `join` is the other side.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.kubernetes import labels
from shared.kubernetes.labels import Identity

# `kubectl apply` keeps a copy of the object, as JSON, in an annotation of at most 256 KiB. etcd would take 1.5 MiB.
MAX_PIECE_BYTES = 180 * 1024

# Most texts of this size fit as JSON, with their quotes and line ends escaped.
_BLOCK_BYTES = 128 * 1024

_PIECE = re.compile(r"(?P<file>.+)\.(?P<number>[0-9]{3})", re.DOTALL)

Data = dict[str, bytes]
"""File name → content, as one ConfigMap holds it."""


def digest(files: Mapping[str, bytes]) -> str:
    """Return a text that changes when a file does, for the annotation that restarts the orchestrator."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return f"sha256:{total.hexdigest()}"


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
        ValueError: a piece is missing between others.
    """
    whole = {name: content for name, content in files.items() if not _PIECE.fullmatch(name)}
    pieces: dict[str, dict[int, bytes]] = {}
    for name, content in files.items():
        if match := _PIECE.fullmatch(name):
            pieces.setdefault(match["file"], {})[int(match["number"])] = content
    for name, numbered in pieces.items():
        if sorted(numbered) != list(range(len(numbered))):
            raise ValueError(f"{name}: expected the pieces .000 to .{max(numbered):03}, found {len(numbered)} of them")
        whole[name] = b"".join(numbered[number] for number in range(len(numbered)))
    return whole


def config_map(name: str, data: Data, identity: Identity) -> dict[str, Any]:
    """Return a ConfigMap; what is not UTF-8 text goes into its `binaryData`."""
    texts: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, content in data.items():
        text = _text(content)
        if text is None:
            others[key] = base64.b64encode(content).decode("ascii")
        else:
            texts[key] = text
    made: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": identity.metadata(name, labels.CONFIGURATION, app=identity.instance),
    }
    return made | {key: value for key, value in (("data", texts), ("binaryData", others)) if value}


def projected_volume(name: str, config_maps: Sequence[str]) -> dict[str, Any]:
    """Return one volume over all ConfigMaps, each optional.

    Graphene's script applies `deployments/` alone: then the orchestrator must start without them, and a client
    initialises it.
    """
    sources = [{"configMap": {"name": config_map, "optional": True}} for config_map in config_maps]
    return {"name": name, "projected": {"sources": sources}}


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
    text = _text(content)
    if text is None:
        return len(content) * 4 // 3 + 4
    # Go writes `<`, `>` and `&` as six characters; what it leaves bare beyond ASCII, Python does not.
    return len(json.dumps(text)) + 5 * sum(map(text.count, "<>&"))


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
