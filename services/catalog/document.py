"""The OpenAPI document of the catalog: for programs, for deployers, and the routes of the pages."""

from __future__ import annotations

from typing import Any

from shared.persistence.cds import SOLUTION_HEADER
from shared.solution import ID_PATTERN
from shared.web import openapi, session_document
from shared.web.openapi import failing, json_answer

_BASIC: list[dict[str, list[str]]] = [{"deployer": []}]
_COOKIE: list[dict[str, list[str]]] = [{}, {"session": []}]
_TEXT = {"type": "string"}
_NULLABLE = {"type": ["string", "null"]}
_LISTED = {
    "type": "object",
    "properties": {
        "solutionId": openapi.ID_SCHEMA,
        "revisionId": openapi.ID_SCHEMA,
        "name": _TEXT,
        "public": {"type": "boolean"},
        "mine": {"type": "boolean"},
        "owner": {**_NULLABLE, "description": "Null unless it is the caller, or the caller an operator."},
        "created": {**_NULLABLE, "format": "date-time"},
    },
    "required": ["solutionId", "revisionId", "name", "public", "mine", "owner", "created"],
}
_REVISION = {
    "type": "object",
    "properties": {
        **_LISTED["properties"],  # type: ignore[dict-item]
        "kind": {"enum": ["pipeline", "model"]},
        "version": _TEXT,
        "nodes": {"type": "integer"},
        "edges": {"type": "integer"},
        "files": {"type": "object", "additionalProperties": _TEXT, "description": "Path → SHA-256, hex."},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
    "required": [*_LISTED["required"], "kind", "version", "nodes", "edges", "files", "findings"],
}


def build() -> dict[str, Any]:
    """Return the document."""
    paths = {**_for_programs(), **_for_deployers(), **_for_people(), **session_document.paths()}
    document = openapi.document(
        "Slipway catalog",
        summary="Keeps solutions, shows them, and answers deployers as a marketplace does.",
        paths=paths,
        schemas={"Listed": _LISTED, "Revision": _REVISION},
    )
    document["components"]["securitySchemes"] |= {
        "deployer": {"type": "http", "scheme": "basic"},
        **session_document.scheme("catalog"),
    }
    return document


def _for_programs() -> dict[str, Any]:
    revision = json_answer("The revision and its findings.", {"$ref": "#/components/schemas/Revision"})
    listing = {
        "type": "object",
        "properties": {"solutions": {"type": "array", "items": {"$ref": "#/components/schemas/Listed"}}},
        "required": ["solutions"],
    }
    base = "/v1/solutions/{solution_id}/revisions/{revision_id}"
    public = {
        "name": "public",
        "in": "query",
        "description": "Whether everybody may see the solution; the same for all its revisions.",
        "schema": {"enum": ["true", "false"], "default": "false"},
    }
    body = {"required": True, "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
    return {
        "/v1/solutions": {
            "get": {
                "summary": "List what the caller may see.",
                "responses": {"200": json_answer("All revisions, the newest first.", listing), **failing(401)},
            }
        },
        base: {
            "parameters": [_id("solution_id"), _id("revision_id")],
            "put": {
                "summary": "Store a revision for good; the same content again changes nothing.",
                "parameters": [public],
                "requestBody": body,
                "responses": {
                    "200": {**revision, "description": "It was there, the same in everything."},
                    "201": {**revision, "description": "Stored."},
                    **failing(400, 401, 403, 404, 409, 413, 415, 422, 429),
                },
            },
            "get": {
                "summary": "Return a revision and its findings.",
                "responses": {"200": revision, **failing(400, 401, 404, 422)},
            },
        },
        f"{base}/graph.svg": {
            "parameters": [_id("solution_id"), _id("revision_id")],
            "get": {
                "summary": "Return the graph as a picture.",
                "responses": {"200": _file("image/svg+xml"), "304": _UNCHANGED, **failing(400, 401, 404, 422)},
            },
        },
    }


def _for_deployers() -> dict[str, Any]:
    """Return the calls of CDS and Nexus; their objects are described where those services are."""

    def ask(summary: str, *parameters: str, kind: str = "application/json") -> dict[str, Any]:
        kinds: dict[str, Any] = {kind: {}, "application/json": {}}
        answer = {"description": "What is known; `null` or an empty list for nothing.", "content": kinds}
        return {
            "parameters": [_id(name) for name in parameters] + [_WHICH] * (parameters[:1] == ("revision_id",)),
            "get": {
                "summary": summary,
                "security": _BASIC,
                "responses": {"200": answer, **failing(400, 401, 404, 409, 422)},
            },
        }

    return {
        "/ccds/solution/{solution_id}": ask("MLPSolution.", "solution_id"),
        "/ccds/solution/{solution_id}/pic": ask("The icon.", "solution_id", kind="application/octet-stream"),
        "/ccds/solution/{solution_ids}/revision": ask("MLPSolutionRevision of several solutions.", "solution_ids"),
        "/ccds/solution/{solution_id}/revision/{revision_id}": ask("One of them.", "solution_id", "revision_id"),
        "/ccds/revision/{revision_id}/artifact": ask("MLPArtifact of a revision.", "revision_id"),
        "/ccds/revision/{revision_id}/catalog/{catalog_id}/descr": ask(
            "MLPRevCatDescription.", "revision_id", "catalog_id"
        ),
        "/ccds/catalog/solution/{solution_id}": ask("MLPCatalog that show a solution.", "solution_id"),
        "/ccds/user/{user_id}": ask("MLPUser.", "user_id"),
        "/nexus/": ask("Nothing: says that the repository is there."),
        "/nexus/{uri}": ask("An artifact.", "uri", kind="*/*"),
    }


def _for_people() -> dict[str, Any]:
    base = "/solutions/{solution_id}/{revision_id}"
    ids = [_id("solution_id"), _id("revision_id")]
    page = {"name": "page", "in": "query", "schema": _TEXT}
    detail = {"name": "detail", "in": "query", "schema": {"enum": ["names", "all"]}}
    token = _form({"token": _TEXT})
    return {
        "/": {"get": {**_page("The solutions that the visitor may see."), "parameters": [page]}},
        base: {"parameters": ids, "get": _page("One revision.")},
        f"{base}/graph.svg": {
            "parameters": [*ids, detail],
            "get": _seen("Its graph.", "image/svg+xml"),
        },
        f"{base}/icon": {"parameters": ids, "get": _seen("Its icon.", "image/png")},
        f"{base}/bundles/{{deployer}}": {
            "parameters": [*ids, _id("deployer")],
            "post": {
                "summary": "Let a deployer build the revision and download the bundle.",
                "security": _COOKIE,
                "requestBody": _form({"csrf_token": _TEXT}),
                "responses": {
                    "200": _file("application/zip"),
                    "202": _HTML,
                    "422": _HTML,
                    **failing(400, 401, 403, 404, 413, 429, 502, 504),
                },
            },
        },
        "/sign-in": {
            "get": _page("The form to sign in with a token."),
            "post": {
                "summary": "Sign in with a token.",
                "security": [],
                "requestBody": token,
                "responses": {"303": {"description": "Signed in."}, "401": _HTML, **failing(400, 403, 413)},
            },
        },
        "/static/{name}": {"parameters": [_id("name")], "get": _seen("A stylesheet or picture.", "*/*")},
    }


_SCHEMAS = {
    "solution_id": openapi.ID_SCHEMA,
    "revision_id": openapi.ID_SCHEMA,
    "solution_ids": {"type": "string", "pattern": f"^{ID_PATTERN.pattern}(,{ID_PATTERN.pattern})*$", "maxLength": 6399},
}
_WHICH = {
    "name": SOLUTION_HEADER,
    "in": "header",
    "description": "Which solution is meant, where several have a revision of that id; without it the answer is 409 then.",
    "schema": openapi.ID_SCHEMA,
}
_HTML = {"description": "A page.", "content": {"text/html": {"schema": _TEXT}}}
_UNCHANGED = {"description": "The caller has it."}


def _page(summary: str) -> dict[str, Any]:
    return {"summary": summary, "security": _COOKIE, "responses": {"200": _HTML, **failing(400, 404, 422)}}


def _seen(summary: str, kind: str) -> dict[str, Any]:
    responses = {"200": _file(kind), "304": _UNCHANGED, **failing(400, 404, 422)}
    return {"summary": summary, "security": _COOKIE, "responses": responses}


def _file(kind: str) -> dict[str, Any]:
    return {"description": "The file.", "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


def _form(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def _id(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _SCHEMAS.get(name, _TEXT)}
