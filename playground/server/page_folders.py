"""The pages of a shared folder: look into it, put files there, remove them. Files themselves are downloads, never pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from flask import Blueprint, Response, request

from playground.server.pages import Pages
from playground.server.shared_folders import checked
from shared.errors import InvalidRequestError
from shared.web.pages.frame import html
from shared.web.settings import MIB

_CHUNK = 64 * 1024


def register(blueprint: Blueprint, pages: Pages, *, most_file_bytes: int) -> None:
    """Add the routes to `blueprint`."""
    desk = pages.desk

    @blueprint.get("/deployments/<deployment_id>/shared-folder/", defaults={"path": ""})
    @blueprint.get("/deployments/<deployment_id>/shared-folder/<path:path>/")
    def folder(deployment_id: str, path: str) -> Response:
        session = pages.session()
        found = desk.deployment(deployment_id, session.principal)
        desk.look(found)
        entries = desk.runtime.shared_folder(found.id).entries(checked(path) if path else "")
        return html("folder.html", session, found=found, path=path, entries=entries, most_file_bytes=most_file_bytes)

    @blueprint.post("/deployments/<deployment_id>/shared-folder/", defaults={"path": ""})
    @blueprint.post("/deployments/<deployment_id>/shared-folder/<path:path>/")
    def upload(deployment_id: str, path: str) -> Response:
        request.max_content_length = most_file_bytes + MIB  # what a form adds
        principal = pages.callers.visitor().principal
        found = desk.changed(deployment_id, principal)
        into = desk.runtime.shared_folder(found.id)
        files = [file for file in request.files.getlist("file") if file.filename]
        if not files:
            raise InvalidRequestError("file: expected at least one")
        with desk.streams.held(principal.id):
            for file in files:
                into.write(checked(f"{path}/{file.filename}" if path else str(file.filename)), _pieces(file.stream))
        return _to(deployment_id, path)

    @blueprint.get("/deployments/<deployment_id>/removal/<path:path>")
    def ask_removal(deployment_id: str, path: str) -> Response:
        session = pages.session()
        found = desk.deployment(deployment_id, session.principal)
        return html("removal.html", session, found=found, path=checked(path), folder=path.rpartition("/")[0])

    @blueprint.post("/deployments/<deployment_id>/removal/<path:path>")
    def remove(deployment_id: str, path: str) -> Response:
        principal = pages.callers.visitor().principal
        found = desk.changed(deployment_id, principal)
        desk.runtime.shared_folder(found.id).remove(checked(path))
        return _to(deployment_id, path.rpartition("/")[0])


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


def _to(deployment_id: str, folder: str) -> Response:
    end = f"{quote(folder)}/" if folder else ""
    return Response(status=303, headers={"Location": f"/deployments/{deployment_id}/shared-folder/{end}"})
