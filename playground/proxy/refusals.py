"""What a visitor gets in place of a web UI: a small page that says what is the matter, without script and without style."""

from __future__ import annotations

import html
from dataclasses import dataclass
from http import HTTPStatus

from playground.runtime.deployment import State

RETRY_SECONDS = 5

# A sandbox without scripts would not ask again by itself; there are none in any case.
_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox allow-scripts"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
{refresh}<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
</body>
</html>
"""


class Refusal(Exception):  # noqa: N818 - no error: an answer
    """A request that is answered here and not by the web UI."""

    def __init__(self, status: HTTPStatus, title: str, text: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.retry_seconds = retry_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of our own."""

    status: HTTPStatus
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""


def page(refusal: Refusal) -> Answer:
    """Return the page of a refusal; where waiting helps, browsers ask again by themselves."""
    wait = refusal.retry_seconds
    refresh = f'<meta http-equiv="refresh" content="{wait}">\n' if wait else ""
    title, text = html.escape(refusal.title), html.escape(refusal.text)
    fields = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", _POLICY),
    ]
    if wait:
        fields.append((b"retry-after", str(wait).encode()))
    return Answer(refusal.status, fields, _PAGE.format(refresh=refresh, title=title, text=text).encode())


def unknown() -> Refusal:
    """Return the same words for what does not exist and for what is somebody else's."""
    return Refusal(HTTPStatus.NOT_FOUND, "No such web UI", "There is none here, or it is not yours.")


def without_pass() -> Refusal:
    """Return what is said to whom nothing proves."""
    text = "Open this web UI from the page of its deployment: the way in is good for one session."
    return Refusal(HTTPStatus.UNAUTHORIZED, "Not signed in here", text)


def forbidden(reason: str) -> Refusal:
    """Return what is said to a request that may be no wish of the visitor's."""
    return Refusal(HTTPStatus.FORBIDDEN, "Refused", f"This request is refused: {reason}.")


def malformed(status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Refusal:
    """Return what is said to a request that is not plain HTTP/1.1."""
    return Refusal(status, "Malformed request", "The request does not have the expected form.")


def not_up(state: State | None = None) -> Refusal:
    """Return why a web UI does not answer now."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Not up at the moment",
        _WHY.get(state, "The node does not answer; it may be starting again."),
        retry_seconds=RETRY_SECONDS,
    )


def crowded(what: str) -> Refusal:
    """Return what is said when there are as many connections as allowed."""
    text = f"There are as many connections to {what} as there may be."
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections", text, retry_seconds=RETRY_SECONDS)


def broken() -> Refusal:
    """Return what is said when the web UI does not speak HTTP."""
    return Refusal(HTTPStatus.BAD_GATEWAY, "No proper answer", "What the web UI answered is no proper HTTP.")


def silent() -> Refusal:
    """Return what is said when the web UI takes a request and says nothing."""
    return Refusal(HTTPStatus.GATEWAY_TIMEOUT, "No answer", "The web UI did not answer in time.")


_WHY: dict[State | None, str] = {
    State.ASLEEP: "The deployment is asleep. Wake it on its page.",
    State.QUEUED: "The deployment waits for its turn.",
    State.STARTING: "The deployment is starting.",
    State.FAILED: "The deployment has a fault; its page says which.",
}
