"""What `session_routes` adds, as OpenAPI: a service with pages describes these routes as every other one does."""

from __future__ import annotations

from typing import Any

from shared.web.openapi import failing, json_answer

_TEXT = {"type": "string"}
_LINK = {"type": "object", "properties": {"code": _TEXT, "url": _TEXT}, "required": ["code", "url"]}
_FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"csrf_token": _TEXT}}}}
_TO_PAGE = {"description": "To the page."}
_GONE = {"description": "The cookie is gone."}
_COOKIE: list[dict[str, list[str]]] = [{"session": []}]
CODE: dict[str, Any] = {"name": "code", "in": "query", "required": True, "schema": _TEXT}
"""The parameter of every link that works once."""


def scheme(service: str) -> dict[str, Any]:
    """Return the security scheme `session` of a service: its cookie."""
    return {"session": {"type": "apiKey", "in": "cookie", "name": f"__Host-slipway-{service}"}}


def paths() -> dict[str, Any]:
    """Return the path items."""
    return {
        "/session": {
            "post": {
                "summary": "Exchange a token for a session.",
                "responses": {"204": {"description": "The cookie is set."}, **failing(401)},
            },
            "get": {
                "summary": "Begin a session with a one-time code.",
                "security": [],
                "parameters": [CODE],
                "responses": {"303": _TO_PAGE, **failing(401)},
            },
            "delete": _ending("End the session.", {"204": _GONE}),
        },
        "/session/codes": {
            "post": {
                "summary": "Exchange a token for a link that works once.",
                "responses": {"201": json_answer("The link.", _LINK), **failing(401)},
            }
        },
        "/session/end": {
            "post": {
                **_ending("End the session, for a form.", {"303": _TO_PAGE}),
                "requestBody": {"required": True, "content": _FORM},
            },
        },
    }


def _ending(summary: str, done: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "security": _COOKIE, "responses": {**done, **failing(401, 403)}}
