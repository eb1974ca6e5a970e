"""Zip archives: written the same on every machine, and read without trusting a byte of them.

What Info-ZIP, Java, Go, git and Python write is read. Anything that two tools could read differently is refused as a
whole (`shared.archive_structure`, `shared.archive_paths`), on every Python: the checks do not lean on `zipfile`. All
happens in memory, and nothing is unpacked beyond the size that it states.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from shared import archive_paths, archive_structure
from shared.archive_structure import Entry
from shared.errors import TooLargeError
from shared.findings import quoted

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may cost; checked before anything is unpacked."""

    archive_bytes: int = 64 * MIB
    """The archive itself: as much as its content when nothing is compressed."""
    unpacked_bytes: int = 64 * MIB
    """All files together."""
    entries: int = 12 * 500 + 64
    """Files and directories: 12 for each of 500 nodes, and those that every bundle has."""
    ratio: int = 100
    """Unpacked bytes for each packed byte, of an entry and of the whole; below 1 MiB it does not matter."""


DEFAULT_LIMITS = Limits()

# Level 6 makes a bundle 6 % smaller than 1, in 15 % more time. A small file needs no large window: this one is set up in
# 1 µs where zlib's default takes 60, more than the packing itself.
_LEVEL, _WINDOW_BITS, _MEMORY_LEVEL = 6, -13, 6
# Every bundle carries the same few scripts, the largest text in it: packed once, they cost nothing again.
_REMEMBERED_BYTES = range(4 * 1024, 64 * 1024)
_REMEMBERED_FILES = 32
_CHUNK = 64 * 1024


def write(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of `files`: sorted, dated 1980-01-01, mode 0644, or 0755 for a Python file that begins with `#!`.

    The same content gives the same bytes, whatever the Python, clock, locale or system. Only another build of zlib may
    pack differently, which is why a bundle's identity is its digest and not the hash of its zip.

    Raises:
        InvalidArchiveError: a path is one that `read` would refuse.
    """
    archive_paths.check(files)
    body: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for path, content in sorted(files.items()):
        entry, packed = _pack(path, content, offset)
        body += (archive_structure.local_record(entry), packed)
        directory.append(archive_structure.central_record(entry))
        offset += len(body[-2]) + len(packed)
    end = archive_structure.closing_record(len(files), directory=offset, size=sum(map(len, directory)))
    return b"".join((*body, *directory, end))


def read(data: bytes | BinaryIO, limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    """Return the files of a zip by path, sorted; directories are left out.

    Raises:
        TooLargeError: the archive exceeds one of `limits`.
        InvalidArchiveError: it is damaged, or ambiguous, or holds what no solution does; the message names the entry.
    """
    archive = _limited(data, limits.archive_bytes)
    end = archive_structure.end_record(archive)
    if end.entries > limits.entries:
        raise TooLargeError(f"archive: expected at most {limits.entries} entries, found {end.entries}")
    entries = list(archive_structure.central_directory(archive, end))
    files = [entry for entry in entries if not entry.is_directory]
    archive_paths.check([entry.path for entry in files], [entry.path[:-1] for entry in entries if entry.is_directory])
    _check_sizes(entries, len(archive), limits)
    offsets = archive_structure.content_offsets(archive, entries, end)
    return {entry.path: _unpack(archive, entry, offsets[entry.path]) for entry in sorted(files)}


def _pack(path: str, content: bytes, offset: int) -> tuple[Entry, bytes]:
    packed = _deflate_once(content) if len(content) in _REMEMBERED_BYTES else _deflate(content)
    method = archive_structure.DEFLATED
    if len(packed) >= len(content):
        method, packed = archive_structure.STORED, content
    flags = 0 if path.isascii() else archive_structure.UTF8
    mode = 0o100755 if path.endswith(".py") and content.startswith(b"#!") else 0o100644
    checksum, sizes = zlib.crc32(content), (len(packed), len(content))
    return Entry(path, path.encode(), flags, method, checksum, *sizes, mode, offset), packed


def _deflate(content: bytes) -> bytes:
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
    return engine.compress(content) + engine.flush()


_deflate_once = functools.lru_cache(maxsize=_REMEMBERED_FILES)(_deflate)


def _unpack(archive: bytes, entry: Entry, offset: int) -> bytes:
    packed = memoryview(archive)[offset : offset + entry.packed]
    content = bytes(packed) if entry.method == archive_structure.STORED else _inflate(packed, entry)
    if zlib.crc32(content) != entry.checksum:
        raise entry.refused(f"checksum {entry.checksum:#010x}", f"{zlib.crc32(content):#010x}")
    return content


def _inflate(packed: memoryview, entry: Entry) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = engine.decompress(packed, entry.unpacked + 1)  # one more shows who lies; 0 would mean no limit
    except zlib.error:
        raise entry.refused("deflated content", "other data") from None
    if len(content) != entry.unpacked or not engine.eof or engine.unused_data:
        raise entry.refused(f"{entry.unpacked} bytes in {entry.packed}, as stated", "another size")
    return content


def _limited(data: bytes | BinaryIO, limit: int) -> bytes:
    # A stream may give less than it was asked for, and no more than one byte over the limit is asked for.
    archive = data if isinstance(data, bytes) else b"".join(_chunks(data, limit + 1))
    if len(archive) > limit:
        raise TooLargeError(f"archive: expected at most {limit} bytes, found more")
    return archive


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := stream.read(min(size, _CHUNK))):
        size -= len(chunk)
        yield chunk


def _check_sizes(entries: list[Entry], archive_size: int, limits: Limits) -> None:
    total = sum(entry.unpacked for entry in entries)
    if total > limits.unpacked_bytes:
        raise TooLargeError(f"archive: expected at most {limits.unpacked_bytes} bytes when unpacked, found {total}")
    for entry in entries:
        _check_ratio(quoted(entry.path), entry.unpacked, entry.packed, limits)
    _check_ratio("archive", total, archive_size, limits)


def _check_ratio(what: str, unpacked: int, packed: int, limits: Limits) -> None:
    if unpacked > MIB and unpacked > limits.ratio * packed:
        raise TooLargeError(
            f"{what}: expected at most {limits.ratio} bytes for each packed one, found {unpacked} in {packed}"
        )
