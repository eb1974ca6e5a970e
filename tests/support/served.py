"""`python -m support.served`: the small deployer under the real server, configured by the environment."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flask import Flask, request
from support import service

from shared import settings
from shared.web import serve
from shared.web.settings import WebSettings
from shared.web.worker import Worker


def create_app() -> Flask:
    """Return the small deployer with three routes more: one is slow, one is held until a test lets it go, one counts a body."""
    app = service.create(compat=("graphene",), web=WebSettings(max_body=65_536))

    @app.get("/slow")
    def slow() -> str:
        time.sleep(float(request.args["seconds"]))
        return "done"

    @app.get("/held")
    def held() -> str:
        folder = Path(os.environ["HELD_IN"])
        (folder / "begun").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        return "done"

    @app.post("/count")
    def count() -> str:
        return str(len(request.get_data()))

    return app


if __name__ == "__main__":
    Worker.receive_seconds = float(os.environ.get("RECEIVE_SECONDS", "30"))
    serve.run(create_app, name="tiny", settings=settings.load(WebSettings, os.environ))
