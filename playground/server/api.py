"""The routes for programs. They take a token and never the cookie of the pages."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from playground.server import shapes
from playground.server.desk import Desk
from shared.web.authentication import Authenticator


def register(blueprint: Blueprint, desk: Desk, authenticator: Authenticator) -> None:
    """Add the routes to `blueprint`."""

    @blueprint.get("/v1/deployments")
    def deployments() -> Response:
        principal = authenticator.caller(request)
        return jsonify(deployments=[shapes.deployment(found, principal) for found in desk.deployments(principal)])

    @blueprint.get("/v1/deployments/<deployment_id>")
    def deployment(deployment_id: str) -> Response:
        principal = authenticator.caller(request)
        return jsonify(shapes.deployment(desk.deployment(deployment_id, principal), principal))
