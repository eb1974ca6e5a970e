"""The routes that look into a deployment: events, logs, figures, samples of messages, the picture of its graph."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, current_app, jsonify, request

from playground.runtime.deployment import Deployment
from playground.server import api, connections
from playground.server.actions import known_node
from playground.server.callers import Caller, Who
from playground.server.desk import Desk
from playground.server.events import MAX_SECONDS, EventStream
from shared.graph.style import STYLE
from shared.web.health import DRAINING

TAIL = 200
MAX_TAIL = 10_000
MAX_SINCE_SECONDS = 31 * 86_400
# What strangers' programs wrote is text and nothing else, whatever a browser makes of it.
FOREIGN_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_PICTURE_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; sandbox"
_PICTURE_SECONDS = 300
# A proxy that collects an answer before it passes it on would show a stream when it is over.
UNBUFFERED = {"X-Accel-Buffering": "no"}


def register(blueprint: Blueprint, desk: Desk, who: Who) -> None:
    """Add the routes to `blueprint`."""

    @blueprint.get("/deployments/<deployment_id>/events")
    def events(deployment_id: str) -> Response:
        caller = who()
        found = desk.deployment(deployment_id, caller.principal)
        stream = EventStream(desk, caller, found.id, over())
        return desk.streams.response(
            caller.principal.id, iter(stream), content_type="text/event-stream; charset=utf-8", headers=UNBUFFERED
        )

    @blueprint.get("/deployments/<deployment_id>/nodes/<node>/logs")
    def logs(deployment_id: str, node: str) -> Response:
        caller = who()
        found = desk.deployment(deployment_id, caller.principal)
        known_node(found, node)
        desk.look(found)
        return log_response(desk, caller, found, node)

    @blueprint.get("/deployments/<deployment_id>/statistics")
    def statistics(deployment_id: str) -> Response:
        found = desk.deployment(deployment_id, who().principal)
        desk.look(found)
        return jsonify(desk.pipelines.statistics(found))

    @blueprint.get("/deployments/<deployment_id>/sample")
    def sample(deployment_id: str) -> Response:
        principal = who().principal
        found = desk.deployment(deployment_id, principal)
        count = api.number(request, "count", least=1, most=20) or 1
        with desk.streams.held(principal.id):
            return jsonify(messages=desk.pipelines.sample(found, request.args.get("edge", ""), count=count))

    @blueprint.get("/deployments/<deployment_id>/graph.svg")
    def graph(deployment_id: str) -> Response:
        found = desk.deployment(deployment_id, who().principal)
        response = Response(desk.blueprints.picture(found, standalone=True), content_type="image/svg+xml")
        response.headers["Content-Security-Policy"] = _PICTURE_POLICY
        response.headers["Cache-Control"] = f"private, max-age={_PICTURE_SECONDS}"
        response.headers["Vary"] = "Authorization, Cookie, jwtToken"
        response.add_etag()
        return response.make_conditional(request)  # type: ignore[return-value]


def log_response(desk: Desk, caller: Caller, found: Deployment, node: str) -> Response:
    """Return the log of a node as the query asks for it: `follow`, `since` in seconds, `tail` in lines.

    Raises:
        InvalidRequestError: a parameter has another form.
        NotFoundError, UnavailableError: as the runtime says.
    """
    pieces = desk.runtime.logs(
        found.id,
        node,
        follow=api.flag(request, "follow"),
        since_seconds=api.number(request, "since", least=0, most=MAX_SINCE_SECONDS),
        tail=number if (number := api.number(request, "tail", least=0, most=MAX_TAIL)) is not None else TAIL,
    )
    end = time.monotonic() + min(MAX_SECONDS, max(0.0, caller.until - time.time()))
    return desk.streams.response(
        caller.principal.id,
        _until(pieces, over(), end),
        content_type="text/plain; charset=utf-8",
        headers={**UNBUFFERED, "Content-Security-Policy": FOREIGN_POLICY},
    )


def over() -> Callable[[], bool]:
    """Return what says whether the caller of this request has gone, or the server is about to stop."""
    environ = request.environ
    is_draining: Callable[[], bool] = current_app.extensions.get(DRAINING, lambda: False)
    return lambda: is_draining() or not connections.is_listening(environ)


def _until(pieces: Iterator[bytes], is_over: Callable[[], bool], end: float) -> Iterator[bytes]:
    """Pass on what comes while somebody listens; an empty piece sends nothing and is an occasion to look."""
    try:
        for piece in pieces:
            if time.monotonic() > end or (not piece and is_over()):
                return
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
