"""The files of all revisions, each content once: packed, compressed and cut into pieces that fit an object. Pure.

A revision is a list of packs. The first has its table of files, and the contents that no pack of the revision before had;
the others are packs of revisions before, in which the rest is. Packs never change, so a push that was cut off anywhere is
finished by storing the same again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from playground.runtime.kubernetes.record import KeptPack, KeptRevision

PIECE_BYTES = 900 << 10  # an object has at most 1 MiB, its names and labels included
MAX_BYTES = 8 << 20  # of a deployment, as stored in the cluster
MAX_REVISIONS = 32
MAX_UNPACKED = 128 << 20
"""Twice what an archive may hold unpacked: beyond that, a pack is not ours."""
MAX_PACKS = 8
"""A revision that needs more is stored whole again, so that reading stays quick."""
_ID_DIGITS = 20


class _Content(msgspec.Struct, frozen=True):
    files: dict[str, str]
    """Path → SHA-256."""
    contents: dict[str, bytes]
    """SHA-256 → bytes."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Contents, as they are stored."""

    id: str
    data: bytes

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """The data in parts that fit an object."""
        return tuple(self.data[at : at + PIECE_BYTES] for at in range(0, len(self.data), PIECE_BYTES))


def packed(files: Mapping[str, bytes], former: Sequence[str], load: Callable[[str], bytes]) -> tuple[Pack, list[str]]:
    """Return the new pack of a revision, and the former packs that it needs beside it.

    Args:
        files: of the revision.
        former: ids of the packs of the revision before.
        load: returns the data of a pack.
    """
    table = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    needed = set(table.values())
    used: list[str] = []
    for pack in former if len(former) < MAX_PACKS else ():
        found = _read(load(pack)).contents.keys() & needed
        if found:
            needed -= found
            used.append(pack)
    contents = {table[path]: content for path, content in sorted(files.items()) if table[path] in needed}
    data = zlib.compress(msgspec.msgpack.encode(_Content(table, contents)), 6)
    return Pack(hashlib.sha256(data).hexdigest()[:_ID_DIGITS], data), used


def unpacked(packs: Sequence[str], load: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return the files of a revision.

    Raises:
        ValueError: a content is in none of its packs, or a pack is none.
    """
    first, *others = (_read(load(pack)) for pack in packs)
    contents = dict(first.contents)
    for other in others:
        contents |= other.contents
    try:
        return {path: contents[digest] for path, digest in first.files.items()}
    except KeyError as missing:
        raise ValueError("a file of the revision is in none of its packs") from missing


def kept(
    revisions: Sequence[KeptRevision], packs: Mapping[str, KeptPack], *, current: int
) -> tuple[tuple[KeptRevision, ...], dict[str, KeptPack]]:
    """Return the newest revisions that fit the limits, the current one always, and the packs that they need."""
    chosen: list[KeptRevision] = []
    for revision in sorted(revisions, key=lambda one: (one.number == current, one.number), reverse=True):
        size = sum(packs[pack].size for pack in _packs_of([*chosen, revision]) if packs[pack].pieces)
        if chosen and (len(chosen) == MAX_REVISIONS or size > MAX_BYTES):
            break
        chosen.append(revision)
    ordered = tuple(sorted(chosen, key=lambda one: one.number))
    return ordered, {pack: packs[pack] for pack in _packs_of(ordered)}


def _packs_of(revisions: Iterable[KeptRevision]) -> list[str]:
    return list(dict.fromkeys(pack for revision in revisions for pack in revision.packs))


def _read(data: bytes) -> _Content:
    """Return what is in a pack; ValueError where it is none."""
    unpack = zlib.decompressobj()
    try:
        content = unpack.decompress(data, MAX_UNPACKED)
        if not unpack.eof:
            raise ValueError("a pack of files is cut off or too large")
        return msgspec.msgpack.decode(content, type=_Content)
    except (zlib.error, msgspec.DecodeError) as problem:
        raise ValueError("a pack of files is damaged") from problem
