"""What a token must say once its signature is good: times, audience, issuer, and who it is about."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadTokenError
from shared.principal import RESERVED_IDS, Principal

LEEWAY_SECONDS = 30  # between the clocks of who issues and who checks
MAX_ID_LENGTH = 1024  # an e-mail address has at most 254 characters; an issuer's URL is longer


@dataclass(frozen=True, slots=True)
class Rules:
    """What is configured about claims."""

    audience: str | None
    issuer: str | None
    is_graphene: bool
    """The principal is Graphene's `mlpuser.email`; otherwise `iss` and `sub`."""
    max_lifetime: int
    """Seconds from now that `exp` may lie ahead."""
    operators: frozenset[str]
    operator_role: str | None


def parse_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object in which no name stands twice and every number is finite.

    Raises:
        BadTokenError: it is not one.
    """
    try:
        value = _JSON.decode(text.decode())
    except (ValueError, RecursionError) as problem:
        raise BadTokenError("a part of the token is no plain JSON object") from problem
    if not isinstance(value, dict):
        raise BadTokenError("a part of the token is no plain JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(constant)


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def check_times(claims: Mapping[str, Any], *, now: float, max_lifetime: int) -> int:
    """Return `exp`, having checked it, `nbf` and `iat`.

    Raises:
        BadTokenError: the token is expired, not yet valid, without `exp`, or valid for too long.
    """
    expires = claims.get("exp")
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise BadTokenError("exp is missing or no whole number")
    if now >= expires + LEEWAY_SECONDS:
        raise BadTokenError("the token has expired")
    if expires - now > max_lifetime + LEEWAY_SECONDS:
        raise BadTokenError("exp lies further ahead than the configured lifetime")
    for name in ("nbf", "iat"):
        moment = claims.get(name, 0)
        if not isinstance(moment, int | float) or isinstance(moment, bool) or not math.isfinite(moment):
            raise BadTokenError(f"{name} is no number")
        if moment > now + LEEWAY_SECONDS:
            raise BadTokenError(f"{name} lies in the future")
    return expires


def check_addressees(claims: Mapping[str, Any], rules: Rules) -> None:
    """Check `aud` and `iss`. A token with an audience is refused where none is configured (RFC 7519, 4.1.3).

    Raises:
        BadTokenError: the token is for somebody else, or from somebody else.
    """
    if rules.issuer is not None and claims.get("iss") != rules.issuer:
        raise BadTokenError("iss is not the configured issuer")
    if "aud" not in claims and rules.audience is None:
        return
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if rules.audience is None or not isinstance(named, list) or rules.audience not in named:
        raise BadTokenError("aud is not the configured audience")


def principal(claims: Mapping[str, Any], rules: Rules) -> Principal:
    """Return who the token is about, by the configured claim and no other.

    Raises:
        BadTokenError: the claim is missing or has another form.
    """
    if not isinstance(claims.get("sub", ""), str):
        raise BadTokenError("sub is no text")
    if rules.is_graphene:
        user = claims.get("mlpuser")
        if not isinstance(user, dict):
            raise BadTokenError("mlpuser is missing")
        name, user_id, roles = _name(user.get("email"), "mlpuser.email"), user.get("userId"), claims.get("role")
    else:
        issuer, subject = _name(claims.get("iss"), "iss"), _name(claims.get("sub"), "sub")
        name, user_id, roles = f"{issuer}#{subject}", None, claims.get("roles")
    is_operator = name in rules.operators or _has_role(roles, rules.operator_role)
    return Principal(name, user_id=user_id if isinstance(user_id, str) else None, is_operator=is_operator)


def _name(value: Any, claim: str) -> str:
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or not 0 < len(value.strip()) == len(value) <= MAX_ID_LENGTH
    ):
        raise BadTokenError(f"{claim} is missing or no plain text")
    if value in RESERVED_IDS:
        raise BadTokenError(f"{claim} is a reserved name")
    return value


def _has_role(roles: Any, wanted: str | None) -> bool:
    """Return whether a list of roles, as texts or as Graphene's objects with a `name`, holds the wanted one."""
    if wanted is None:
        return False
    listed = roles if isinstance(roles, list) else [roles]
    return any(role == wanted or (isinstance(role, dict) and role.get("name") == wanted) for role in listed)
