"""Finds what a proto imports, by its tokens: names are checked here, before anything is asked to open a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

# Linear: a comment or string without an end is taken to the end, so that no character is looked at twice.
_TOKENS = re.compile(
    r"""//[^\n]* | /\*(?:[^*]|\*(?!/))*(?:\*/)? | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'? | [A-Za-z_][\w.]* | \S""",
    re.VERBOSE | re.ASCII,
)
_SAFE = re.compile(r"(?!/)(?!.*(?://|\.\.))[A-Za-z0-9_./-]{1,200}")
GOOGLE = "google/protobuf/"


def imports(text: str) -> tuple[str, ...]:
    """Return the file names that the proto text imports, in order."""
    return tuple(dict.fromkeys(_imports(text)))


def _imports(text: str) -> Iterator[str]:
    tokens = (token for token in _TOKENS.findall(text) if not token.startswith(("//", "/*")))
    statement: list[str] = []
    for token in tokens:
        if token not in {";", "{", "}"}:
            statement.append(token)
            continue
        if statement[:1] == ["import"] and statement[-1][0] in "\"'":
            yield statement[-1][1:-1]
        statement = []


def is_safe(name: str) -> bool:
    """Say whether this is a relative path of plain characters without `..`: what protoc may be told."""
    return _SAFE.fullmatch(name) is not None


def sibling(name: str, stems: Mapping[str, str]) -> str | None:
    """Return which of the solution's protos an import means: folders do not count, the file name does.

    `stems` maps every spelling of a stem (lower case) to the stem.
    """
    return stems.get(PurePosixPath(name).stem.lower())


def reachable(
    stem: str, texts: Mapping[str, str], spellings: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return import name → stem of everything that `stem` needs, and the imports that nothing answers to.

    `spellings` maps every stem in lower case to itself.
    """
    found: dict[str, str] = {}
    missing: list[str] = []
    waiting = [stem]
    seen = {stem}
    while waiting:
        for name in imports(texts[waiting.pop()]):
            if name.startswith(GOOGLE) or name in found:
                continue
            target = sibling(name, spellings) if is_safe(name) else None
            if target is None:
                missing.append(name)
                continue
            found[name] = target
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return found, tuple(dict.fromkeys(missing))
