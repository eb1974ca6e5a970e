"""The one YAML writer: JSON-like values → block style that every reader takes for exactly the same values.

YAML 1.1 readers, YAML 1.2 readers and kubectl disagree on what a bare `y`, `1e3`, `08` or `12:30` is. So only what is
plainly a word stays bare; other text is double-quoted, in ASCII. Text of several lines is a literal block where all
readers agree on it, because people read the protos and scripts in a ConfigMap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import TypeAlias

Value: TypeAlias = "Mapping[str, Value] | Sequence[Value] | str | int | float | bool | None"

# Readers of YAML 1.1 resolve a plain scalar by its first character; nothing that begins with a letter is a number, a
# date or a special sign. What remains are these words, in any case: Go and PyYAML know different spellings of them.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NOT_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_LITERAL = re.compile(r"[\t\n -~]*")
_LINE_START = re.compile(r"\n(?=[^\n])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASTRAL = re.compile("([\U00010000-\U0010ffff])")

# A longer key needs the explicit form: readers look 1024 characters ahead for its colon.
_SIMPLE_KEY_LIMIT = 512
# Keys and short values repeat in every object of a bundle; long ones do not, and would fill the cache.
_SHORT = 64
_KEPT = 4096

_Write: TypeAlias = Callable[[str], None]


def dump(value: Value) -> bytes:
    """Write one document without markers: two columns of indentation, keys as they come, no aliases.

    Collections are dicts, lists and tuples. Readers in Go keep integers exact within 64 bits only.

    Raises:
        TypeError: a value or a key is of another type.
        ValueError: a number is not finite, or a text holds half of a surrogate pair: YAML has neither.
    """
    lines: list[str] = []
    _document(value, lines.append)
    return "".join(lines).encode("ascii")


def dump_all(values: Iterable[Value]) -> bytes:
    """Write several documents, each after a `---` line. Raises as `dump` does."""
    return b"".join(b"---\n" + dump(value) for value in values)


def entry(key: str, content: bytes, depth: int) -> bytes:
    """Write a key whose value is a collection that `dump` has written already: what is in two documents is made once.

    The lines follow those of a document in which the key belongs, `depth` mappings below its top.
    """
    pad = "  " * depth
    lines = _LINE_START.sub(f"\n{pad}  ", "\n" + content.decode("ascii"))
    return f"{pad}{_lines[key]}:{lines}".encode("ascii")


def _document(value: Value, write: _Write) -> None:
    if isinstance(value, str):
        # Never a literal block: readers differ on how deep the content of one lies that no collection holds.
        write(f"{_lines[value] if len(value) <= _SHORT else _quoted(value)}\n")
    elif isinstance(value, dict) and value:
        _mapping(value, "", "", write)
    elif isinstance(value, (list, tuple)) and value:
        _sequence(value, "", "", write)
    else:
        write(f"{_scalar(value)}\n")


def _mapping(mapping: Mapping[str, Value], lead: str, pad: str, write: _Write) -> None:
    """Write entries at the column of `pad`; the first one follows `lead`, which is as wide."""
    inner = f"{pad}  "
    for key, value in mapping.items():
        name = _lines[key] if len(key) <= _SHORT else _long_key(key, pad)
        if isinstance(value, str):
            write(f"{lead}{name}: {_text(value, inner)}\n")
        elif isinstance(value, dict) and value:
            write(f"{lead}{name}:\n")
            _mapping(value, inner, inner, write)
        elif isinstance(value, (list, tuple)) and value:
            write(f"{lead}{name}:\n")
            _sequence(value, inner, inner, write)
        else:
            write(f"{lead}{name}: {_scalar(value)}\n")
        lead = pad


def _sequence(items: Sequence[Value], lead: str, pad: str, write: _Write) -> None:
    """Write items at the column of `pad`; the first one follows `lead`, which is as wide."""
    inner = f"{pad}  "
    for item in items:
        if isinstance(item, str):
            write(f"{lead}- {_text(item, inner)}\n")
        elif isinstance(item, dict) and item:
            _mapping(item, f"{lead}- ", inner, write)
        elif isinstance(item, (list, tuple)) and item:
            _sequence(item, f"{lead}- ", inner, write)
        else:
            write(f"{lead}- {_scalar(item)}\n")
        lead = pad


def _scalar(value: Value) -> str:
    """Return the text of a number, a bool, null or an empty collection."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"yaml: expected a JSON-like value, found {type(value).__name__}")


def _float(value: float) -> str:
    if not isfinite(value):
        raise ValueError(f"yaml: expected a finite number, found {value}")
    text = float.__repr__(value)
    # YAML 1.1 takes 1e+16 for text: a float needs its point.
    return text if "." in text else text.replace("e", ".0e")


def _text(text: str, pad: str) -> str:
    """Return `text` as a value; `pad` indents the lines of a literal block."""
    if "\n" in text and _LITERAL.fullmatch(text) and not text.isspace():
        return _literal(text, pad)
    return _lines[text] if len(text) <= _SHORT else _quoted(text)


class _Lines(dict[str, str]):
    """Short texts on one line: plain where it is a word, else double-quoted. Once it is full, it begins anew."""

    def __missing__(self, text: str) -> str:
        if len(self) >= _KEPT:
            self.clear()
        word = _WORD.fullmatch(text)
        # Not `text` itself: the next one to ask may hold a plain str that only equals this member of an enum.
        line = self[text] = word[0] if word and text.lower() not in _NOT_WORDS else _quoted(text)
        return line


_lines = _Lines()


def _long_key(key: str, pad: str) -> str:
    text = _quoted(key)
    return text if len(text) <= _SIMPLE_KEY_LIMIT else f"? {text}\n{pad}"


def _quoted(text: str) -> str:
    """Return `text` in double quotes; its escapes are JSON's, but for characters beyond U+FFFF."""
    if text.isascii():
        return encode_basestring_ascii(text)
    if _SURROGATE.search(text):
        raise ValueError("yaml: expected Unicode text, found half of a surrogate pair")
    # JSON writes surrogate pairs, which no YAML reader joins. The pieces at odd places are single such characters.
    pieces = _ASTRAL.split(text)
    pieces[::2] = [encode_basestring_ascii(piece)[1:-1] for piece in pieces[::2]]
    pieces[1::2] = [f"\\U{ord(piece):08x}" for piece in pieces[1::2]]
    return f'"{"".join(pieces)}"'


def _literal(text: str, pad: str) -> str:
    # Without the digit, readers would guess the indentation from the first line that is not empty.
    depth = "2" if text[0] in " \t\n" else ""
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    chomping = "-" if ending == 0 else "" if ending == 1 else "+"
    content = _LINE_START.sub(f"\n{pad}", f"\n{body}")
    return f"|{depth}{chomping}{content}{chr(10) * (ending - 1)}"
