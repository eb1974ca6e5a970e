"""Builds OpenAPI 3.1 documents: what all services share, and the words for problems and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.solution import ID_PATTERN
from shared.version import VERSION
from shared.web.problems import PROBLEM_TYPE

ID_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^{ID_PATTERN.pattern}$"}
"""JSON Schema of a solutionId or revisionId."""

FINDING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "severity": {"enum": ["error", "warning", "note"]},
        **{name: {"type": "string"} for name in ("code", "path", "expected", "found", "hint")},
    },
    "required": ["severity", "code", "path", "expected", "found", "hint"],
}
PROBLEM: dict[str, Any] = {
    "description": "RFC 9457 problem details.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable slug for programs."},
        "requestId": {"type": "string", "description": "Stands in the service's log."},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
    "required": ["type", "title", "status", "detail", "code", "requestId"],
}
_READINESS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ready", "unready"]},
        "missing": {"type": "object", "additionalProperties": {"type": "string"}},
        "notices": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["status", "missing", "notices"],
}


def document(
    title: str, *, summary: str, paths: Mapping[str, Any], schemas: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a document with `paths`, the health routes, the security schemes `bearer` and `jwtToken`, and `Problem`.

    Args:
        title: the service's title.
        summary: one line for people.
        paths: OpenAPI path items by path template; operations need a token unless they say `security: []`.
        schemas: component schemas beside `Problem` and `Finding`.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "summary": summary, "version": VERSION},
        "security": [{"bearer": []}, {"jwtToken": []}],
        "paths": {**paths, **_health_paths()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "jwtToken": {"type": "apiKey", "in": "header", "name": "jwtToken"},
            },
            "schemas": {"Problem": PROBLEM, "Finding": FINDING, **(schemas or {})},
        },
    }


def problems(*statuses: int) -> dict[str, Any]:
    """Return the `responses` entries of error answers: status → problem+json."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def failing(*statuses: int) -> dict[str, Any]:
    """Return these error answers, and those of whatever stands behind a route: it may fail, or be away."""
    return problems(*sorted({*statuses, 500, 502, 503}))


def json_answer(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return one `responses` entry with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _health_paths() -> dict[str, Any]:
    status = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    return {
        "/healthz": _public("Says that the process answers.", {"200": json_answer("It does.", status)}),
        "/readyz": _public(
            "Says whether the service can work, and what is missing.",
            {"200": json_answer("Ready.", _READINESS), "503": json_answer("Not ready.", _READINESS)},
        ),
        "/openapi.json": _public("Returns this document.", {"200": json_answer("This document.", {"type": "object"})}),
    }


def _public(summary: str, responses: Mapping[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "security": [], "responses": dict(responses)}}
