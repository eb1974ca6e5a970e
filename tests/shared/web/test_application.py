"""What holds for every route: ids, limits, headers, and one form of error."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask, Response, redirect, request
from support import service
from werkzeug.exceptions import InternalServerError

from shared import errors
from shared.findings import Findings, error
from shared.web import application
from shared.web.settings import WebSettings

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def app_with(view: Callable[[], object], *, method: str = "GET", **settings: object) -> Flask:
    """Return an application whose only route of its own, `/view`, is `view`."""
    app = application.create("tiny", import_name=__name__, readiness=dict, openapi={}, settings=WebSettings(**settings))
    app.add_url_rule("/view", view_func=view, methods=[method])
    return app


def raising(problem: Exception) -> Callable[[], object]:
    def view() -> object:
        raise problem

    return view


@pytest.mark.parametrize("given", ["a", "A-1_b.c", "x" * 64])
def test_a_harmless_request_id_goes_in_and_out(given: str):
    answer = app_with(lambda: "").test_client().get("/view", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "a;b", "é", "<a>", "٣"])
def test_another_request_id_is_replaced(given: str):
    answer = app_with(lambda: "").test_client().get("/view", headers={"X-Request-Id": given})

    assert len(answer.headers["X-Request-Id"]) == 32
    assert answer.headers["X-Request-Id"].isalnum()


def test_two_requests_get_different_ids():
    client = app_with(lambda: "").test_client()

    assert client.get("/view").headers["X-Request-Id"] != client.get("/view").headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("problem", "status", "code", "detail"),
    [
        (errors.InvalidRequestError("ids: no"), 400, "invalid_request", "ids: no"),
        (errors.BadTokenError("expired"), 401, "bad_token", "a valid token is required"),
        (errors.ForbiddenError("not yours"), 403, "forbidden", "not yours"),
        (errors.NotFoundError("no such"), 404, "not_found", "no such"),
        (errors.ConflictError("exists"), 409, "conflict", "exists"),
        (errors.TooLargeError("big"), 413, "too_large", "big"),
        (errors.InvalidArchiveError("zip"), 422, "invalid_archive", "zip"),
        (errors.InvalidOptionsError("options"), 422, "invalid_options", "options"),
        (errors.RateLimitedError("often", retry_after=7), 429, "rate_limited", "often"),
        (errors.UpstreamError("cds", "status"), 502, "upstream_error", "cds: status"),
        (errors.UpstreamTimeoutError("cds", "late"), 504, "upstream_timeout", "cds: late"),
        (errors.UnavailableError("busy"), 503, "unavailable", "busy"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_becomes_a_problem(problem: Exception, status: int, code: str, detail: str):
    answer = app_with(raising(problem)).test_client().get("/view", headers={"X-Request-Id": "r"})

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert (answer.json["status"], answer.json["code"], answer.json["detail"]) == (status, code, detail)
    assert (answer.json["type"], answer.json["requestId"]) == ("about:blank", "r")


def test_an_invalid_solution_carries_its_findings():
    finding = error("image-missing", "$.nodes[0].image", expected="an image", found="nothing", hint="add one")

    answer = app_with(raising(errors.InvalidSolutionError(Findings((finding,))))).test_client().get("/view")

    assert answer.status_code == 422
    assert answer.json["findings"] == [
        {
            "severity": "error",
            "code": "image-missing",
            "path": "$.nodes[0].image",
            "expected": "an image",
            "found": "nothing",
            "hint": "add one",
        }
    ]


@pytest.mark.parametrize(
    ("problem", "name", "value"),
    [
        (errors.BadTokenError("x"), "WWW-Authenticate", "Bearer"),
        (errors.RateLimitedError("x", retry_after=7), "Retry-After", "7"),
        (errors.UnavailableError("x"), "Retry-After", "2"),
    ],
    ids=["401", "429", "503"],
)
def test_an_error_carries_the_header_that_belongs_to_it(problem: Exception, name: str, value: str):
    assert app_with(raising(problem)).test_client().get("/view").headers[name] == value


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("canary /srv/secret"),
        KeyError("canary"),
        RecursionError("canary"),
        errors.SlipwayError("canary"),
        errors.SettingsError("canary"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_a_defect_tells_the_caller_nothing_but_the_request_id(logs, problem: Exception):
    answer = app_with(raising(problem)).test_client().get("/view", headers={"X-Request-Id": "r"})

    assert (answer.status_code, "canary" in answer.text, answer.json["requestId"]) == (500, False, "r")
    assert answer.json["detail"] == "the service failed; its log knows more under this request id"
    assert "canary" in logs.text


def test_a_defect_is_logged_with_its_traceback_in_one_line(logs):
    app_with(raising(RuntimeError("boom\nsecond line"))).test_client().get("/view")

    (crash,) = logs.events("request_crashed")
    assert crash["level"] == "error"
    assert "Traceback" in crash["exception"]
    assert "raise problem" in crash["exception"]


def test_a_cause_goes_to_the_log_and_not_into_the_answer(logs):
    def view() -> object:
        raise errors.UpstreamError("cds", "status 500") from OSError("upstream body canary")

    answer = app_with(view).test_client().get("/view")

    assert (answer.status_code, "canary" in answer.text) == (502, False)
    assert "canary" in logs.events("request_failed")[0]["exception"]


def test_refusing_work_is_logged_without_a_traceback(logs):
    app_with(raising(errors.UnavailableError("busy"))).test_client().get("/view")

    assert "exception" not in logs.events("request_failed")[0]


def test_the_reason_of_a_bad_token_is_logged_only(logs):
    answer = app_with(raising(errors.BadTokenError("the token has expired"))).test_client().get("/view")

    assert "expired" not in answer.text
    assert logs.events("token_refused")[0]["reason"] == "the token has expired"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/static/x", 404, "not_found"),
        ("GET", "//view", 404, "not_found"),
        ("POST", "/view", 405, "method_not_allowed"),
        ("OPTIONS", "/view", 405, "method_not_allowed"),
        ("BREW", "/view", 405, "method_not_allowed"),
    ],
)
def test_what_http_refuses_is_a_problem_too(method: str, path: str, status: int, code: str):
    answer = app_with(lambda: "").test_client().open(path, method=method)

    assert (answer.status_code, answer.content_type, answer.json["code"]) == (status, "application/problem+json", code)


def test_a_wrong_method_says_which_are_right():
    assert app_with(lambda: "").test_client().post("/view").headers["Allow"] == "GET, HEAD"


def test_a_redirect_stays_a_redirect():
    answer = app_with(lambda: redirect("/elsewhere", 303)).test_client().get("/view")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/elsewhere")


def test_a_path_without_its_slash_is_redirected():
    app = app_with(lambda: "")
    app.add_url_rule("/folder/", endpoint="folder", view_func=lambda: "")

    assert app.test_client().get("/folder").status_code == 308


def test_an_internal_error_that_http_raises_tells_no_more_than_another():
    answer = app_with(raising(InternalServerError("canary"))).test_client().get("/view")

    assert (answer.status_code, answer.json["code"], "canary" in answer.text) == (500, "internal_error", False)


def body_length() -> str:
    return str(len(request.get_data()))


def test_a_body_of_the_limit_is_read():
    answer = app_with(body_length, method="POST", max_body=2048).test_client().post("/view", data=b"x" * 2048)

    assert answer.text == "2048"


def test_a_body_over_the_limit_is_refused():
    answer = app_with(body_length, method="POST", max_body=2048).test_client().post("/view", data=b"x" * 2049)

    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_the_default_limit_is_eight_mebibytes():
    assert app_with(lambda: "").config["MAX_CONTENT_LENGTH"] == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ],
)
@pytest.mark.parametrize("path", ["/view", "/nothing", "/healthz"])
def test_every_answer_protects_browsers(path: str, name: str, value: str):
    answer = app_with(lambda: Response("{}", content_type="application/json")).test_client().get(path)

    assert answer.headers.getlist(name) == [value]


def test_a_page_may_load_what_is_its_own():
    answer = app_with(lambda: "<p>hello</p>").test_client().get("/view")

    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY


def test_a_view_may_set_another_policy():
    def view() -> Response:
        return Response("", headers={"Cache-Control": "max-age=60", "Content-Security-Policy": "sandbox"})

    answer = app_with(view).test_client().get("/view")

    assert (answer.headers["Cache-Control"], answer.headers["Content-Security-Policy"]) == ("max-age=60", "sandbox")


FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "slipway.example.org"}


def where_from() -> str:
    return f"{request.remote_addr} {request.url}"


def test_forwarded_headers_are_not_believed_by_default():
    answer = app_with(where_from).test_client().get("/view", headers=FORWARDED)

    assert answer.text == "127.0.0.1 http://localhost/view"


def test_forwarded_headers_of_a_counted_proxy_are_believed():
    answer = app_with(where_from, trusted_proxies=1).test_client().get("/view", headers=FORWARDED)

    assert answer.text == "203.0.113.7 https://slipway.example.org/view"


def test_only_as_many_proxies_are_believed_as_are_counted():
    headers = {**FORWARDED, "X-Forwarded-For": "198.51.100.1, 203.0.113.7"}

    answer = app_with(where_from, trusted_proxies=1).test_client().get("/view", headers=headers)

    assert answer.text == "203.0.113.7 https://slipway.example.org/view"


def test_a_served_request_is_one_line_with_template_status_and_duration(logs):
    app = app_with(lambda: "")
    app.add_url_rule("/things/<thing>", endpoint="thing", view_func=lambda thing: thing)

    app.test_client().get("/things/canary?token=canary", headers={"X-Request-Id": "r", "Cookie": "a=canary"})

    (line,) = logs.lines
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request_served",
        "level": "info",
        "method": "GET",
        "route": "/things/<thing>",
        "status": 200,
        "request_id": "r",
    }


def test_an_unknown_path_and_method_are_not_repeated_in_the_log(logs):
    app_with(lambda: "").test_client().open("/canary/../canary", method="CANARY")

    (line,) = logs.events("request_served")
    assert (line["route"], line["method"]) == ("unmatched", "other")
    assert "canary" not in logs.text.lower()


def test_successful_probes_are_not_logged(logs):
    client = app_with(lambda: "").test_client()
    client.get("/healthz")
    client.get("/readyz")

    assert logs.events("request_served") == []


def test_a_trace_id_is_logged_when_it_has_its_form(logs):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    client = app_with(lambda: "").test_client()
    client.get("/view", headers={"Traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    client.get("/view", headers={"Traceparent": "00-canary-1-01"})

    first, second = logs.events("request_served")
    assert (first["trace_id"], "trace_id" in second) == (trace, False)


def test_nothing_of_one_request_is_bound_to_the_next(logs):
    client = service.create().test_client()
    client.get("/v1/deployer", headers=service.bearer())
    client.get("/nothing")

    first, second = logs.events("request_served")
    assert ("caller" in first, "caller" in second) == (True, False)


def test_the_openapi_document_is_served_as_it_was_given():
    app = application.create(
        "tiny", import_name=__name__, readiness=dict, openapi={"openapi": "3.1.0"}, settings=WebSettings()
    )

    assert json.loads(app.test_client().get("/openapi.json").data) == {"openapi": "3.1.0"}
