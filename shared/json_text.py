"""Strict reading of JSON that a stranger wrote: bounded size and depth, no NaN, no key twice, no broken text.

The standard reader accepts all of these, and answers deep nesting and huge numbers with exceptions of its own;
here each is a fault with the JSON path where it stands, in time linear in the size.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

MIB = 1 << 20
MAX_DEPTH = 50
MAX_VALUES = 150_000  # a real text of 2 MiB holds half; `[],` over and over costs 30 times its size in memory
MAX_DIGITS = 400  # more than any number that a double can hold; the standard reader refuses from 4300 on
MAX_FAULTS = 200  # per text: a page of them is enough to see what is wrong
MAX_KEY = 60  # characters of a key that a JSON path shows

_BOM = b"\xef\xbb\xbf"
_LEAD = re.compile(rb"\s*+(?:/\*.*?\*/\s*+)*+", re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_MARKS = bytes(set(range(256)) - set(b'"[]{},'))
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in a JSON text that strict reading does not accept."""

    code: str
    """Stable slug, beginning with `json-`."""
    path: str
    """JSON path; `$` where the whole text is meant."""
    expected: str
    found: str

    def __str__(self) -> str:
        """Read as one line of text."""
        return f"{self.path}: expected {self.expected}, found {self.found}"


class JsonTextError(ValueError):
    """The text is no JSON that we read; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Reading:
    """A JSON text that could be read, and what is wrong with it all the same."""

    value: Any
    """Of a key that stands twice the last value; null in place of an impossible number; U+FFFD for half a character."""
    faults: tuple[Fault, ...]
    is_commented: bool
    """The text starts with a `/* … */` comment, which JSON does not have."""


def read(data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text without any fault.

    Raises:
        JsonTextError: the first fault.
    """
    reading = examine(data, max_bytes=max_bytes, max_depth=max_depth)
    if reading.is_commented:
        raise JsonTextError(Fault("json-invalid", "$", "JSON", "a comment"))
    if reading.faults:
        raise JsonTextError(reading.faults[0])
    return reading.value


def examine(data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Reading:
    """Read a JSON text as far as its meaning is certain; a byte order mark and leading comments are passed over.

    Raises:
        JsonTextError: nothing can be read: wrong encoding or syntax, or beyond a limit.
    """
    if len(data) > max_bytes:
        raise JsonTextError(Fault("json-too-large", "$", f"at most {max_bytes} bytes", f"{len(data)} bytes"))
    data = data.removeprefix(_BOM)
    lead = _lead(data)
    _check_shape(data[len(lead) :], max_depth)
    text = _decoded(data)
    builder = _Builder(has_surrogates=_SURROGATE_ESCAPE.search(data) is not None)
    value = builder.read(text, len(lead.decode()))
    return Reading(value, tuple(builder.faults), is_commented=b"/" in lead)


def child(path: str, key: str | int) -> str:
    """Return the JSON path of an element or a member."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if len(key) <= MAX_KEY and _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}"
    shown = key if len(key) <= MAX_KEY else f"{key[:MAX_KEY]}…"
    return f"{path}[{json.dumps(shown)}]"


def _lead(data: bytes) -> bytes:
    found = _LEAD.match(data)
    return found[0] if found else b""


def _check_shape(data: bytes, max_depth: int) -> None:
    """Refuse what would cost too much to build, before anything is built."""
    # Without escaped backslashes and quotes every second part between quotes is outside of strings. Up to the first
    # mistake, that is: there the decoder stops, and what this finds behind it does not matter.
    marks = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    outside = b"".join(marks.split(b'"')[::2])
    if sum(map(outside.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise JsonTextError(Fault("json-too-large", "$", f"at most {MAX_VALUES} values", "more"))
    steps = map(_STEPS.__getitem__, outside.replace(b",", b""))
    if max(accumulate(steps), default=0) > max_depth:
        raise JsonTextError(Fault("json-too-deep", "$", f"at most {max_depth} levels of nesting", "more"))


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        fault = Fault("json-encoding", "$", "UTF-8", f"byte 0x{data[problem.start]:02x} at offset {problem.start}")
        raise JsonTextError(fault) from None


@dataclass(frozen=True, slots=True, eq=False)
class _Impossible:
    """Stands for a number that JSON or a double cannot hold until its path is known."""

    text: str


_Trail = tuple[Any, ...]  # (trail of the container, key), or () above the root: rendered only for a fault


@dataclass(slots=True)
class _Builder:
    """Builds the value, remembers that something in it is at fault, and only then walks it to say where."""

    has_surrogates: bool
    twice: dict[int, tuple[dict[str, Any], list[str]]] = field(default_factory=dict)
    """Keys that stand twice, by the identity of their object, which is kept so that no other takes its identity."""
    has_impossible: bool = False
    faults: list[Fault] = field(default_factory=list)

    def read(self, text: str, start: int) -> Any:
        decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._impossible,
        )
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as problem:
            raise JsonTextError(_syntax_fault(text, problem.pos, problem.msg)) from None
        rest = text[end:].lstrip(" \t\r\n")
        if rest:
            raise JsonTextError(_syntax_fault(text, len(text) - len(rest), "more text after the end"))
        if self.twice or self.has_impossible or self.has_surrogates:
            holder = [value]
            self._mend(holder, ())
            value = holder[0]
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.twice[id(value)] = (value, list(_repeated(pairs)))
        return value

    def _integer(self, text: str) -> Any:
        return int(text) if len(text) <= MAX_DIGITS else self._impossible(text)

    def _float(self, text: str) -> Any:
        number = float(text)
        return number if math.isfinite(number) else self._impossible(text)

    def _impossible(self, text: str) -> _Impossible:
        self.has_impossible = True
        return _Impossible(text if len(text) <= MAX_KEY else f"{text[:MAX_KEY]}…")

    def _mend(self, container: Any, trail: _Trail) -> None:
        is_object = type(container) is dict
        if is_object:
            self._mend_keys(container, trail)
        for key, member in list(container.items()) if is_object else enumerate(container):
            kind = type(member)
            if kind is dict or kind is list:
                self._mend(member, (trail, key))
            elif kind is _Impossible:
                self._fault("json-number", (trail, key), "a number that JSON and a double can hold", member.text)
                container[key] = None
            elif kind is str and self.has_surrogates and _SURROGATE.search(member):
                self._fault("json-surrogate", (trail, key), "whole characters", "half of a surrogate pair")
                container[key] = _SURROGATE.sub("\ufffd", member)

    def _mend_keys(self, container: dict[str, Any], trail: _Trail) -> None:
        for key in self.twice.get(id(container), (container, []))[1]:
            self._fault("json-duplicate-key", (trail, key), "each key once", "the key again")
        if self.has_surrogates and any(map(_SURROGATE.search, container)):
            self._fault("json-surrogate", trail, "whole characters", "half of a surrogate pair in a key")
            members = {_SURROGATE.sub("\ufffd", key): member for key, member in container.items()}
            container.clear()
            container.update(members)

    def _fault(self, code: str, trail: _Trail, expected: str, found: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(code, _path(trail), expected, found))


def _path(trail: _Trail) -> str:
    """Render a trail; the outermost key is the index in the holder of the root."""
    above, key = trail
    return child(_path(above), key) if above else "$"


def _repeated(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            yield key
        seen.add(key)


def _syntax_fault(text: str, position: int, message: str) -> Fault:
    if not text.strip():
        return Fault("json-invalid", "$", "JSON", "an empty file")
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    reason = message[0].lower() + message[1:]
    return Fault("json-invalid", "$", "JSON", f"at line {line}, column {column}: {reason}")
