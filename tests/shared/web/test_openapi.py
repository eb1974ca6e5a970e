"""The OpenAPI document: it matches the routes, and the service matches it under generated requests."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from support import service

from shared.web import deployer_document, openapi

with warnings.catch_warnings():
    # Its dependencies announce deprecations while they are imported.
    warnings.simplefilter("ignore")
    import schemathesis

GRAPHENE = ("graphene", "anonymous-download")


def operations(app: Flask) -> set[tuple[str, str]]:
    """Return (METHOD, path template as OpenAPI writes it) of every rule; HEAD goes with GET."""
    return {
        (method, re.sub(r"<(\w+)_id>", r"{\1Id}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }


@pytest.mark.parametrize("compat", [(), ("graphene",), GRAPHENE])
def test_the_document_lists_exactly_the_routes(compat: tuple[str, ...]):
    app = service.create(compat=compat)

    paths = app.test_client().get("/openapi.json").json["paths"]

    assert {(method.upper(), path) for path, item in paths.items() for method in item} == operations(app)


def test_the_document_is_what_the_builder_makes():
    served = service.create().test_client().get("/openapi.json").json

    assert served == deployer_document.build(service.DEPLOYER, service.build_settings())


def test_the_options_stand_in_the_document():
    document = deployer_document.build(service.DEPLOYER, service.build_settings())

    body = document["paths"]["/v1/bundles"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["options"] == {"$ref": "#/components/schemas/Options"}
    assert document["components"]["schemas"]["Options"]["properties"] == {"replicas": {"type": "integer", "default": 1}}


def test_only_health_and_the_document_itself_need_no_token():
    document = deployer_document.build(service.DEPLOYER, service.build_settings(compat=("graphene",)))

    free = {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if operation.get("security") == []
    }
    assert free == {"/healthz", "/readyz", "/openapi.json"}


def test_problems_name_the_statuses():
    assert openapi.problems(404)["404"] == {
        "description": "Not Found",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


OPERATIONS = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/deployer"),
    ("POST", "/v1/bundles"),
    ("GET", "/getSolutionZip/{solutionId}/{revisionId}"),
    ("GET", "/deploy/{solutionId}/{revisionId}"),
]


@pytest.fixture(scope="module")
def documented() -> Any:
    shelf = service.shelf()
    shelf.put("sensor-stream", owner="everybody")
    return schemathesis.openapi.from_wsgi("/openapi.json", service.create(shelf, compat=GRAPHENE))


def test_every_operation_is_tried():
    assert set(OPERATIONS) == operations(service.create(compat=GRAPHENE))


def test_every_operation_of_a_deployer_that_pushes_is_described():
    app = service.create(compat=GRAPHENE, push=service.push())
    paths = app.test_client().get("/openapi.json").json["paths"]

    assert {(method.upper(), path) for path, item in paths.items() for method in item} == operations(app)
    assert paths["/v1/bundles"]["post"]["responses"]["202"] == {"description": "Pushed."}
    assert "200" not in paths["/deploy/{solutionId}/{revisionId}"]["get"]["responses"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests_get_answers_that_fit_the_document(documented: Any, method: str, path: str):
    @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=documented[path][method].as_strategy())
    def call(case: Any) -> None:
        assert case.call_and_validate(headers=service.bearer()).status_code < 500

    call()


def test_the_example_in_the_document_is_a_good_request(documented: Any):
    operation = documented["/v1/bundles"]["POST"]
    body = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]["example"]

    answer = operation.Case(body=body, media_type="application/json").call_and_validate(headers=service.bearer())

    assert answer.status_code == 200
