"""The routes for programs: upload, list, look at. They take a token and never the cookie of the pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Request, Response, jsonify, request

from services.catalog.pictures import picture
from services.catalog.shelf import Shelf
from services.catalog.uploads import Uploads
from shared.errors import InvalidRequestError
from shared.persistence.record import Record
from shared.principal import Principal
from shared.solution import Ids
from shared.web import problems
from shared.web.authentication import Authenticator

# What browsers and tools call a zip.
ZIP_TYPES = ("application/zip", "application/x-zip-compressed", "application/octet-stream")


def register(blueprint: Blueprint, shelf: Shelf, uploads: Uploads, authenticator: Authenticator) -> None:
    """Add the routes to `blueprint`."""

    @blueprint.put("/v1/solutions/<solution_id>/revisions/<revision_id>")
    def store(solution_id: str, revision_id: str) -> Response:
        principal = authenticator.caller(request)
        ids = Ids.parse(solution_id, revision_id)
        if request.mimetype not in ZIP_TYPES:
            return problems.answer(415, "unsupported_media_type", "expected the content type application/zip")
        is_new = uploads.take(ids, request.get_data(cache=False), principal, public=_wants_public(request))
        record = shelf.record(ids, principal)
        response = jsonify(_about(shelf, record, principal))
        response.status_code = 201 if is_new else 200
        if is_new:
            response.headers["Location"] = f"/v1/solutions/{ids.solution_id}/revisions/{ids.revision_id}"
        return response

    @blueprint.get("/v1/solutions")
    def solutions() -> Response:
        principal = authenticator.caller(request)
        return jsonify(solutions=[_listed(record, principal) for record in shelf.records(principal)])

    @blueprint.get("/v1/solutions/<solution_id>/revisions/<revision_id>")
    def revision(solution_id: str, revision_id: str) -> Response:
        principal = authenticator.caller(request)
        return jsonify(_about(shelf, shelf.record(Ids.parse(solution_id, revision_id), principal), principal))

    @blueprint.get("/v1/solutions/<solution_id>/revisions/<revision_id>/graph.svg")
    def graph(solution_id: str, revision_id: str) -> Response:
        principal = authenticator.caller(request)
        record = shelf.record(Ids.parse(solution_id, revision_id), principal)
        return picture(shelf.revision(record), request)


def _wants_public(request: Request) -> bool:
    text = request.args.get("public", "false")
    if text not in {"true", "false"}:
        raise InvalidRequestError("public: expected true or false")
    return text == "true"


def _listed(record: Record, principal: Principal) -> dict[str, Any]:
    """Return what anybody who sees the revision may know of it: whose it is only where that is the caller's business."""
    is_mine = record.owner == principal.id
    return {
        "solutionId": record.ids.solution_id,
        "revisionId": record.ids.revision_id,
        "name": record.name,
        "public": record.public,
        "mine": is_mine,
        "owner": record.owner if is_mine or principal.is_operator else None,
        "created": record.created or None,
    }


def _about(shelf: Shelf, record: Record, principal: Principal) -> dict[str, Any]:
    found = shelf.revision(record)
    return {
        **_listed(record, principal),
        "kind": found.kind,
        "version": found.solution.version,
        "nodes": len(found.solution.nodes),
        "edges": len(found.solution.edges),
        "files": {path: stored.sha256 for path, stored in record.files.items()},
        "findings": found.findings.to_json(),
    }
