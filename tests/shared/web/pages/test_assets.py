"""Files of pages: what a service and all services have, kept for as long as nothing changes."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from shared.web import problems
from shared.web.pages import assets


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__, static_folder=None)
    problems.register(app)
    blueprint = Blueprint("pages", __name__)
    assets.register(app, blueprint, "services.catalog")
    app.register_blueprint(blueprint)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def url(app: Flask, name: str) -> str:
    found = app.jinja_env.globals["asset_url"](name)  # type: ignore[operator]
    return str(found)


@pytest.mark.parametrize("name", ["slipway.css", "catalog.css", "graph.css", "mark.svg"])
def test_a_file_of_the_service_or_of_all_is_kept_for_a_year(app: Flask, client: FlaskClient, name: str) -> None:
    answer = client.get(url(app, name))

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_all_files_stand_beside_each_other(app: Flask) -> None:
    assert url(app, "slipway.css").rpartition("/")[0] == url(app, "mark.svg").rpartition("/")[0]


def test_another_version_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/static/0123456789abcdef/slipway.css")

    again = client.get("/static/0123456789abcdef/slipway.css", headers={"If-None-Match": answer.headers["ETag"]})

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["__init__.py", "x/../frame.html", "%2e%2e/templates/frame.html", "v/none.css"])
def test_nothing_else_is_a_file(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404
