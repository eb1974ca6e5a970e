"""Settings of HTTP services, in sections: what every service has, what deployers have, and what services with pages have."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.origin import Origin
from shared.settings import Secret, integer, one_of, setting, words
from shared.tokens import TokenSettings

MIB = 1024 * 1024
COMPAT_WORDS = ("graphene", "anonymous-download")
MIN_SESSION_KEY_BYTES = 32
MAX_PORT = 65_535


_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if not found or not 0 < int(found[1]) <= MAX_PORT:
        raise ValueError("expected host:port, such as 127.0.0.1:8080 or [::]:8080")
    return text


def _address_or_off(text: str) -> str:
    return text if text == "off" else _address(text)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where a service listens and how much it takes on."""

    bind: str = setting("SLIPWAY_BIND", "Address and port to listen on.", parse=_address, default="127.0.0.1:8080")
    metrics_bind: str = setting(
        "SLIPWAY_METRICS_BIND",
        "Address and port of `/metrics`; `off` for none.",
        parse=_address_or_off,
        default="127.0.0.1:9090",
    )
    workers: int = setting("SLIPWAY_WORKERS", "Worker processes.", parse=integer(least=1, most=64), default=2)
    threads: int = setting("SLIPWAY_THREADS", "Threads per worker.", parse=integer(least=1, most=64), default=4)
    max_body: int = setting(
        "SLIPWAY_MAX_BODY_BYTES",
        "Largest request body in bytes.",
        parse=integer(least=1024, most=1024 * MIB),
        default=8 * MIB,
    )
    trusted_proxies: int = setting(
        "SLIPWAY_TRUSTED_PROXIES",
        "Number of reverse proxies in front whose `X-Forwarded-*` headers are believed.",
        parse=integer(least=0, most=10),
        default=0,
    )
    drain_seconds: int = setting(
        "SLIPWAY_DRAIN_SECONDS",
        "Seconds after SIGTERM in which the service still answers but `/readyz` says no.",
        parse=integer(least=0, most=60),
        default=3,
    )
    log_level: str = setting(
        "SLIPWAY_LOG_LEVEL",
        "Least severe level to log: `debug`, `info`, `warning` or `error`.",
        parse=one_of("debug", "info", "warning", "error"),
        default="info",
    )


def _compat(text: str) -> tuple[str, ...]:
    chosen = words(text)
    if not set(chosen) <= set(COMPAT_WORDS) or "graphene" not in chosen:
        raise ValueError("expected graphene, or graphene,anonymous-download")
    return chosen


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """How much callers may ask of a deployer, and whether Graphene's routes are on."""

    requests_per_minute: int = setting(
        "SLIPWAY_REQUESTS_PER_MINUTE",
        "Builds that one principal may ask of one worker process per minute; `0` for no limit.",
        parse=integer(least=0, most=1_000_000),
        default=1200,
    )
    concurrent_builds: int = setting(
        "SLIPWAY_CONCURRENT_BUILDS",
        "Builds that one worker process runs at once; fewer than its threads, so that health is still answered.",
        parse=integer(least=1, most=64),
        default=3,
    )
    compat: tuple[str, ...] = setting(
        "SLIPWAY_COMPAT",
        "`graphene` adds Graphene's routes and its query token; `graphene,anonymous-download` also lets anybody "
        "download public solutions there.",
        parse=_compat,
        default=(),
    )

    @property
    def is_graphene(self) -> bool:
        """True when the Graphene compatibility profile is on."""
        return "graphene" in self.compat

    @property
    def allows_anonymous_download(self) -> bool:
        """True when public solutions may be downloaded without a token, in the compatibility profile."""
        return "anonymous-download" in self.compat


def _session_key(text: str) -> Secret:
    if len(text.encode()) < MIN_SESSION_KEY_BYTES:
        raise ValueError(f"expected at least {MIN_SESSION_KEY_BYTES} bytes of random text")
    return Secret(text)


def _new_session_key() -> Secret:
    return Secret(secrets.token_urlsafe(MIN_SESSION_KEY_BYTES))


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How visitors of pages stay signed in."""

    key: Secret = setting(
        "SLIPWAY_SESSION_KEY",
        "Signs the cookies of pages; at least 32 bytes, the same for all copies of the service. Unset: a new one at "
        "every start, which signs everybody out.",
        parse=_session_key,
        default_factory=_new_session_key,
        shown="random",
    )
    seconds: int = setting(
        "SLIPWAY_SESSION_SECONDS",
        "Longest life of a browser session in seconds; never longer than the token it came from.",
        parse=integer(least=60, most=86_400),
        default=3600,
    )
    spent_folder: str = setting(
        "SLIPWAY_SPENT_FOLDER",
        "Folder where used one-time codes are remembered; shared by all copies of the service. Unset: a private one in "
        "the temporary folder of this machine.",
        default="",
    )


def secure_url(text: str) -> str:
    """Return a base URL whose traffic nobody reads: https, or http on this machine.

    Raises:
        ValueError: with the expected form.
    """
    form = "expected https://host[:port]/path without user, query and fragment (http only on this machine)"
    try:
        Origin.parse(text)
    except ValueError as problem:
        raise ValueError(form) from problem
    parts = urlsplit(text)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError(form)
    return text


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """How visitors sign in with an OpenID provider; off unless an issuer is named."""

    issuer: str | None = setting(
        "SLIPWAY_OIDC_ISSUER",
        "OpenID provider that visitors sign in with at `/login`; its issuer, letter by letter. Unset: visitors bring a "
        "token or a link.",
        parse=secure_url,
        default=None,
    )
    client_id: str = setting("SLIPWAY_OIDC_CLIENT_ID", "What the provider calls this service.", default="")
    client_secret: Secret | None = setting(
        "SLIPWAY_OIDC_CLIENT_SECRET",
        "Secret that the provider has given to this service; none for a public client.",
        parse=Secret,
        default=None,
    )
    scopes: tuple[str, ...] = setting(
        "SLIPWAY_OIDC_SCOPES",
        "Scopes to ask for beside `openid` (and `email`, where people are known by it), such as one that brings roles; "
        "separated by commas.",
        parse=words,
        default=(),
    )
    public_url: str = setting(
        "SLIPWAY_PUBLIC_URL",
        "Base URL at which browsers reach this service; the provider must allow `/login/callback` below it.",
        parse=secure_url,
        default="",
    )

    def __post_init__(self) -> None:
        """Refuse half a configuration: ValueError that names the variable."""
        for variable, value in (("SLIPWAY_OIDC_CLIENT_ID", self.client_id), ("SLIPWAY_PUBLIC_URL", self.public_url)):
            if self.issuer is not None and not value:
                raise ValueError(f"{variable}: required with SLIPWAY_OIDC_ISSUER")

    def check(self, tokens: TokenSettings) -> None:
        """Refuse a login that would make somebody else of the same person than their tokens do.

        Raises:
            ValueError: with the names of the variables.
        """
        if self.issuer is not None and tokens.principal == "oidc" and tokens.issuer != self.issuer:
            raise ValueError("SLIPWAY_OIDC_ISSUER: expected the same as SLIPWAY_JWT_ISSUER, which people are named by")
