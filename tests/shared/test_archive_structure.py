"""Foreign archives, byte by byte: those of ordinary tools are read, and every hostile one is refused as a whole."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from shared import archive
from shared.errors import InvalidArchiveError, TooLargeError

MIB = 1024 * 1024
STREAMED, UTF8 = 8, 0x800
TIMES = b"UT\x09\x00\x03" + b"\x01\x02\x03\x04" * 2  # Info-ZIP's extra fields: times, and owner
OWNER = b"ux\x0b\x00\x01\x04\x00\x00\x00\x00\x04\x00\x00\x00\x00"


def deflated(content: bytes) -> bytes:
    engine = zlib.compressobj(1, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


@dataclass
class Record:
    """One entry, true unless told otherwise; `local` replaces fields of the header before the content."""

    name: bytes = b"a.txt"
    content: bytes = b"hello hello hello hello"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    data: bytes | None = None
    extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes = b""
    central: dict[str, Any] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def packed(self) -> bytes:
        if self.data is not None:
            return self.data
        return deflated(self.content) if self.method == 8 else self.content

    def facts(self, replaced: dict[str, Any]) -> dict[str, Any]:
        true = {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "checksum": zlib.crc32(self.content),
            "packed": len(self.packed),
            "unpacked": len(self.content),
            "extra": self.extra,
        }
        return true | replaced


def header(facts: dict[str, Any]) -> bytes:
    sizes = (facts["checksum"], facts["packed"], facts["unpacked"], len(facts["name"]), len(facts["extra"]))
    return struct.pack("<5H3I2H", 20, facts["flags"], facts["method"], 0, 33, *sizes)


def local(record: Record) -> bytes:
    facts = record.facts(record.central | record.local)
    return b"PK\3\4" + header(facts) + facts["name"] + facts["extra"] + record.packed + record.descriptor


def central(record: Record, offset: int) -> bytes:
    facts = record.facts(record.central)
    made = struct.pack("<H", 3 << 8 | 30)
    rest = struct.pack("<3H2I", len(record.comment), 0, 0, record.mode << 16, record.central.get("offset", offset))
    return b"PK\1\2" + made + header(facts) + rest + facts["name"] + facts["extra"] + record.comment


def zipped(*records: Record, prefix: bytes = b"", hidden: bytes = b"", comment: bytes = b"", **end: int) -> bytes:
    """Join the records into an archive; `prefix` comes first, `hidden` before the central directory."""
    body, directory = bytearray(prefix), bytearray()
    for record in records:
        directory += central(record, len(body))
        body += local(record)
    body += hidden
    facts = {"disk": 0, "here": len(records), "count": len(records), "size": len(directory), "start": len(body)} | end
    return bytes(body + directory) + end_record(comment=comment, **facts)


def end_record(
    *, count: int, size: int, start: int, disk: int = 0, here: int | None = None, comment: bytes = b""
) -> bytes:
    here = count if here is None else here
    return b"PK\5\6" + struct.pack("<4H2IH", disk, 0, here, count, size, start, len(comment)) + comment


def streamed(name: bytes, content: bytes, *, signature: bytes = b"PK\7\x08", **local_facts: int) -> Record:
    """Return an entry whose header is written before its content is known, as to a pipe."""
    packed = deflated(content)
    descriptor = signature + struct.pack("<3I", zlib.crc32(content), len(packed), len(content))
    unknown = {"checksum": 0, "packed": 0, "unpacked": 0} | local_facts
    return Record(name, content, flags=STREAMED | UTF8, mode=0, local=unknown, descriptor=descriptor)


def python_stream() -> bytes:
    """Return what zipfile writes to something that cannot seek."""

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return target.write(data)

    target = io.BytesIO()
    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a.txt", "hello")
        with writer.open("b.txt", "w") as entry:
            entry.write(b"")
    return target.getvalue()


def python_file(compression: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as writer:
        writer.writestr("d/größe.txt", "hello")
        writer.writestr("d/", "")
    return target.getvalue()


ONE, TWO = Record(b"one", b"1", 0), Record(b"two", b"2", 0)
DIRECTORY = Record(b"d/", b"", 0, mode=0o40755)

BENIGN = {
    "Info-ZIP": (
        zipped(
            Record(b"d/", b"", 0, mode=0o40755, extra=TIMES + OWNER),
            Record(b"d/a.txt", b"hello", 0, extra=TIMES + OWNER, local={"extra": TIMES}),
            Record(b"d/b.txt", b"hello" * 9, mode=0o100755, extra=TIMES + OWNER, comment=b"a remark"),
        ),
        {"d/a.txt": b"hello", "d/b.txt": b"hello" * 9},
    ),
    "Info-ZIP to a pipe": (
        zipped(DIRECTORY, streamed(b"a.txt", b"hello", unpacked=5)),
        {"a.txt": b"hello"},
    ),
    "Info-ZIP, UTF-8 without the flag": (zipped(Record("größe".encode(), b"x", 0)), {"größe": b"x"}),
    "Info-ZIP, an equal second name": (
        zipped(Record(b"a", b"x", 0, extra=TIMES + struct.pack("<2HBI", 0x7075, 6, 1, 0) + b"a")),
        {"a": b"x"},
    ),
    "Java": (
        zipped(streamed(b"d/", b""), streamed("d/größe".encode(), b"hello" * 9), Record(b"s", b"x", 0, flags=UTF8)),
        {"d/größe": b"hello" * 9, "s": b"x"},
    ),
    "a descriptor without signature": (zipped(streamed(b"a", b"hello", signature=b"")), {"a": b"hello"}),
    "git archive": (
        zipped(Record(b"a", b"x", 0, mode=0, extra=TIMES), comment=b"0123456789abcdef0123456789abcdef01234567"),
        {"a": b"x"},
    ),
    "extra fields padded with zeros": (zipped(Record(b"a", b"x", 0, extra=b"\0\0\0")), {"a": b"x"}),
    "zipfile, stored": (python_file(zipfile.ZIP_STORED), {"d/größe.txt": b"hello"}),
    "zipfile, deflated": (python_file(zipfile.ZIP_DEFLATED), {"d/größe.txt": b"hello"}),
    "zipfile to a pipe": (python_stream(), {"a.txt": b"hello", "b.txt": b""}),
    "a central directory in another order": (
        local(ONE)
        + local(TWO)
        + central(TWO, len(local(ONE)))
        + central(ONE, 0)
        + end_record(count=2, size=len(central(ONE, 0) + central(TWO, 0)), start=len(local(ONE) + local(TWO))),
        {"one": b"1", "two": b"2"},
    ),
    "a deep path": (zipped(Record(b"d/" * 120 + b"x", b"y", 0)), {"d/" * 120 + "x": b"y"}),
    "nothing": (zipped(), {}),
    "an archive in an archive": (zipped(Record(b"a.zip", zipped(Record()), 0)), {"a.zip": zipped(Record())}),
}


@pytest.mark.parametrize("name", BENIGN)
def test_an_archive_of_an_ordinary_tool_is_read(name: str) -> None:
    data, files = BENIGN[name]

    assert archive.read(data) == files


TWIN = Record(b"b.txt", b"other", 0)
ZIP64_LOCATOR = b"PK\6\6" + bytes(52) + b"PK\6\7" + bytes(16)
HUGE = 0xFFFFFFFF
INNER = local(Record(b"inner", b"x", 0))

HOSTILE = {
    # What an entry is called: all rules are tested with `archive_paths`.
    "parent directory": (zipped(Record(b"../evil")), r'"\.\./evil": expected names'),
    "absolute path": (zipped(Record(b"/etc/cron.d/evil")), "expected a relative path"),
    "drive letter": (zipped(Record(b"C:/evil")), "expected a relative path"),
    "backslash": (zipped(Record(b"a\\..\\b")), "expected a path without backslashes"),
    "NUL": (zipped(Record(b"a.txt\0.exe")), "expected printable characters"),
    "control character": (zipped(Record(b"a\x1b[2J")), r'"a\\u001b\[2J": expected printable characters'),
    "empty name": (zipped(Record(b"")), "expected names between the slashes"),
    "root directory": (zipped(Record(b"/", b"", 0, mode=0o40755)), "expected names between the slashes"),
    "over-long name": (zipped(Record(b"x" * 60_000)), "expected a path of at most 255 bytes"),
    "name in another code page": (zipped(Record(b"gr\xf6\xdfe")), r'"gr\\u00f6\\u00dfe": expected a name in UTF-8'),
    "overlong UTF-8 for a slash": (zipped(Record(b"..\xc0\xafevil", flags=UTF8)), "expected a name in UTF-8"),
    "duplicate": (zipped(Record(), Record(content=b"other")), "expected one entry of this name"),
    "duplicate but for case": (zipped(Record(b"a.txt"), Record(b"A.TXT")), "expected one entry of this name"),
    "duplicate but for composition": (
        zipped(Record("caf\u00e9".encode(), flags=UTF8), Record("cafe\u0301".encode(), flags=UTF8)),
        "expected one entry of this name",
    ),
    "file and directory of one name": (zipped(Record(b"d"), DIRECTORY), "expected one entry of this name"),
    "file above a file": (zipped(Record(b"d"), Record(b"d/x")), "expected directories above"),
    "second name": (
        zipped(Record(extra=struct.pack("<2HBI", 0x7075, 9, 1, 0) + b"evil")),
        '"a.txt": expected one name, found a second one',
    ),
    "second name in the local header": (
        zipped(Record(local={"extra": struct.pack("<2HBI", 0x7075, 9, 1, 0) + b"evil"})),
        '"a.txt": expected one name, found a second one',
    ),
    "second name, empty": (zipped(Record(extra=struct.pack("<2H", 0x7075, 0))), "expected one name"),
    "extra field that is too long": (
        zipped(Record(extra=b"UT\x09\0\3")),
        "expected extra fields that end where they say",
    ),
    # What an entry is.
    "symbolic link": (
        zipped(Record(content=b"/etc/passwd", mode=0o120777)),
        "a file or directory, found mode 0o120777",
    ),
    "character device": (zipped(Record(mode=0o20666)), "expected a file or directory"),
    "block device": (zipped(Record(mode=0o60666)), "expected a file or directory"),
    "pipe": (zipped(Record(mode=0o10666)), "expected a file or directory"),
    "socket": (zipped(Record(mode=0o140666)), "expected a file or directory"),
    "directory without a slash": (zipped(Record(mode=0o40755)), "expected a file or directory"),
    "file with a slash": (zipped(Record(b"d/", b"", 0)), "expected a file or directory"),
    "directory with content": (zipped(Record(b"d/", b"x", 0, mode=0)), "expected no content in a directory"),
    "encrypted": (zipped(Record(flags=1)), "expected no encryption, found flags 0x0001"),
    "strongly encrypted": (zipped(Record(flags=0x41)), "expected no encryption"),
    "masked headers": (zipped(Record(flags=0x2000)), "expected no encryption"),
    "patch": (zipped(Record(flags=0x20)), "expected no encryption"),
    "bzip2": (zipped(Record(method=12, data=b"x")), "expected method 0 or 8, found 12"),
    "LZMA": (zipped(Record(method=14, data=b"x")), "expected method 0 or 8, found 14"),
    "AES": (zipped(Record(method=99, data=b"x")), "expected method 0 or 8, found 99"),
    # What it holds.
    "wrong checksum, stored": (zipped(Record(method=0, central={"checksum": 1})), "expected checksum 0x00000001"),
    "wrong checksum, deflated": (zipped(Record(central={"checksum": 1})), "expected checksum 0x00000001"),
    "more than stated": (zipped(Record(central={"unpacked": 22})), "expected 22 bytes in"),
    "less than stated": (zipped(Record(central={"unpacked": 24})), "expected 24 bytes in"),
    "more than stated, stored": (zipped(Record(method=0, central={"unpacked": 22})), "expected one size when stored"),
    "no deflated content": (zipped(Record(data=b"\xff" * 9)), "expected deflated content, found other data"),
    "cut deflated content": (zipped(Record(data=deflated(Record().content)[:-2])), "expected 23 bytes in"),
    "data after the deflated content": (zipped(Record(data=deflated(Record().content) + b"x")), "expected 23 bytes in"),
    "no data for some content": (zipped(Record(content=b"", data=b"")), "expected 0 bytes in 0, as stated"),
    # Two descriptions.
    "another name in the local header": (zipped(Record(local={"name": b"b.txt"})), "expected the header before it"),
    "another method in the local header": (zipped(Record(local={"method": 0})), "expected the header before it"),
    "other flags in the local header": (zipped(Record(local={"flags": 2})), "expected the header before it"),
    "another size in the local header": (zipped(Record(local={"unpacked": 9})), "another size or checksum"),
    "another packed size in the local header": (zipped(Record(local={"packed": 9})), "another size or checksum"),
    "another checksum in the local header": (zipped(Record(local={"checksum": 9})), "another size or checksum"),
    "no size in the local header": (zipped(Record(local={"unpacked": 0})), "another size or checksum"),
    "another size in a streamed local header": (zipped(streamed(b"a", b"x", unpacked=9)), "another size or checksum"),
    "zip64 in the local header": (
        zipped(Record(local={"packed": HUGE, "unpacked": HUGE, "extra": struct.pack("<2H2Q", 1, 16, 23, 9)})),
        "another size or checksum",
    ),
    "no data descriptor": (zipped(Record(flags=STREAMED)), "expected a data descriptor that agrees"),
    "data descriptor that lies": (
        zipped(Record(flags=STREAMED, descriptor=struct.pack("<4I", 0x08074B50, 1, 2, 3))),
        "expected a data descriptor that agrees",
    ),
    "data descriptor of zip64": (
        zipped(
            Record(flags=STREAMED, descriptor=struct.pack("<2I2Q", 0x08074B50, zlib.crc32(Record().content), 9, 23))
        ),
        "expected a data descriptor that agrees",
    ),
    "data descriptor without the flag": (
        zipped(Record(descriptor=b"PK\7\x08" + bytes(12))),
        "the central directory right",
    ),
    # Where things lie.
    "two entries of one content": (
        zipped(Record(), Record(b"b.txt", central={"offset": 0})),
        "expected its header at byte",
    ),
    "an entry inside another": (
        zipped(Record(b"outer", INNER + b"tail", 0), Record(b"inner", b"x", 0, central={"offset": 35})),
        '"inner": expected its header at byte',
    ),
    "an entry that runs into the next": (zipped(Record(central={"packed": 90}), TWIN), "expected its header at byte"),
    "an entry that runs into the directory": (
        zipped(Record(central={"packed": 90})),
        "the central directory right after",
    ),
    "an entry out of the archive": (zipped(Record(central={"offset": HUGE})), "expected its header at byte 0"),
    "no local header": (zipped(Record()).replace(b"PK\3\4", b"PK\3\5"), "expected the header before it to agree"),
    "data before the first entry": (zipped(Record(), prefix=b"#!/bin/sh\n"), "expected its header at byte 0"),
    "data before a whole archive": (b"#!/bin/sh\n" + zipped(Record()), "the end record right after"),
    "data between entries": (zipped(Record(), Record(b"b.txt", central={"offset": 99})), "expected its header at byte"),
    "data before the directory": (zipped(Record(), hidden=INNER), "the central directory right after the last entry"),
    "data before the end record": (
        zipped(Record()).replace(b"PK\5\6", b"hidden!PK\5\6"),
        "the end record right after the central directory",
    ),
    "data after the end": (zipped(Record()) + b"x", "expected nothing after the end record"),
    "an archive after the end": (zipped(Record()) + zipped(TWIN), "the end record right after the central directory"),
    "an archive in the comment": (zipped(Record(), comment=zipped(TWIN)), "the end record right after the central"),
    "an end record in the comment": (zipped(Record(), comment=zipped()), "the end record right after the central"),
    "zip64 end record": (zipped(Record()).replace(b"PK\5\6", ZIP64_LOCATOR + b"PK\5\6"), "zip64"),
    "zip64 sizes": (zipped(Record(), size=HUGE, start=HUGE), "zip64"),
    # How many.
    "fewer entries than stated": (zipped(Record(), here=2, count=2), "expected 46 bytes at byte 96, found the end"),
    "more entries than stated": (
        zipped(Record(), TWIN, here=1, count=1),
        "expected 1 entries in the central directory",
    ),
    "part of several": (zipped(Record(), disk=1), "expected one part, found one of several"),
    "part of the entries": (zipped(Record(), here=1, count=2), "expected one part, found one of several"),
    "no entry where the directory begins": (zipped(Record()).replace(b"PK\1\2", b"PK\1\3"), "expected an entry of the"),
    "cut in the end record": (zipped(Record())[:-1], "found the end"),
    "cut before the end record": (zipped(Record())[:-22], "found no end record"),
    "the end record alone": (zipped(Record())[-22:], "the end record right after the central directory"),
    "not a zip": (b"<html>" * 99, "found no end record"),
    "empty": (b"", "found no end record"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_as_a_whole(name: str) -> None:
    data, message = HOSTILE[name]

    with pytest.raises(InvalidArchiveError, match=message):
        archive.read(data)


def test_reading_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    for data, _ in (*BENIGN.values(), *HOSTILE.values()):
        with suppress(InvalidArchiveError):
            archive.read(data)

    assert list(tmp_path.iterdir()) == []


def overlapping() -> bytes:
    """Return seven entries that share one content of 8 MiB."""
    kernel = Record(b"0", bytes(8 * MIB))
    directory = b"".join(central(Record(b"%d" % number, kernel.content, data=kernel.packed), 0) for number in range(7))
    return local(kernel) + directory + end_record(count=7, size=len(directory), start=len(local(kernel)))


def repeated(count: int, *, stated: int) -> bytes:
    """Return a central directory of `count` entries, of which the end record admits `stated`."""
    directory = central(Record(b"x", b"", 0), 0) * count
    return directory + end_record(count=stated, size=len(directory), start=0)


def empty_files(count: int) -> bytes:
    return zipped(*(Record(b"%d" % number, b"", 0) for number in range(count)))


def zeros(count: int) -> bytes:
    """Return entries that are too small, each alone, to be checked for how well they are packed."""
    packed = deflated(bytes(MIB))
    return zipped(*(Record(b"%d" % number, bytes(MIB), data=packed) for number in range(count)))


BOMBS: dict[str, Callable[[], bytes]] = {
    "one entry of zeros": lambda: zipped(Record(content=bytes(60 * MIB))),
    "many entries of zeros": lambda: zeros(60),
    "too much, as stated": lambda: zipped(Record(content=bytes(65 * MIB))),
    "too much, stated only": lambda: zipped(Record(central={"unpacked": HUGE})),
    "more than stated": lambda: zipped(Record(content=bytes(60 * MIB), central={"unpacked": 100_000})),
    "much, stated as nothing": lambda: zipped(Record(content=bytes(60 * MIB), central={"unpacked": 0})),
    "one content for many entries": overlapping,
    "65535 entries": lambda: repeated(65_535, stated=65_535),
    "as many entries as allowed, all one": lambda: repeated(6064, stated=6064),
    "one entry more than allowed": lambda: empty_files(6065),
    "a million entries": lambda: repeated(1_000_000, stated=100),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(name: str) -> None:
    data = BOMBS[name]()

    tracemalloc.start()
    with within(seconds=1), pytest.raises((TooLargeError, InvalidArchiveError)):
        archive.read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 64_000_000


def test_every_damaged_byte_is_noticed_or_changes_nothing() -> None:
    files = {"a.txt": b"hello", "d/b.txt": b"hello" * 20}
    data = zipped(streamed(b"a.txt", b"hello"), DIRECTORY, Record(b"d/b.txt", b"hello" * 20, extra=TIMES))

    for position in range(len(data)):
        for flipped in (0x01, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= flipped
            with suppress(InvalidArchiveError, TooLargeError):
                assert archive.read(bytes(damaged)) == files


def test_every_cut_archive_is_refused() -> None:
    data = zipped(streamed(b"a.txt", b"hello"), Record(b"b.txt"))

    for size in range(len(data)):
        with pytest.raises(InvalidArchiveError):
            archive.read(data[:size])


pieces = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\7\x08", zipped(Record()), zipped(), INNER]),
        st.sampled_from([data[start : start + 40] for data, _ in BENIGN.values() for start in range(0, len(data), 40)]),
    ),
    max_size=12,
)


@given(st.sampled_from([data for data, _ in BENIGN.values()]), pieces, st.integers(0, 400), st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_no_other_reader_gets_other_content_from_what_is_accepted(
    data: bytes, foreign: list[bytes], at: int, cut: int
) -> None:
    mutated = data[:at] + b"".join(foreign) + data[at + cut :]

    with suppress(InvalidArchiveError, TooLargeError, zipfile.BadZipFile, NotImplementedError):
        files = archive.read(mutated)
        with zipfile.ZipFile(io.BytesIO(mutated)) as other:
            assert sorted(files.values()) == sorted(other.read(e) for e in other.infolist() if not e.is_dir())
