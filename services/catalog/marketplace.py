"""The routes that deployers ask as they would ask a marketplace: CDS below `/ccds`, Nexus below `/nexus`, HTTP basic.

CDS answers 200 with `null` where it knows nothing. It believes the deployer, which decides itself what its callers may
load, by owner and catalog; so the one password opens every solution.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from services.catalog import cds_shapes as shapes
from services.catalog.settings import Settings
from services.catalog.shelf import Shelf
from shared.errors import InvalidRequestError
from shared.persistence.cds import SOLUTION_HEADER
from shared.persistence.record import Record
from shared.solution import Ids, RevisionId, SolutionId
from shared.web import problems

JSON = "application/json;charset=UTF-8"
MOST_IDS = 100  # in one question for several solutions
_ANY = "x"  # checks one id where the other does not matter


def register(blueprint: Blueprint, shelf: Shelf, settings: Settings) -> None:
    """Add the routes to `blueprint`."""
    blueprint.before_request(_gate(settings))
    _add_solutions(blueprint, shelf)
    _add_revisions(blueprint, shelf)
    _add_catalog(blueprint, shelf)

    @blueprint.get("/nexus/", defaults={"uri": ""})
    @blueprint.get("/nexus/<path:uri>")
    def artifact(uri: str) -> Response:
        content = _published(shelf, uri)
        if content is None:
            return problems.answer(404, "not_found", "there is no such artifact")
        kind = "application/json" if uri.endswith(".json") else "text/plain; charset=utf-8"
        return Response(content, content_type=kind)


def _gate(settings: Settings) -> Callable[[], Response | None]:
    """Return what lets deployers in and nobody else."""
    expected = settings.cds_user.encode(), settings.cds_password.reveal().encode()

    def check() -> Response | None:
        given = request.authorization
        user, password = (given.username or "", given.password or "") if given and given.type == "basic" else ("", "")
        # Both are compared, so that the time tells nothing about either.
        if hmac.compare_digest(user.encode(), expected[0]) & hmac.compare_digest(password.encode(), expected[1]):
            return None
        response = problems.answer(401, "bad_credentials", "the user and password of a deployer are required")
        response.headers["WWW-Authenticate"] = 'Basic realm="slipway", charset="UTF-8"'
        return response

    return check


def _add_solutions(blueprint: Blueprint, shelf: Shelf) -> None:
    @blueprint.get("/ccds/solution/<solution_id>")
    def solution(solution_id: str) -> Response:
        records = shelf.of_solution(_solution_id(solution_id))
        if not records:
            return _json(None)
        newest = shelf.revision(records[0])
        return _json(shapes.solution(records, newest, shelf.claims.solution(records[0].ids.solution_id)))

    @blueprint.get("/ccds/solution/<solution_id>/pic")
    def picture(solution_id: str) -> Response:
        for record in shelf.of_solution(_solution_id(solution_id)):
            icon = shelf.revision(record).files.attachments.icon
            if icon:
                return Response(icon, content_type="application/octet-stream")
        return _json(None)

    @blueprint.get("/ccds/solution/<solution_ids>/revision")
    def revisions(solution_ids: str) -> Response:
        wanted = dict.fromkeys(solution_ids.split(","))
        if len(wanted) > MOST_IDS:
            raise InvalidRequestError(f"solutionIds: expected at most {MOST_IDS}, found {len(wanted)}")
        records = [record for text in wanted for record in shelf.of_solution(_solution_id(text))]
        return _json([_revision(shelf, record) for record in records])

    @blueprint.get("/ccds/solution/<solution_id>/revision/<revision_id>")
    def revision(solution_id: str, revision_id: str) -> Response:
        record = shelf.known(Ids.parse(solution_id, revision_id))
        return _json(_revision(shelf, record) if record else None)


def _add_revisions(blueprint: Blueprint, shelf: Shelf) -> None:
    @blueprint.get("/ccds/revision/<revision_id>/artifact")
    def artifacts(revision_id: str) -> Response:
        record = _asked(shelf, revision_id)
        if record is None:
            return _json([])
        found, claim = shelf.revision(record), shelf.claims.solution(record.ids.solution_id)
        return _json([shapes.artifact(record, a, found.solution.version, claim) for a in found.artifacts])

    @blueprint.get("/ccds/revision/<revision_id>/catalog/<catalog_id>/descr")
    def description(revision_id: str, catalog_id: str) -> Response:
        record = _asked(shelf, revision_id)
        if record is None or not record.public or catalog_id != shapes.PUBLIC_CATALOG:
            return _json(None)
        text = shelf.revision(record).files.attachments.description
        return _json(shapes.description(record, text) if text else None)


def _add_catalog(blueprint: Blueprint, shelf: Shelf) -> None:
    @blueprint.get("/ccds/catalog/solution/<solution_id>")
    def catalogs(solution_id: str) -> Response:
        claim = shelf.claims.solution(_solution_id(solution_id))
        return _json([shapes.public_catalog()] if claim and claim.public else [])

    @blueprint.get("/ccds/user/<user_id>")
    def user(user_id: str) -> Response:
        owner = shelf.claims.owner(user_id)
        return _json(shapes.user(owner) if owner else None)


def _asked(shelf: Shelf, revision_id: str) -> Record | None:
    """Return the revision that a path with its id alone means; our own deployers say which solution they mean."""
    solution_id = request.headers.get(SOLUTION_HEADER)
    if solution_id is None:
        return shelf.of_revision(_revision_id(revision_id))
    return shelf.known(Ids.parse(solution_id, revision_id))


def _published(shelf: Shelf, uri: str) -> bytes | None:
    """Return what lies at `org/acumos/<solutionId>/<revisionId>/…`."""
    parts = uri.split("/")
    if len(parts) < 5:  # noqa: PLR2004 - two of the group, two ids, a name
        return None
    record = shelf.known(Ids.parse(parts[2], parts[3]))
    return shelf.revision(record).published.get(uri) if record else None


def _revision(shelf: Shelf, record: Record) -> dict[str, Any]:
    version = shelf.revision(record).solution.version
    return shapes.revision(record, version, shelf.claims.solution(record.ids.solution_id))


def _solution_id(text: str) -> SolutionId:
    return Ids.parse(text, _ANY).solution_id


def _revision_id(text: str) -> RevisionId:
    return Ids.parse(_ANY, text).revision_id


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type=JSON)
