"""The one place where errors become answers: RFC 9457 `application/problem+json`, the same form for every cause.

An unknown exception is a defect of ours: the caller learns the request id and nothing else, the log gets the traceback.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed

from shared.errors import (
    BadTokenError,
    InvalidSolutionError,
    RateLimitedError,
    SlipwayError,
    UnavailableError,
)

log = structlog.get_logger(__name__)

PROBLEM_TYPE = "application/problem+json"
BUSY_RETRY_SECONDS = 2  # long enough for a build to end, short enough for a person

# What HTTP itself refuses, in our words: the library's texts speak of servers and browsers.
_REFUSALS = {
    400: ("invalid_request", "the request does not have the expected form"),
    404: ("not_found", "there is no such route"),
    405: ("method_not_allowed", "this route does not take that method"),
    413: ("too_large", "the request body exceeds the limit"),
    415: ("unsupported_media_type", "expected the content type application/json"),
}


def register(app: Flask) -> None:
    """Translate every exception that a view of `app` lets out."""
    app.register_error_handler(SlipwayError, _of_error)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_defect)


def answer(status: int, code: str, detail: str, **more: Any) -> Response:
    """Return a problem answer.

    Args:
        status: the HTTP status.
        code: stable slug for programs.
        detail: for people; what was expected, what was found, where.
        more: further members, such as `findings`.
    """
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "requestId": g.get("request_id", ""),
        **more,
    }
    return Response(json.dumps(document), status=status, content_type=PROBLEM_TYPE)


def _of_error(error: SlipwayError) -> Response:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The cause may carry what only operators may see, so it goes to the log and not into the answer. Refusing to
        # work has no cause worth a traceback, and happens most when there is no time to write one.
        log.warning(
            "request_failed",
            code=error.code,
            detail=str(error),
            exc_info=None if isinstance(error, UnavailableError) else error,
        )
    if isinstance(error, BadTokenError):
        log.info("token_refused", reason=error.reason)
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _internal(error.code)
    more = {"findings": error.findings.to_json()} if isinstance(error, InvalidSolutionError) else {}
    response = answer(error.status, error.code, str(error), **more)
    if isinstance(error, BadTokenError):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnavailableError):
        response.headers["Retry-After"] = str(BUSY_RETRY_SECONDS)
    return response


def _of_http(error: HTTPException) -> Response | HTTPException:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_defect(error)
    code, detail = _REFUSALS.get(
        status, (HTTPStatus(status).phrase.lower().replace(" ", "_"), HTTPStatus(status).phrase)
    )
    response = answer(status, code, detail)
    if isinstance(error, WerkzeugMethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _of_defect(error: Exception) -> Response:
    log.error("request_crashed", exc_info=error)
    return _internal(SlipwayError.code)


def _internal(code: str) -> Response:
    return answer(500, code, "the service failed; its log knows more under this request id")
