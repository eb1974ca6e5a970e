"""The structure of a zip: the layout of its records, and a parser that accepts one reading only.

Entries lie end to end from the first byte to the central directory, that ends where the end record begins, and both
descriptions of an entry agree: there is no room for overlaps, hidden entries or data that another tool would see.
Layouts and numbers are those of APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16; zip64 is not needed below 4 GiB.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shared.errors import InvalidArchiveError
from shared.findings import quoted

_LOCAL = struct.Struct("<I5H3I2H")
_CENTRAL = struct.Struct("<I6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DESCRIPTOR = struct.Struct("<3I")
_EXTRA = struct.Struct("<2H")

_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE = 0x04034B50, 0x02014B50  # "PK\3\4", "PK\1\2"
_END_SIGNATURE = b"PK\5\6"
_DESCRIPTOR_SIGNATURE = b"PK\7\10"

STORED, DEFLATED = 0, 8
UTF8 = 1 << 11
_STREAMED = 1 << 3  # checksum and sizes follow the content, in a data descriptor
_KNOWN_FLAGS = 0b110 | _STREAMED | UTF8  # the first two tell deflate's effort; any other is encryption or a patch

_MAX_COMMENT = 0xFFFF
_CREATED_ON_UNIX = 3 << 8
_VERSION = 20  # 2.0: deflate and directories
_FIRST_DAY = 1 << 5 | 1  # 1980-01-01, where the format's calendar begins
_UNICODE_PATH = 0x7075  # Info-ZIP's second name, APPNOTE 4.6.9: five bytes of version and checksum stand before it


class Entry(NamedTuple):
    """A file or directory as the central directory describes it; sizes and offset in bytes."""

    path: str
    name: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    unpacked: int
    mode: int
    offset: int

    @property
    def is_directory(self) -> bool:
        """True when the path ends with a slash."""
        return self.path.endswith("/")

    def refused(self, expected: str, found: object) -> InvalidArchiveError:
        """Return the error that names this entry."""
        return InvalidArchiveError(f"{quoted(self.path)}: expected {expected}, found {found}")


class End(NamedTuple):
    """What the end record says: the number of entries, and the bytes where the directory and the record begin."""

    entries: int
    directory: int
    position: int


# A link or a device is no danger in memory, but for whoever unpacks the bundle that it ends up in.
_RULES: tuple[tuple[str, Callable[[Entry], bool], Callable[[Entry], object]], ...] = (
    ("no encryption", lambda entry: not entry.flags & ~_KNOWN_FLAGS, lambda entry: f"flags {entry.flags:#06x}"),
    ("method 0 or 8", lambda entry: entry.method in (STORED, DEFLATED), lambda entry: entry.method),
    ("one size when stored", lambda entry: entry.method == DEFLATED or entry.packed == entry.unpacked, lambda _: "two"),
    ("a file or directory", lambda entry: stat.S_IFMT(entry.mode) in _file_types(entry), lambda e: f"mode {e.mode:#o}"),
    ("no content in a directory", lambda entry: not (entry.is_directory and entry.unpacked), lambda _: "some"),
)


def local_record(entry: Entry) -> bytes:
    """Return the header that stands before the content."""
    return _LOCAL.pack(_LOCAL_SIGNATURE, *_facts(entry)) + entry.name


def central_record(entry: Entry) -> bytes:
    """Return the header that stands in the central directory."""
    version, attributes = _CREATED_ON_UNIX | _VERSION, entry.mode << 16
    return _CENTRAL.pack(_CENTRAL_SIGNATURE, version, *_facts(entry), 0, 0, 0, attributes, entry.offset) + entry.name


def closing_record(count: int, *, directory: int, size: int) -> bytes:
    """Return the record at the end, for a central directory of `size` bytes that begins at byte `directory`."""
    return _END.pack(_END_SIGNATURE, 0, 0, count, count, size, directory, 0)


def end_record(archive: bytes) -> End:
    """Find the record at the end; only the archive's own comment may follow it.

    Raises:
        InvalidArchiveError: there is none, it is not the end, or the archive has several parts.
    """
    position = archive.rfind(_END_SIGNATURE, max(0, len(archive) - _END.size - _MAX_COMMENT))
    if position < 0:
        raise InvalidArchiveError("archive: expected a zip archive, found no end record")
    _, disk, first_disk, here, count, size, directory, comment = _fields(_END, archive, position)
    if (disk, first_disk, here) != (0, 0, count):
        raise InvalidArchiveError("archive: expected one part, found one of several")
    if directory + size != position:
        raise InvalidArchiveError(
            "archive: expected the end record right after the central directory, found other data or zip64"
        )
    if position + _END.size + comment != len(archive):
        raise InvalidArchiveError("archive: expected nothing after the end record, found other data")
    return End(count, directory, position)


def central_directory(archive: bytes, end: End) -> Iterator[Entry]:
    """Yield the entries as the central directory lists them.

    Raises:
        InvalidArchiveError: the directory is damaged, or an entry is not one that this project reads.
    """
    offset = end.directory
    for _ in range(end.entries):
        signature, _, _, flags, method, _, _, *facts, attributes, start = _fields(_CENTRAL, archive, offset)
        checksum, packed, unpacked, name_size, extra_size, comment_size, _, _ = facts
        if signature != _CENTRAL_SIGNATURE:
            raise InvalidArchiveError(f"archive: expected an entry of the central directory at byte {offset}")
        name, extra = _variable(archive, offset + _CENTRAL.size, name_size, extra_size)
        entry = Entry(_path(name), name, flags, method, checksum, packed, unpacked, attributes >> 16, start)
        _check(entry, extra)
        yield entry
        offset += _CENTRAL.size + name_size + extra_size + comment_size
    if offset != end.position:
        raise InvalidArchiveError(
            f"archive: expected {end.entries} entries in the central directory, found more or fewer"
        )


def content_offsets(archive: bytes, entries: Iterable[Entry], end: End) -> dict[str, int]:
    """Return by path where each entry's packed content begins, after walking over every byte before the directory.

    Raises:
        InvalidArchiveError: entries overlap, leave a gap, or their own headers tell something else.
    """
    offsets: dict[str, int] = {}
    offset = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset != offset:
            raise entry.refused(f"its header at byte {offset}, after its predecessor", entry.offset)
        offsets[entry.path] = _content_offset(archive, entry)
        offset = offsets[entry.path] + entry.packed
        offset += _descriptor_size(archive, entry, offset)
    if offset != end.directory:
        raise InvalidArchiveError(
            "archive: expected the central directory right after the last entry, found other data"
        )
    return offsets


def _facts(entry: Entry) -> tuple[int, ...]:
    sizes = (entry.checksum, entry.packed, entry.unpacked, len(entry.name), 0)
    return (_VERSION, entry.flags, entry.method, 0, _FIRST_DAY, *sizes)


def _content_offset(archive: bytes, entry: Entry) -> int:
    signature, _, flags, method, _, _, *facts, name_size, extra_size = _fields(_LOCAL, archive, entry.offset)
    name, extra = _variable(archive, entry.offset + _LOCAL.size, name_size, extra_size)
    if (signature, flags, method, name) != (_LOCAL_SIGNATURE, entry.flags, entry.method, entry.name):
        raise entry.refused("the header before it to agree with the central directory", "another name or method")
    # A writer that streams knows some or none of these beforehand, and writes 0 for the others.
    unknown = {0} if entry.flags & _STREAMED else set()
    for fact, known in zip(facts, (entry.checksum, entry.packed, entry.unpacked), strict=True):
        if fact not in {known} | unknown:
            raise entry.refused("the header before it to agree with the central directory", "another size or checksum")
    _check_extra(entry, extra)
    return entry.offset + _LOCAL.size + name_size + extra_size


def _descriptor_size(archive: bytes, entry: Entry, offset: int) -> int:
    if not entry.flags & _STREAMED:
        return 0
    descriptor = _DESCRIPTOR.pack(entry.checksum, entry.packed, entry.unpacked)
    for form in (_DESCRIPTOR_SIGNATURE + descriptor, descriptor):
        if archive.startswith(form, offset):
            return len(form)
    raise entry.refused("a data descriptor that agrees with the central directory", "other data")


def _check(entry: Entry, extra: bytes) -> None:
    for expected, holds, found in _RULES:
        if not holds(entry):
            raise entry.refused(expected, found(entry))
    _check_extra(entry, extra)


def _check_extra(entry: Entry, extra: bytes) -> None:
    offset = 0
    while offset + _EXTRA.size <= len(extra):
        kind, size = _EXTRA.unpack_from(extra, offset)
        offset += _EXTRA.size + size
        if offset > len(extra):
            raise entry.refused("extra fields that end where they say", "one that is longer")
        if kind == _UNICODE_PATH and extra[offset - size + 5 : offset] != entry.name:
            raise entry.refused("one name", "a second one in an extra field")


def _file_types(entry: Entry) -> tuple[int, int]:
    """Return the file types that fit the path; 0 is what writers put who know no modes."""
    return 0, stat.S_IFDIR if entry.is_directory else stat.S_IFREG


def _path(name: bytes) -> str:
    try:
        # Info-ZIP writes UTF-8 without saying so in the flags; older code pages are refused.
        return name.decode()
    except UnicodeDecodeError:
        raise InvalidArchiveError(f"{quoted(name.decode('latin-1'))}: expected a name in UTF-8") from None


def _variable(archive: bytes, offset: int, name_size: int, extra_size: int) -> tuple[bytes, bytes]:
    extra = offset + name_size
    return archive[offset:extra], archive[extra : extra + extra_size]


def _fields(layout: struct.Struct, archive: bytes, offset: int) -> tuple[int, ...]:
    if offset + layout.size > len(archive):
        raise InvalidArchiveError(f"archive: expected {layout.size} bytes at byte {offset}, found the end")
    return layout.unpack_from(archive, offset)
