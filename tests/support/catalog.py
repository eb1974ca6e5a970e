"""A catalog for tests: its settings, solutions to put in, and the catalog served over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from support.blueprints import PROTO, document, node
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from services.catalog.settings import Settings
from shared import archive
from shared.persistence.select import FolderPlace
from shared.settings import Secret
from shared.tokens import TokenSettings, development_token
from shared.web.settings import SessionSettings, WebSettings

SECRET = "a secret that is long enough for every single test"
CDS = ("deployer", "made for tests, and long")
ADA, EVE, OPERATOR = "ada@example.org", "eve@example.org", "root@example.org"
PNG = b"\x89PNG\r\n\x1a\n and more"


def settings(folder: Path, **changes: Any) -> Settings:
    """Return settings for a catalog that keeps everything in `folder`."""
    return Settings(
        **{
            "store": FolderPlace(folder / "store"),
            "cds_user": CDS[0],
            "cds_password": Secret(CDS[1]),
            "tokens": TokenSettings(secret=Secret(SECRET), operators=(OPERATOR,)),
            "sessions": SessionSettings(key=Secret(SECRET), spent_folder=str(folder / "spent")),
            "web": WebSettings(),
            **changes,
        }
    )


def token(principal: str = ADA) -> str:
    """Return a token that is valid for an hour."""
    return development_token(SECRET.encode(), principal=principal, now=time.time(), lifetime=3600)


def bearer(principal: str = ADA) -> dict[str, str]:
    """Return the header of a caller."""
    return {"Authorization": f"Bearer {token(principal)}"}


def pipeline(*names: str, **more: bytes) -> dict[str, bytes]:
    """Return the files of a pipeline with nodes of these names and a proto each."""
    nodes = [node(name) for name in names or ("first", "second")]
    protos = {f"microservice/{name}.proto": PROTO for name in names or ("first", "second")}
    return {"blueprint.json": json.dumps(document(*nodes)).encode(), **protos, **more}


def model(name: str = "sentiment") -> dict[str, bytes]:
    """Return the files of a model."""
    about = {"name": name, "image": "registry.example/sentiment:1", "version": "3"}
    return {"model.json": json.dumps(about).encode(), "microservice/sentiment.proto": PROTO}


def put(
    client: FlaskClient,
    solution_id: str,
    revision_id: str,
    files: Mapping[str, bytes],
    *,
    principal: str = ADA,
    public: bool = False,
) -> TestResponse:
    """Upload a revision."""
    return client.put(
        f"/v1/solutions/{solution_id}/revisions/{revision_id}?public={str(public).lower()}",
        data=archive.write(files),
        headers={**bearer(principal), "Content-Type": "application/zip"},
    )


def sign_in(client: FlaskClient, principal: str = ADA) -> None:
    """Begin a browser session in the client."""
    assert client.post("/sign-in", data={"token": token(principal)}).status_code == 303


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine and give its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined] - a kept connection must not hold up the end
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
