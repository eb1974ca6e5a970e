"""The OpenAPI document of a deployer: its two routes with the schema of its own options, and Graphene's where they are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.deployer import Deployer
from shared.web import openapi
from shared.web.bundles import Push
from shared.web.settings import BuildSettings

_BUILD_PROBLEMS = (400, 401, 403, 404, 413, 415, 422, 429, 500, 502, 503, 504)
_ZIP = {"schema": {"type": "string", "format": "binary"}}


def build(deployer: Deployer[Any], settings: BuildSettings, *, push: Push | None = None) -> dict[str, Any]:
    """Return the document for one deployer; `push` is how it delivers unless its bundles are downloaded."""
    (options,), components = msgspec.json.schema_components(
        (deployer.options,), ref_template="#/components/schemas/{name}"
    )
    paths = {"/v1/bundles": _bundles(options, push), "/v1/deployer": _deployer(deployer.name)}
    if settings.is_graphene:
        paths |= _graphene_paths(settings, push)
    return openapi.document(deployer.title, summary=deployer.summary, paths=paths, schemas=components)


def _bundles(options: Mapping[str, Any], push: Push | None) -> dict[str, Any]:
    body = {
        "type": "object",
        "properties": {"solutionId": openapi.ID_SCHEMA, "revisionId": openapi.ID_SCHEMA, "options": options},
        "required": ["solutionId", "revisionId"],
        "additionalProperties": False,
        "example": {"solutionId": "sensor-stream", "revisionId": "r1"},
    }
    answers = {"202": push.accepted, **openapi.problems(409)} if push else {"200": _bundle()}
    return {
        "post": {
            "summary": "Build a bundle from a revision of a solution.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {**answers, **openapi.problems(*_BUILD_PROBLEMS)},
        }
    }


def _bundle() -> dict[str, Any]:
    headers = {
        "Slipway-Findings": "Number of findings: `errors=0, warnings=2`.",
        "Slipway-Bundle-Digest": "The identity of the bundle: SHA-256 over its sorted paths and content hashes.",
        "Content-Disposition": "The file name.",
    }
    return {
        "description": "The bundle.",
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()},
        "content": {"application/zip": _ZIP},
    }


def _deployer(name: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "name": {"const": name},
            "title": {"type": "string"},
            "summary": {"type": "string"},
            "options": {"type": "object", "description": "JSON Schema of `options` in `POST /v1/bundles`."},
        },
        "required": ["name", "title", "summary", "options"],
    }
    answer = openapi.json_answer("Name, texts and options.", schema)
    return {
        "get": {
            "summary": "Describe the deployer and its options.",
            "responses": {"200": answer, **openapi.problems(401, 500, 503)},
        }
    }


def _graphene_paths(settings: BuildSettings, push: Push | None) -> dict[str, Any]:
    ids = [
        {"name": name, "in": "path", "required": True, "schema": openapi.ID_SCHEMA}
        for name in ("solutionId", "revisionId")
    ]
    token = {"name": "jwtToken", "in": "query", "schema": {"type": "string"}}
    deploy = {"/deploy/{solutionId}/{revisionId}": {"get": _deploy([*ids, token], push)}}
    if push:
        return deploy
    return {"/getSolutionZip/{solutionId}/{revisionId}": {"get": _download([*ids, token], settings)}, **deploy}


def _download(parameters: list[dict[str, Any]], settings: BuildSettings) -> dict[str, Any]:
    unknown = openapi.json_answer(
        "Unknown ids, as Graphene says it.",
        {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]},
    )
    download = {
        "summary": "Build and download, as Graphene's portal asks for it.",
        "parameters": parameters,
        "responses": {
            "200": {"description": "The bundle.", "content": {"application/octet-stream": _ZIP}},
            **openapi.problems(*_BUILD_PROBLEMS),
            "404": unknown,
        },
    }
    if settings.allows_anonymous_download:
        download["security"] = [{}, {"bearer": []}, {"jwtToken": []}]
    return download


def _deploy(parameters: list[dict[str, Any]], push: Push | None) -> dict[str, Any]:
    failed = {"description": "Failed, as Graphene says it.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    delivered = (
        {
            "302": {"description": "The page of the deployment."},
        }
        if push
        else {"200": {"description": "The bundle.", "content": {"application/zip": _ZIP}}}
    )
    return {
        "summary": "Build and deliver, as a link in Graphene's portal asks for it.",
        "parameters": parameters,
        "responses": {**delivered, **openapi.problems(401, 429, 500, 503), "404": failed},
    }
