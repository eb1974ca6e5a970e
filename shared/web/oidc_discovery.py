"""What an OpenID provider says of itself (Discovery 1.0), kept for a while.

It is believed about its own users and nothing else: every URL that it names must be as safe as its own, and what it sends
is read with limits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from shared.deadline import Deadline
from shared.errors import SlipwayError, UpstreamError
from shared.fault import Cause, Fault
from shared.json_text import JsonTextError, read
from shared.outbound import Upstream
from shared.token_jwks import MAX_JWKS_BYTES, JwksKeys
from shared.web.settings import secure_url

log = structlog.get_logger(__name__)

NAME = "identity provider"
DOCUMENT = ".well-known/openid-configuration"
MAX_BYTES = 256 * 1024  # a discovery document has some kilobytes, an ID token at most 16
CALL_SECONDS = 8.0
FRESH_SECONDS = 600.0  # the keys have their own rules
STALE_SECONDS = 86_400.0  # with the provider unreachable what is known is good so long


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: JwksKeys
    jwks_url: str
    takes_basic: bool
    """The secret may go into the header; otherwise it goes into the body."""
    names_itself: bool
    """It says with every code who it is (RFC 9207)."""
    read_at: float


class Discovery:
    """The endpoints of one provider; safe to use from many threads."""

    def __init__(self, issuer: str, *, ca_file: Path | None) -> None:
        """Prepare; nothing is asked yet."""
        self._issuer = issuer
        self._ca_file = ca_file
        self._upstream = Upstream(NAME, issuer, ca_file=ca_file)
        self._lock = threading.Lock()
        self._known: Endpoints | None = None

    def endpoints(self) -> Endpoints:
        """Return what the provider says.

        Raises:
            UpstreamError: it does not answer, or not as it should; TooLargeError: with too much.
        """
        with self._lock:
            known, age = self._known, time.monotonic() - self._known.read_at if self._known else STALE_SECONDS
            if known is not None and age < FRESH_SECONDS:
                return known
            try:
                self._known = self._discovered(known)
            except SlipwayError as problem:
                if known is None or age >= STALE_SECONDS:
                    raise
                log.warning("provider_unreadable", code=problem.code)
                return known
            return self._known

    def _discovered(self, known: Endpoints | None) -> Endpoints:
        answer = self._upstream.get(DOCUMENT, deadline=Deadline.after(CALL_SECONDS), most_bytes=MAX_BYTES)
        said = json_object(answer.body)
        if said.get("issuer") != self._issuer:
            raise _malformed("expected the configured issuer in its discovery document, found another")
        urls = {name: self._url(said, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        is_same = known is not None and known.jwks_url == urls["jwks_uri"]
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Endpoints(
            authorization=urls["authorization_endpoint"],
            token=urls["token_endpoint"],
            keys=known.keys if known is not None and is_same else self._keys(urls["jwks_uri"]),
            jwks_url=urls["jwks_uri"],
            takes_basic=isinstance(methods, list) and "client_secret_basic" in methods,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
            read_at=time.monotonic(),
        )

    def _url(self, said: Mapping[str, Any], name: str) -> str:
        url = text_member(said, name)
        form = f"{name}: expected a URL with a path, without a query, of the same scheme as the issuer's"
        try:
            parts = urlsplit(secure_url(url))
        except ValueError as problem:
            raise _malformed(form) from problem
        if not parts.path or parts.scheme != urlsplit(self._issuer).scheme:
            raise _malformed(form)
        return url

    def _keys(self, url: str) -> JwksKeys:
        folder, _, path = url.rpartition("/")
        upstream = Upstream(NAME, folder, ca_file=self._ca_file)

        def fetch() -> bytes:
            return upstream.get(path, deadline=Deadline.after(CALL_SECONDS), most_bytes=MAX_JWKS_BYTES).body

        return JwksKeys(fetch, now=time.monotonic)


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that the provider has sent; UpstreamError where it is none."""
    try:
        value = read(body, max_bytes=MAX_BYTES)
    except JsonTextError as problem:
        raise _malformed("expected JSON") from problem
    if not isinstance(value, dict):
        raise _malformed("expected a JSON object")
    return value


def text_member(value: Mapping[str, Any], name: str) -> str:
    """Return a member that is a text; UpstreamError where it is none."""
    found = value.get(name)
    if not isinstance(found, str):
        raise _malformed(f"{name}: expected a text")
    return found


def _malformed(text: str) -> UpstreamError:
    return Fault(Cause.MALFORMED, text).error(NAME)
