"""The OpenAPI document says what the catalog does, and the catalog does what it says."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from support.catalog import CDS, bearer, pipeline, put
from support.zip_bodies import schemathesis, sending

from services.catalog import document
from shared import archive

pytestmark = pytest.mark.conformance

METHODS = ("get", "put", "post", "delete")
OPERATIONS = [
    (method.upper(), path) for path, item in document.build()["paths"].items() for method in item if method in METHODS
]
BASIC = {"Authorization": f"Basic {base64.b64encode(':'.join(CDS).encode()).decode()}"}


def routes(app: Flask) -> set[tuple[str, str]]:
    """Return (METHOD, path template as OpenAPI writes it) of every rule; HEAD goes with GET."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }


def test_the_document_lists_exactly_the_routes(app: Flask) -> None:
    assert set(OPERATIONS) == routes(app)


def test_the_document_is_served(app: Flask) -> None:
    assert app.test_client().get("/openapi.json").json == document.build()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_not_said_to_be_open_asks_who_calls(app: Flask, method: str, path: str) -> None:
    security = document.build()["paths"][path][method.lower()].get("security", [{"bearer": []}])

    status = app.test_client().open(re.sub(r"{\w+}", "x", path), method=method).status_code

    is_open = not security or (method == "GET" and {} in security)
    assert is_open or status == 401


@pytest.fixture
def documented(app: Flask) -> Any:
    put(app.test_client(), "s", "r1", pipeline(), public=True)
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests_get_answers_that_fit_the_document(documented: Any, method: str, path: str) -> None:
    headers = BASIC if path.startswith(("/ccds", "/nexus")) else bearer()

    @settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=documented[path][method].as_strategy())
    def call(case: Any) -> None:
        assert case.call_and_validate(headers=headers).status_code < 500

    with sending(archive.write(pipeline())):
        call()
