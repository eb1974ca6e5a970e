"""Moves the `proto_uri` of every node of a blueprint to where the catalog keeps that node's proto; no other byte changes.

A blueprint that was made elsewhere names places of its old marketplace. Served as it is, a deployer would ask us for
those: it would find nothing, or, with an id in the path, a stranger's proto, fetched with the deployer's own credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Place = Callable[[str, bool], str | None]
"""(container name, whether the node names a place now) → its place with us; None leaves the node as it is."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|/\*.*?\*/|[^\s"{}\[\]:,/]++|\s++', re.DOTALL)
_BOM = "\ufeff"


@dataclass(slots=True)
class _Container:
    """An object or array that is being read."""

    is_object: bool
    key: str | None = None
    """Of the member that is being read; None where a key comes next."""


@dataclass(slots=True)
class _NodeText:
    """Where a node's object begins (after its brace), and what of it matters."""

    begin: int
    container_name: str = ""
    has_key: bool = False
    """There is a `proto_uri`, whatever it is."""
    places: list[tuple[int, int, str]] = field(default_factory=list)
    """Begin and end of each `proto_uri`, and the text it stands for."""


def moved(blueprint: bytes, place: Place) -> bytes:
    """Return the blueprint with the places that `place` says. What is no JSON comes back as it is.

    A node without `proto_uri` gets one; a value that is no text is left to the parser's findings.
    """
    try:
        text = blueprint.decode()
    except UnicodeDecodeError:
        return blueprint
    edits: list[tuple[int, int, str]] = []
    for node in _nodes(text):
        is_named = any(value for _, _, value in node.places)
        uri = place(node.container_name, is_named)
        if uri is None:
            continue
        written = json.dumps(uri)
        edits += [(begin, end, written) for begin, end, _ in node.places]
        if not node.has_key:
            edits.append((node.begin, node.begin, f'"proto_uri": {written}, '))
    return _edited(text, sorted(edits)).encode()


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for begin, end, written in edits:
        parts += [text[done:begin], written]
        done = end
    return "".join([*parts, text[done:]])


def _nodes(text: str) -> Iterator[_NodeText]:
    """Walk the text token by token; yield each object of a top-level list `nodes`."""
    stack: list[_Container] = []
    node: _NodeText | None = None
    position = len(_BOM) if text.startswith(_BOM) else 0
    while token := _TOKEN.match(text, position):
        word, position = token[0], token.end()
        if word in "{[":
            stack.append(_Container(is_object=word == "{"))
            if _is_node(stack):
                node = _NodeText(position)
        elif word in "}]":
            if node is not None and _is_node(stack):
                yield node
                node = None
            if stack:
                stack.pop()
        elif word == ",":
            if stack:
                stack[-1].key = None
        elif word != ":" and not word.isspace() and not word.startswith("/*") and stack:
            _read_word(stack, word, token.span(), node)


def _is_node(stack: list[_Container]) -> bool:
    return [c.is_object for c in stack] == [True, False, True] and stack[0].key == "nodes"


def _read_word(stack: list[_Container], word: str, span: tuple[int, int], node: _NodeText | None) -> None:
    """Take a key, or a value that matters."""
    top = stack[-1]
    value = _text(word)
    if top.is_object and top.key is None:
        top.key = value or ""
        if node is not None and _is_node(stack) and value == "proto_uri":
            node.has_key = True
    elif node is not None and _is_node(stack) and value is not None:
        if top.key == "container_name":
            node.container_name = value
        elif top.key == "proto_uri":
            node.places.append((*span, value))


def _text(word: str) -> str | None:
    """Return the text that a token stands for; null stands for none, other values for no text at all."""
    if word == "null":
        return ""
    try:
        value = json.loads(word, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None
