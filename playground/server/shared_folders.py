"""The routes into the shared folder of a deployment: list, download, upload, remove. All content is a stranger's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from flask import Blueprint, Request, Response, jsonify, request

from playground.runtime.interface import SharedFolder
from playground.server import shapes
from playground.server.callers import Who
from playground.server.desk import Desk
from playground.server.watching import FOREIGN_POLICY
from shared.errors import InvalidRequestError

MAX_PATH_CHARACTERS = 1024
MAX_NAME_BYTES = 255
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CHUNK = 64 * 1024
_BASE = "/deployments/<deployment_id>/shared-folder/"


def register(blueprint: Blueprint, desk: Desk, who: Who, *, most_file_bytes: int) -> None:
    """Add the routes to `blueprint`. A path that ends with a slash is a folder."""

    def opened(deployment_id: str) -> tuple[SharedFolder, str]:
        """Return the folder, and whose stream it counts as."""
        principal = who().principal
        found = desk.deployment(deployment_id, principal)
        desk.look(found)
        return desk.runtime.shared_folder(found.id), principal.id

    @blueprint.get(_BASE, defaults={"path": ""})
    @blueprint.get(f"{_BASE}<path:path>")
    def read(deployment_id: str, path: str) -> Response:
        folder, principal_id = opened(deployment_id)
        if not path or path.endswith("/"):
            entries = folder.entries(checked(path[:-1]) if path else "")
            return jsonify(path=path, entries=[shapes.entry(entry) for entry in entries])
        return desk.streams.response(
            principal_id,
            folder.read(checked(path)),
            content_type="application/octet-stream",
            headers={"Content-Disposition": attachment(path), "Content-Security-Policy": FOREIGN_POLICY},
        )

    @blueprint.put(f"{_BASE}<path:path>")
    def write(deployment_id: str, path: str) -> Response:
        principal = who().principal
        found = desk.changed(deployment_id, principal)
        folder = desk.runtime.shared_folder(found.id)
        name = checked(path)
        request.max_content_length = most_file_bytes
        with desk.streams.held(principal.id):
            folder.write(name, _pieces(request))
        return Response(status=204)

    @blueprint.delete(f"{_BASE}<path:path>")
    def remove(deployment_id: str, path: str) -> Response:
        found = desk.changed(deployment_id, who().principal)
        desk.runtime.shared_folder(found.id).remove(checked(path.removesuffix("/")))
        return Response(status=204)


def checked(path: str) -> str:
    """Return a relative path that no file system reads in two ways.

    Raises:
        InvalidRequestError: it is another.
    """
    names = path.split("/")
    is_plain = not _UNSAFE.search(path) and len(path) <= MAX_PATH_CHARACTERS
    if not is_plain or any(name in {"", ".", ".."} or len(name.encode()) > MAX_NAME_BYTES for name in names):
        raise InvalidRequestError("path: expected names between slashes, without dots only, backslashes and controls")
    return path


def attachment(path: str) -> str:
    """Return a `Content-Disposition` that every browser reads alike (RFC 6266): a download, never a page."""
    name = path.rpartition("/")[2]
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._- ") else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _pieces(request: Request) -> Iterator[bytes]:
    while piece := request.stream.read(_CHUNK):
        yield piece
