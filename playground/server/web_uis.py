"""The route that leads a visitor from our pages to the web UI of a node: a link, so that it opens in a tab of its own."""

from __future__ import annotations

from flask import Blueprint, Response

from playground.proxy.links import Links
from playground.proxy.settings import UiSettings
from playground.server.callers import Callers
from playground.server.desk import Desk
from shared.errors import BadTokenError, NotFoundError
from shared.settings import Secret


def register(blueprint: Blueprint, desk: Desk, callers: Callers, settings: UiSettings, key: Secret) -> None:
    """Add the route to `blueprint`; `key` is the one that seals sessions."""
    links = Links(settings, key)

    @blueprint.get("/visitor/deployments/<deployment_id>/web-uis/<node>")
    def web_ui(deployment_id: str, node: str) -> Response:
        session = callers.session()
        if session is None:
            raise BadTokenError("the request carries no session")
        found = desk.deployment(deployment_id, session.principal)
        if not settings.is_on or not any(one.name == node and one.has_web_ui for one in found.nodes):
            raise NotFoundError("the node has no web UI that is reached through this server")
        return Response(status=303, headers={"Location": links.start(found.id, node, session)})
