"""Acumos splitters and collators: from their maps in the blueprint to what happens to the bytes on each edge.

- Splitter, copy-based: every target gets the message. Parameter-based: every target gets a message with the fields
  that `map_outputs` gives it: `mapped_to_field` (a field of the input, dotted for a nested one) → `parameter_tag`.
- Collator: **the n-th message of every edge together make the n-th output**. Array-based: the output is the one message
  that its target reads, and each input becomes an element of its repeated field. Parameter-based: each source gives
  the fields that `map_inputs` takes from it: `parameter_tag` (of the input) → `mapped_to_field`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from orchestrator import compatibility
from orchestrator.wire import Move, Select, Wrap

_MAX_NUMBER = (1 << 29) - 1  # of a field, in protobuf


class MappingError(ValueError):
    """A map of the blueprint cannot be carried out; the message says why."""


def is_by_parameter(settings: Mapping[str, Any]) -> bool:
    """Say whether the node's type (`splitter_type`, `collator_type`) names parameters."""
    kind = settings.get("splitter_type") or settings.get("collator_type") or ""
    return isinstance(kind, str) and kind.strip().lower().startswith("parameter")


def split(settings: Mapping[str, Any], target: str) -> Select | None:
    """Return what the splitter gives the node `target`; None: the whole message.

    Raises:
        MappingError: the target gets nothing, or a map is malformed.
    """
    if not is_by_parameter(settings):
        return None
    fields = [
        field for field in _fields(settings, "map_outputs", "output_field") if _names(field, "target_name", target)
    ]
    moves = [
        Move(_path(field, "mapped_to_field"), _number(field, "parameter_tag")) for field in fields if _is_mapped(field)
    ]
    if not moves:
        raise MappingError(f"no map_outputs entry with a mapped_to_field for target_name {target}")
    return Select(tuple(moves))


def collate(
    settings: Mapping[str, Any], source: str, given: Descriptor | None, wanted: Descriptor | None
) -> Select | Wrap:
    """Return what the collator takes from the node `source` into a message `wanted`.

    Raises:
        MappingError: the source gives nothing, no field fits, or a map is malformed.
    """
    if is_by_parameter(settings):
        fields = [
            field for field in _fields(settings, "map_inputs", "input_field") if _names(field, "source_name", source)
        ]
        moves = [
            Move(_path(field, "parameter_tag"), _number(field, "mapped_to_field"))
            for field in fields
            if _is_mapped(field)
        ]
        if not moves:
            raise MappingError(f"no map_inputs entry with a mapped_to_field for source_name {source}")
        return Select(tuple(moves))
    if given is None or wanted is None:
        raise MappingError("the messages at both sides of an array-based collator must be known")
    for field in wanted.fields:
        if field.is_repeated and field.message_type is not None and _fits(given, field.message_type):
            return Wrap(field.number)
    raise MappingError(f"no repeated field for {compatibility.describe(given)} in {compatibility.describe(wanted)}")


def _fits(given: Descriptor, element: Descriptor) -> bool:
    return not any(difference.is_fatal for difference in compatibility.compare(given, element))


def missing(mapping: Select, given: Descriptor) -> tuple[str, ...]:
    """Return the fields that a selection takes and the message type does not have."""
    return tuple(".".join(map(str, move.path)) for move in mapping.moves if not _has(given, move.path))


def _has(message: Descriptor, path: tuple[int, ...]) -> bool:
    field = message.fields_by_number.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    return field.message_type is not None and _has(field.message_type, path[1:])


def _fields(settings: Mapping[str, Any], key: str, inner: str) -> Iterable[Mapping[str, Any]]:
    entries = settings.get(key)
    for entry in entries if isinstance(entries, list) else ():
        field = entry.get(inner) if isinstance(entry, dict) else None
        if isinstance(field, dict):
            yield field


def _names(field: Mapping[str, Any], key: str, node: str) -> bool:
    name = field.get(key)
    return isinstance(name, str) and name.strip().lower() == node.lower()


def _is_mapped(field: Mapping[str, Any]) -> bool:
    return str(field.get("mapped_to_field") or "").strip() not in {"", "null"}


def _path(field: Mapping[str, Any], key: str) -> tuple[int, ...]:
    return tuple(_positive(part, key) for part in str(field.get(key)).split("."))


def _number(field: Mapping[str, Any], key: str) -> int:
    return _positive(str(field.get(key)), key)


def _positive(text: str, key: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) <= _MAX_NUMBER:
        raise MappingError(f"{key}: expected a field number, found {text[:40]!r}")
    return int(text)
