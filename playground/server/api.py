"""The routes over deployments as such: push, list, look at, update, delete; and what operators see.

They are registered twice: below `/v1` for programs, who present a token, and below `/visitor` for our own pages, whose
visitors have a session and whose unsafe requests prove where they come from. An API never reads the cookie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request

from playground.runtime.deployment import Deployment, State
from playground.server import shapes
from playground.server.callers import Pusher, Who
from playground.server.desk import Desk
from shared.errors import ForbiddenError, InvalidRequestError
from shared.web import problems

# What browsers and tools call a zip.
ZIP_TYPES = ("application/zip", "application/x-zip-compressed", "application/octet-stream")


@dataclass(frozen=True)
class Door:
    """How callers of one set of routes prove who they are."""

    who: Who
    pusher: Callable[[], Pusher]
    """Asked in place of `who` where a bundle comes; the deployer's token counts there only."""
    visit: Callable[[Deployment, Pusher], str | None]
    """Returns the path of a link with which the owner begins a session, or None."""


def register(blueprint: Blueprint, desk: Desk, door: Door) -> None:
    """Add the routes to `blueprint`."""
    _add_reading(blueprint, desk, door.who)
    _add_pushing(blueprint, desk, door)

    @blueprint.delete("/deployments/<deployment_id>")
    def delete(deployment_id: str) -> Response:
        principal = door.who().principal
        desk.delete(deployment_id, principal, data=flag(request, "data"))
        return Response(status=202)


def _add_reading(blueprint: Blueprint, desk: Desk, who: Who) -> None:
    @blueprint.get("/deployments")
    def deployments() -> Response:
        principal = who().principal
        return jsonify(deployments=[shapes.deployment(found, principal) for found in desk.deployments(principal)])

    @blueprint.get("/deployments/<deployment_id>")
    def deployment(deployment_id: str) -> Response:
        principal = who().principal
        found = desk.deployment(deployment_id, principal)
        desk.look(found)
        return jsonify(shapes.deployment(found, principal))

    @blueprint.get("/deployments/<deployment_id>/history")
    def history(deployment_id: str) -> Response:
        found = desk.deployment(deployment_id, who().principal)
        return jsonify(events=[shapes.event(event) for event in desk.runtime.events(found.id)])

    @blueprint.get("/operator")
    def operator() -> Response:
        principal = who().principal
        if not principal.is_operator:
            raise ForbiddenError("only operators may see this")
        return jsonify(overview(desk))


def _add_pushing(blueprint: Blueprint, desk: Desk, door: Door) -> None:
    @blueprint.post("/deployments")
    def create() -> Response:
        pusher = door.pusher()
        if request.mimetype not in ZIP_TYPES:
            return _no_zip()
        found, is_new = desk.create(pusher)
        about = shapes.deployment(found, pusher.principal)
        visit = door.visit(found, pusher)
        response = jsonify(about | ({"visit": visit} if visit else {}))
        response.status_code = 202 if is_new else 200
        response.headers["Location"] = f"/v1/deployments/{found.id}"
        return response

    @blueprint.put("/deployments/<deployment_id>")
    def update(deployment_id: str) -> Response:
        pusher = door.pusher()
        if request.mimetype not in ZIP_TYPES:
            return _no_zip()
        return accepted(desk.update(deployment_id, pusher), pusher)


def overview(desk: Desk) -> dict[str, Any]:
    """Return what operators see: capacity, the queue, who has how much, and how many streams are open here."""
    found = desk.runtime.all()
    states: dict[str, Counter[str]] = {}
    for each in found:
        states.setdefault(each.owner.id, Counter())[each.state.value] += 1
    queue = sorted((each for each in found if each.state is State.QUEUED), key=lambda each: each.created_at)
    return {
        "capacity": shapes.capacity(desk.runtime.capacity()),
        "queue": [{"id": each.id, "owner": each.owner.id, "since": shapes.moment(each.created_at)} for each in queue],
        "owners": [{"owner": owner, "states": dict(sorted(states[owner].items()))} for owner in sorted(states)],
        "streams": {"open": desk.streams.open, "most": desk.streams.most},
    }


def accepted(found: Deployment, caller: Pusher) -> Response:
    """Return the answer to a change that goes on: 202 with what the deployment is now."""
    response = jsonify(shapes.deployment(found, caller.principal))
    response.status_code = 202
    return response


def flag(request: Request, name: str) -> bool:
    """Return a query parameter that is `true` or `false`, the default.

    Raises:
        InvalidRequestError: it is something else.
    """
    text = request.args.get(name, "false")
    if text not in {"true", "false"}:
        raise InvalidRequestError(f"{name}: expected true or false")
    return text == "true"


def number(request: Request, name: str, *, least: int, most: int) -> int | None:
    """Return a query parameter that is a whole number in a range, or None without it.

    Raises:
        InvalidRequestError: it is something else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not least <= int(text) <= most:
        raise InvalidRequestError(f"{name}: expected a whole number from {least} to {most}")
    return int(text)


def _no_zip() -> Response:
    return problems.answer(415, "unsupported_media_type", "expected the content type application/zip")
