"""Stylesheets, scripts and pictures of pages: read once, and kept by browsers for as long as none of them changes.

All stand below one address with the hash of all of them, so that a script's imports lead to files of the same version.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from flask import Blueprint, Flask, Response, request

from shared.errors import NotFoundError
from shared.graph.style import STYLE

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FRESH_SECONDS = 365 * 86_400


def register(app: Flask, blueprint: Blueprint, package: str) -> None:
    """Add the route, and for templates `asset_url(name)`.

    Args:
        app: whose templates.
        blueprint: gets the route.
        package: name of the service's package; everything in its folder `static` is served beside what all share.
    """
    contents = {"graph.css": STYLE.encode(), **_folder(__package__), **_folder(package)}
    version = _version(contents)
    app.jinja_env.globals["asset_url"] = lambda name: f"/static/{version}/{name}"

    @blueprint.get("/static/<path:name>")
    def asset(name: str) -> Response:
        given, _, name = name.rpartition("/")
        if name not in contents:
            raise NotFoundError("there is no such file")
        response = Response(contents[name], content_type=KINDS[_suffix(name)])
        is_current = given == version
        response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}, immutable" if is_current else "no-cache"
        response.add_etag()
        return response.make_conditional(request)  # type: ignore[return-value]


def _folder(package: str) -> dict[str, bytes]:
    folder = files(package).joinpath("static")
    return {file.name: file.read_bytes() for file in folder.iterdir() if _suffix(file.name) in KINDS}


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _version(contents: dict[str, bytes]) -> str:
    summary = hashlib.sha256()
    for name in sorted(contents):
        summary.update(f"{name} {len(contents[name])}\n".encode() + contents[name])
    return summary.hexdigest()[:16]
