"""Verifies the JSON Web Token that a caller presents and says who the caller is.

PyJWT checks signatures; which algorithm may be used, what the claims must say and how long a token may live is decided
here, because the library's defaults accept more (no `exp`, huge `exp`, claims given twice, weak secrets).
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from shared import token_claims, token_jwks, token_keys
from shared.errors import BadTokenError, SettingsError
from shared.principal import Principal
from shared.settings import Secret, boolean, integer, one_of, setting, words
from shared.token_jwks import JwksKeys
from shared.token_keys import Keys, SecretKeys

log = structlog.get_logger(__name__)

MAX_TOKEN_CHARACTERS = 16 * 1024  # Graphene's carry a whole user, some kilobytes; a header line must hold it
MIN_SECRET_BYTES = 32  # RFC 7518, 3.2, for HS256; the larger members are held to the same
HOUR = 3600

# Strict: Python's own base64 decoder skips foreign characters, so that one token would have many spellings.
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Which tokens are accepted. Exactly one of `secret` and `jwks` is set."""

    secret: Secret | None = setting(  # noqa: RUF009 - `setting` declares a field
        "SLIPWAY_JWT_SECRET",
        "Secret that tokens are signed with (HS256, HS384, HS512); at least 32 bytes. Either this or `SLIPWAY_JWKS`.",
        parse=Secret,
        default=None,
    )
    encoding: str = setting(
        "SLIPWAY_JWT_SECRET_ENCODING",
        "How the secret is written: `text`, `base64`, or `graphene` (base64 read as leniently as Graphene does).",
        parse=one_of("text", "base64", "graphene"),
        default="text",
    )
    allows_weak_secret: bool = setting(
        "SLIPWAY_JWT_ALLOW_WEAK_SECRET",
        "Accept a secret of less than 32 bytes; warned about at start and by `/readyz`.",
        parse=boolean,
        default=False,
    )
    jwks: str | None = setting(
        "SLIPWAY_JWKS",
        "Path or https URL of the key set of an issuer that signs with RS256, RS384, RS512, ES256, ES384 or ES512.",
        parse=token_jwks.check_source,
        default=None,
    )
    audience: str | None = setting(
        "SLIPWAY_JWT_AUDIENCE", "Required `aud`. Unset: tokens that carry an `aud` are refused.", default=None
    )
    issuer: str | None = setting(
        "SLIPWAY_JWT_ISSUER",
        "Required `iss`; unset: not checked. Required with `SLIPWAY_JWT_PRINCIPAL=oidc`.",
        default=None,
    )
    principal: str = setting(
        "SLIPWAY_JWT_PRINCIPAL",
        "Who a token is about: `graphene` (the e-mail in `mlpuser`) or `oidc` (`iss` and `sub`).",
        parse=one_of("graphene", "oidc"),
        default="graphene",
    )
    max_lifetime: int = setting(
        "SLIPWAY_JWT_MAX_LIFETIME",
        "Seconds that a token's expiry may lie ahead.",
        parse=integer(least=60, most=31 * 24 * HOUR),
        default=24 * HOUR,
    )
    operators: tuple[str, ...] = setting(
        "SLIPWAY_OPERATORS", "Principals who may see and do everything, separated by commas.", parse=words, default=()
    )
    operator_role: str | None = setting(
        "SLIPWAY_OPERATOR_ROLE",
        "Role that makes an operator, in the claim `role` (Graphene) or `roles` (OIDC).",
        default=None,
    )

    def __post_init__(self) -> None:
        """Refuse what does not go together: ValueError that names the variables."""
        if (self.secret is None) == (self.jwks is None):
            raise ValueError("SLIPWAY_JWT_SECRET, SLIPWAY_JWKS: set exactly one of them")
        if self.principal == "oidc" and not self.issuer:
            raise ValueError("SLIPWAY_JWT_ISSUER: required with SLIPWAY_JWT_PRINCIPAL=oidc")
        if self.secret is not None:
            self._check_secret()

    @property
    def secret_bytes(self) -> bytes:
        """The decoded secret; ValueError without one."""
        if self.secret is None:
            raise ValueError("SLIPWAY_JWT_SECRET: not set")
        return token_keys.secret_bytes(self.secret.reveal(), self.encoding)

    @property
    def has_weak_secret(self) -> bool:
        """True when the secret is shorter than it should be, which the operator has allowed."""
        return self.secret is not None and len(self.secret_bytes) < MIN_SECRET_BYTES

    def _check_secret(self) -> None:
        try:
            SecretKeys(self.secret_bytes)
        except ValueError as problem:
            raise ValueError(f"SLIPWAY_JWT_SECRET: {problem}") from problem
        if self.has_weak_secret and not self.allows_weak_secret:
            raise ValueError(
                f"SLIPWAY_JWT_SECRET: expected at least {MIN_SECRET_BYTES} bytes after decoding as {self.encoding} "
                "(SLIPWAY_JWT_ALLOW_WEAK_SECRET=true accepts less)"
            )


@dataclass(frozen=True, slots=True)
class Proof:
    """What a good token proves."""

    principal: Principal
    expires: int
    """Seconds since the epoch."""


class Verifier:
    """Checks tokens against one configuration; made once, used by many threads."""

    def __init__(self, settings: TokenSettings, *, now: Callable[[], float] = time.time) -> None:
        """Prepare the keys. A JWKS file is read at once, a URL when it is first needed.

        Raises:
            SettingsError: the JWKS file cannot be read or holds no usable key.
        """
        self._now = now
        self._keys = _keys(settings)
        self._rules = token_claims.Rules(
            audience=settings.audience,
            issuer=settings.issuer,
            is_graphene=settings.principal == "graphene",
            max_lifetime=settings.max_lifetime,
            operators=frozenset(settings.operators),
            operator_role=settings.operator_role,
        )
        self.notices = _notices(settings)
        """Name → what an operator should know, for `/readyz`."""

    def verify(self, token: str) -> Proof:
        """Return whom the token is about and until when.

        Raises:
            BadTokenError: the token proves nothing; `reason` says why, for the log.
            UnavailableError: the keys cannot be read.
        """
        claims = signed_claims(token, self._keys)
        expires = token_claims.check_times(claims, now=self._now(), max_lifetime=self._rules.max_lifetime)
        token_claims.check_addressees(claims, self._rules)
        return Proof(token_claims.principal(claims, self._rules), expires)

    def check(self) -> None:
        """Raise UnavailableError when there are no keys; for `/readyz`."""
        self._keys.check()


def signed_claims(token: str, keys: Keys) -> dict[str, Any]:
    """Return what a token says, having checked its signature and nothing else.

    Raises:
        BadTokenError: none of `keys` has signed it as it stands.
        UnavailableError: the keys cannot be read.
    """
    parts = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_CHARACTERS else None
    if parts is None:
        raise BadTokenError("the token has not the form of a signed JSON Web Token")
    _check_signature(token, keys, header=_decode(parts[1]), signature=_decode(parts[3]))
    return token_claims.parse_object(_decode(parts[2]))


def development_token(secret: bytes, *, principal: str, now: float, lifetime: int, user_id: str | None = None) -> str:
    """Return a token in Graphene's form (HS512), for a first try and for tests.

    Args:
        secret: key bytes, see `TokenSettings.secret_bytes`.
        principal: whom the token is about, an e-mail address; being an operator is a matter of `SLIPWAY_OPERATORS`.
        now: seconds since the epoch.
        lifetime: seconds from then.
        user_id: the marketplace's own id of the user.
    """
    header = {"alg": "HS512"}
    claims = {
        "sub": principal,
        "role": [],
        "created": int(now * 1000),
        "mlpuser": {"email": principal, "userId": user_id, "loginName": principal},
        "exp": int(now) + lifetime,
    }
    signed = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    key = SecretKeys(secret).find("HS512", None)
    return f"{signed}.{_encode(key.algorithm.sign(signed.encode(), key.material))}"


def _check_signature(token: str, keys: Keys, *, header: bytes, signature: bytes) -> None:
    fields = token_claims.parse_object(header)
    algorithm, kid = fields.get("alg"), fields.get("kid")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None):
        raise BadTokenError("alg or kid is no text")
    if "crit" in fields or "b64" in fields:
        raise BadTokenError("the header demands an extension")
    signed = token.rpartition(".")[0].encode("ascii")
    if not keys.find(algorithm, kid).proves(signed, signature):
        raise BadTokenError("the signature does not match")


def _keys(settings: TokenSettings) -> Keys:
    if settings.jwks is None:
        return SecretKeys(settings.secret_bytes)
    keys = JwksKeys(token_jwks.reader(settings.jwks), now=time.monotonic)
    if "://" in settings.jwks:
        return keys
    try:
        keys.load()
    except (OSError, ValueError) as problem:
        raise SettingsError("SLIPWAY_JWKS: the file cannot be read, or is no JWKS with a usable key") from problem
    return keys


def _notices(settings: TokenSettings) -> dict[str, str]:
    """Return what an operator should know, and log it."""
    notices: dict[str, str] = {}
    if settings.has_weak_secret:
        notices["SLIPWAY_JWT_SECRET"] = (
            f"shorter than {MIN_SECRET_BYTES} bytes, allowed by SLIPWAY_JWT_ALLOW_WEAK_SECRET"
        )
    for name, notice in notices.items():
        log.warning("setting_is_weak", variable=name, notice=notice)
    return notices


def _decode(part: str) -> bytes:
    """Decode base64url without padding."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as problem:
        raise BadTokenError("a part of the token is no base64url") from problem
    return decoded


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
