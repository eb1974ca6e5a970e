"""Bodies as a server hands them over that ends streams by itself: whole, or refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import request
from gunicorn.http.errors import InvalidChunkSize

from shared.web import application
from shared.web.settings import WebSettings

LIMIT = 2048


class Broken(io.BytesIO):
    """A stream that fails after its content."""

    def __init__(self, content: bytes, problem: Exception) -> None:
        super().__init__(content)
        self._problem = problem

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if not piece:
            raise self._problem
        return piece


def posted(stream: io.BytesIO, *, length: int | None = None) -> Any:
    app = application.create(
        "tiny", import_name=__name__, readiness=dict, openapi={}, settings=WebSettings(max_body=LIMIT)
    )
    app.add_url_rule("/count", view_func=lambda: str(len(request.get_data())), methods=["POST"])
    environ = {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": "" if length is None else str(length),
    }
    return app.test_client().post("/count", environ_overrides=environ)


@pytest.mark.parametrize("size", [0, 1, LIMIT])
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_whole_body_up_to_the_limit_is_read(size: int, *, is_announced: bool):
    assert posted(io.BytesIO(b"x" * size), length=size if is_announced else None).text == str(size)


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_over_the_limit_is_413(*, is_announced: bool):
    answer = posted(io.BytesIO(b"x" * (LIMIT + 1)), length=LIMIT + 1 if is_announced else None)

    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_body_shorter_than_announced_is_400():
    answer = posted(io.BytesIO(b"x" * 99), length=100)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("problem", [ConnectionResetError(), InvalidChunkSize(b"zz")], ids=["reset", "bad chunk"])
def test_a_body_that_breaks_off_is_400(problem: Exception):
    answer = posted(Broken(b"x" * 5, problem))

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
