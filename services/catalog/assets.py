"""The stylesheets and pictures of the pages: read once, and kept by browsers for as long as they do not change."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from flask import Blueprint, Flask, Response, request

from shared.errors import NotFoundError
from shared.graph.style import STYLE

KINDS = {
    "catalog.css": "text/css; charset=utf-8",
    "graph.css": "text/css; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
FRESH_SECONDS = 365 * 86_400


def register(app: Flask, blueprint: Blueprint) -> None:
    """Add the route, and for templates `asset_url`, whose address changes with the content."""
    folder = files(__package__).joinpath("static")
    contents = {name: STYLE.encode() if name == "graph.css" else folder.joinpath(name).read_bytes() for name in KINDS}
    versions = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in contents.items()}
    app.jinja_env.globals["asset_url"] = lambda name: f"/static/{name}?v={versions[name]}"

    @blueprint.get("/static/<name>")
    def asset(name: str) -> Response:
        if name not in contents:
            raise NotFoundError("there is no such file")
        response = Response(contents[name], content_type=KINDS[name])
        is_current = request.args.get("v") == versions[name]
        response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}, immutable" if is_current else "no-cache"
        response.add_etag()
        return response.make_conditional(request)  # type: ignore[return-value]
