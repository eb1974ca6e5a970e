"""The routes that change a deployment: run and stop its pipeline, and what the runtime does with its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from playground.runtime.deployment import Deployment
from playground.server import shapes
from playground.server.callers import Who
from playground.server.desk import Desk
from shared.errors import InvalidRequestError, NotFoundError
from shared.solution import ORCHESTRATOR

MAX_BODY_BYTES = 4096


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a change that needs no words."""


class StopBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `stop`."""

    drain: bool = False


class RestartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `restart`."""

    node: str | None = None


class ResetBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `reset`."""

    data: bool = False


class RollbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `rollback`."""

    revision: int


B = TypeVar("B", bound=msgspec.Struct)


def register(blueprint: Blueprint, desk: Desk, who: Who) -> None:
    """Add the routes to `blueprint`."""
    runtime = desk.runtime

    def add(name: str, body: type[B], act: Callable[[Deployment, B], Deployment | None]) -> None:
        """Add a change of the runtime's: 202 with what the deployment is then."""

        def view(deployment_id: str) -> Response:
            principal = who().principal
            given = read(request, body)
            found = desk.changed(deployment_id, principal)
            response = jsonify(shapes.deployment(act(found, given) or runtime.get(found.id), principal))
            response.status_code = 202
            return response

        blueprint.add_url_rule(f"/deployments/<deployment_id>/{name}", name, view, methods=["POST"])

    add("wake", Nothing, lambda found, _: runtime.wake(found.id))
    add("sleep", Nothing, lambda found, _: runtime.sleep(found.id))
    add("restart", RestartBody, lambda found, body: runtime.restart(found.id, known_node(found, body.node)))
    add("reset", ResetBody, lambda found, body: runtime.reset(found.id, data=body.data))
    add("rollback", RollbackBody, lambda found, body: runtime.rollback(found.id, body.revision))

    @blueprint.post("/deployments/<deployment_id>/run")
    def run(deployment_id: str) -> Response:
        principal = who().principal
        read(request, Nothing)
        return jsonify(run=desk.pipelines.run(desk.changed(deployment_id, principal)))

    @blueprint.post("/deployments/<deployment_id>/stop")
    def stop(deployment_id: str) -> Response:
        principal = who().principal
        body = read(request, StopBody)
        return jsonify(runs=desk.pipelines.stop(desk.changed(deployment_id, principal), drain=body.drain))


def known_node(found: Deployment, name: str | None) -> str | None:
    """Return the name of a node of the deployment; None stands for all.

    Raises:
        NotFoundError: it has none of that name.
    """
    if name is not None and name != ORCHESTRATOR and name not in {node.name for node in found.nodes}:
        raise NotFoundError("the deployment has no such node")
    return name


def read(request: Request, kind: type[B]) -> B:
    """Return the body as `kind`; no body is an empty object.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        InvalidRequestError: it is not the object that we expect; unknown fields are refused.
    """
    request.max_content_length = MAX_BODY_BYTES
    data = request.get_data(cache=False)
    if data and request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        detail = str(problem) if isinstance(problem, msgspec.DecodeError) else "expected plain UTF-8 JSON"
        raise InvalidRequestError(f"body: {detail[:200]}") from problem
