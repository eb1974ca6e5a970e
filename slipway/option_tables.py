"""JSON Schema of a deployer's options → Markdown: one table per object, each linked to from where it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_REFERENCE = "#/$defs/"
_SIMPLE = {"string": "text", "number": "number", "boolean": "`true`, `false`", "null": "`null`"}
_NOTHING: tuple[object, ...] = (None, {}, [], ())


def tables(schema: Schema) -> str:
    """Return a heading and a table for every object of the schema, the options themselves first."""
    return "\n".join(_section(name, about, schema["$defs"]) for name, about in schema["$defs"].items())


def _section(name: str, about: Schema, definitions: Schema) -> str:
    required = set(about["required"])
    rows = [
        f"| `{key}` | {_values(value)} | {_default(value, is_required=key in required)} | {_meaning(value, definitions)} |"
        for key, value in about["properties"].items()
    ]
    head = ["| option | values | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"### {name}", "", about["description"], "", *head, *rows]) + "\n"


def _values(value: Schema) -> str:
    """Return in words what a value may be."""
    if "$ref" in value:
        name = value["$ref"].removeprefix(_REFERENCE)
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_values(choice) for choice in _told_apart(value["anyOf"]))
    if "enum" in value:
        return ", ".join(_code(choice) for choice in value["enum"])
    return _of_type(value)


def _told_apart(choices: list[Schema]) -> list[Schema]:
    """Leave out whole numbers where any number will do."""
    has_number = any(choice.get("type") == "number" for choice in choices)
    return [choice for choice in choices if not (has_number and choice.get("type") == "integer")]


def _of_type(value: Schema) -> str:
    match value["type"]:
        case "array":
            return f"list of {_values(value['items'])}"
        case "object":
            return f"object: name → {_values(value['additionalProperties'])}"
        case "integer":
            most = f" to {value['maximum']}" if "maximum" in value else " or more"
            return f"{value['minimum']}{most}"
        case "string" if value.get("examples"):
            return f"text, such as `{value['examples'][0]}`"
    return _SIMPLE[value["type"]]


def _default(value: Schema, *, is_required: bool) -> str:
    if is_required:
        return "*required*"
    # What an object has by default, its own table says.
    if "$ref" in value or value.get("default") in _NOTHING:
        return "–"
    return _code(value["default"])


def _meaning(value: Schema, definitions: Schema) -> str:
    """Return the description of a value, of one of its choices, or of the object that it is."""
    if "description" in value:
        return str(value["description"]).replace("|", r"\|")
    if "$ref" in value:
        return _meaning(definitions[value["$ref"].removeprefix(_REFERENCE)], definitions)
    return next(filter(None, (_meaning(choice, definitions) for choice in value.get("anyOf", ()))), "")


def _code(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) and value else f"`{json.dumps(value)}`"
