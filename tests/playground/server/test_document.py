"""The OpenAPI document says what the server does, and the server does what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from support.playground import bearer, push, session, zipped
from support.zip_bodies import schemathesis, sending

from playground.server import document

pytestmark = pytest.mark.conformance

METHODS = ("get", "put", "post", "delete")
OPERATIONS = [
    (method.upper(), path) for path, item in document.build()["paths"].items() for method in item if method in METHODS
]
PAGES = ("/", "/static/", "/sign-in", "/deployments", "/operator")


def documented(path: str) -> bool:
    """Answer whether a route is one for programs and scripts; those that answer with pages are not described here."""
    return path.endswith("/visit") or (path != "/" and not path.startswith(PAGES[1:]))


def routes(app: Flask) -> set[tuple[str, str]]:
    """Return (METHOD, path template as OpenAPI writes it) of every rule; HEAD goes with GET."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }


def test_the_document_lists_exactly_the_routes_for_programs(app: Flask) -> None:
    assert set(OPERATIONS) == {(method, path) for method, path in routes(app) if documented(path)}


def test_the_document_is_served(app: Flask) -> None:
    assert app.test_client().get("/openapi.json").json == document.build()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_not_said_to_be_open_asks_who_calls(app: Flask, method: str, path: str) -> None:
    security = document.build()["paths"][path][method.lower()].get("security", [{"bearer": []}])

    status = app.test_client().open(re.sub(r"{\w+}", "x", path), method=method).status_code

    assert not security or status == 401


# A stream does not end by itself: its tests read it from a real server. What pages ask is what programs ask.
GENERATED = [each for each in OPERATIONS if not each[1].endswith(("/events", "/logs", "/visit"))]
GENERATED = [(method, path) for method, path in GENERATED if not path.startswith("/visitor/deployments/")]


@pytest.mark.parametrize(("method", "path"), GENERATED)
def test_generated_requests_get_answers_that_fit_the_document(app: Flask, method: str, path: str) -> None:
    made = push(app.test_client(), zipped("word-count")).json["id"]  # type: ignore[index]
    client = app.test_client()
    headers = bearer()
    if path.startswith("/visitor"):
        csrf = session(client)
        cookie = client.get_cookie("slipway-playground", domain="localhost")
        assert cookie is not None
        headers = {"X-CSRF-Token": csrf, "Cookie": f"slipway-playground={cookie.value}"}
    schema: Any = schemathesis.openapi.from_wsgi("/openapi.json", app)

    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy())
    def call(case: Any) -> None:
        if "deployment_id" in (case.path_parameters or {}):
            case.path_parameters["deployment_id"] = made
        assert case.call_and_validate(headers=headers).status_code < 500

    with sending(zipped()):
        call()
