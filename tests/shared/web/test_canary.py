"""A token goes in by every door, through every failure, and comes out nowhere: not in answers, bundles, logs or metrics."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from support import service
from support.tokens import NOW, claims, sign, token

from shared import errors

GOOD = token()
FORGED = sign({"alg": "HS512"}, claims(), key=b"x" * 64, algorithm="HS512")
EXPIRED = token(claims(exp=NOW - 3600))
COMPAT = ("graphene", "anonymous-download")
FAILURES = {
    "good": None,
    "upstream": errors.UpstreamError("cds", "status 500"),
    "timeout": errors.UpstreamTimeoutError("cds", "late"),
    "busy": errors.UnavailableError("busy"),
    "defect": RuntimeError("boom"),
}
PATHS = [
    ("POST", "/v1/bundles"),
    ("GET", "/v1/deployer"),
    ("GET", "/getSolutionZip/mine/r1"),
    ("GET", "/getSolutionZip/broken/r1"),
    ("GET", "/deploy/mine/r1"),
    ("GET", "/deploy/broken/r1"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
    ("DELETE", "/v1/bundles"),
]


def parts(text: str) -> list[str]:
    """Return the token and its payload and signature: each of them alone is too much."""
    return [text, *text.split(".")[1:]]


def doors(text: str) -> list[dict[str, Any]]:
    """Return every way to bring a token along."""
    return [
        {"headers": {"Authorization": f"Bearer {text}"}},
        {"headers": {"Authorization": text}},
        {"headers": {"jwtToken": text}},
        {"headers": {"Cookie": f"Authorization={text}; slipway-tiny={text}"}},
        {
            "headers": {
                "X-Request-Id": text,
                "Traceparent": text,
                "X-Forwarded-For": text,
                "Referer": f"http://x/?t={text}",
            }
        },
        {"query_string": {"jwtToken": text}},
        {"query_string": {text: text}},
    ]


def contents(data: bytes) -> bytes:
    """Return an answer's bytes, unpacked where it is a zip."""
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\n".join(
            [data, *map(archive.read, archive.namelist()), *(name.encode() for name in archive.namelist())]
        )


@pytest.mark.parametrize(
    ("text", "failure"),
    [*((GOOD, failure) for failure in FAILURES.values()), (FORGED, None), (EXPIRED, None)],
    ids=[*FAILURES, "forged", "expired"],
)
def test_a_token_comes_out_nowhere(logs, text: str, failure: Exception | None):
    shelf = service.shelf()
    shelf.failure = failure
    app = service.create(shelf, compat=COMPAT)
    client = app.test_client()
    seen = []

    for method, path in PATHS:
        for door in doors(text):
            body = {"json": {"solutionId": "mine", "revisionId": "r1"}} if method == "POST" else {}
            answer = client.open(path, method=method, **door, **body)
            seen.append(contents(answer.data) + str(answer.headers).encode())

    everything = b"\n".join(seen).decode("latin-1") + logs.text
    assert len(seen) == 77
    assert not [part for part in parts(text) if part in everything]


def test_a_token_in_the_body_is_not_logged(logs):
    client = service.create().test_client()
    for body in (
        {"solutionId": GOOD, "revisionId": "r1"},
        {"jwtToken": GOOD},
        {"solutionId": "mine", "revisionId": "r1", "options": {GOOD: 1}},
    ):
        assert client.post("/v1/bundles", headers=service.bearer(), json=body).status_code in {400, 422}

    assert not [part for part in parts(GOOD) if part in logs.text]


def test_the_probe_itself_works(logs):
    """A canary that can never be found would prove nothing."""
    packed = contents(
        service.create()
        .test_client()
        .post("/v1/bundles", headers=service.bearer(), json={"solutionId": "mine", "revisionId": "r1"})
        .data
    )

    assert b"sentiment" in packed
    assert "request_served" in logs.text
