"""The verifier: what proves a principal, and everything that proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs
from support import tokens
from support.tokens import NOW, SECRET, claims, sign, token

from shared import settings as environment
from shared.errors import BadTokenError, SettingsError
from shared.principal import Principal
from shared.settings import Secret
from shared.tokens import TokenSettings, Verifier, development_token

HOUR = 3600


def verifier(*, now: float = NOW, **changes: Any) -> Verifier:
    return Verifier(tokens.settings(**changes), now=lambda: now)


def reason(text: str, *, now: float = NOW, **changes: Any) -> str:
    """Return the logged reason why a token is refused."""
    with pytest.raises(BadTokenError) as refused:
        verifier(now=now, **changes).verify(text)
    assert str(refused.value) == "a valid token is required"
    return refused.value.reason


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_every_member_of_the_family_is_accepted(algorithm: str):
    proof = verifier().verify(token(algorithm=algorithm))

    assert proof.principal == Principal("ada@example.org", user_id="u-1")
    assert proof.expires == NOW + HOUR


FORGED = {
    "alg none": sign({"alg": "none"}, claims(), key=SECRET.encode(), algorithm="HS256"),
    "alg none, no signature": tokens.encode(b'{"alg":"none"}') + "." + tokens.encode(b'{"exp":1800003600}') + ".",
    "alg NonE": sign({"alg": "NonE"}, claims(), key=SECRET.encode(), algorithm="HS256"),
    "alg lower case": sign({"alg": "hs512"}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg of another family": sign({"alg": "RS256"}, claims(), key=SECRET.encode(), algorithm="HS256"),
    "alg missing": sign({"typ": "JWT"}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg no text": sign({"alg": ["HS512"]}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg given twice": sign(b'{"alg":"HS512","alg":"none"}', claims(), key=SECRET.encode(), algorithm="HS512"),
    "signed with another member than alg says": sign(
        {"alg": "HS512"}, claims(), key=SECRET.encode(), algorithm="HS256"
    ),
    "other secret": sign({"alg": "HS512"}, claims(), key=b"x" * 64, algorithm="HS512"),
    "empty secret": sign({"alg": "HS512"}, claims(), key=b"", algorithm="HS512"),
    "signature cut": token()[:-4],
    "signature of another payload": token().rsplit(".", 1)[0] + "." + token(claims(sub="eve")).rsplit(".", 1)[1],
    "header no object": sign(b"[]", claims(), key=SECRET.encode(), algorithm="HS512"),
    "header no JSON": sign(b"{", claims(), key=SECRET.encode(), algorithm="HS512"),
    "header deep": sign(b'{"alg":' + b"[" * 9000, claims(), key=SECRET.encode(), algorithm="HS512"),
    "header in another encoding": sign(
        '{"alg":"HS512"}'.encode("utf-16"), claims(), key=SECRET.encode(), algorithm="HS512"
    ),
    "crit": token(crit=["exp"], exp=1),
    "unencoded payload": token(b64=False),
    "kid no text": token(kid={"a": 1}),
    "payload no object": token(b'"ada"'),
    "payload no JSON": token(b"exp=1"),
    "payload deep": token(b"[" * 9000),
    "payload with NaN": token(b'{"exp": NaN}'),
    "two parts": token().rsplit(".", 1)[0],
    "four parts": token() + ".x",
    "five parts, encrypted": ".".join(["a"] * 5),
    "empty": "",
    "dots": "..",
    "a blank": token().replace(".", ". ", 1),
    "a line end": token() + "\n",
    "padding": token() + "==",
    "foreign letters": token()[:-1] + "é",
    "standard base64": token(kid="???>>>").replace("_", "/").replace("-", "+") + "/",
    "impossible base64": "a.a.a",
    "over the length limit": token(claims(padding="x" * 16_384)),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
def test_a_forged_or_malformed_token_proves_nothing(text: str):
    assert reason(text)


BAD_CLAIMS = {
    "exp missing": claims(exp=None),
    "exp past": claims(exp=NOW - 31),
    "exp text": claims(exp=str(NOW + 60)),
    "exp fraction": claims(exp=NOW + 60.5),
    "exp true": claims(exp=True),
    "exp huge": claims(exp=10**300),
    "exp negative": claims(exp=-1),
    "exp list": claims(exp=[NOW + 60]),
    "lifetime over a day": claims(exp=NOW + 24 * HOUR + 31),
    "nbf ahead": claims(nbf=NOW + 31),
    "nbf text": claims(nbf="0"),
    "nbf true": claims(nbf=True),
    "iat ahead": claims(iat=NOW + 31),
    "iat huge": claims(iat=10**300),
    "iat object": claims(iat={}),
    "aud where none is configured": claims(aud="somebody"),
    "mlpuser missing": claims(mlpuser=None),
    "mlpuser text": claims(mlpuser="ada@example.org"),
    "e-mail missing": claims(mlpuser={"userId": "u-1"}),
    "e-mail null": claims(mlpuser={"email": None}),
    "e-mail number": claims(mlpuser={"email": 7}),
    "e-mail empty": claims(mlpuser={"email": ""}),
    "e-mail blank": claims(mlpuser={"email": " "}),
    "e-mail with a blank at its end": claims(mlpuser={"email": "ada@example.org "}),
    "e-mail with a line end": claims(mlpuser={"email": "ada@example.org\nroot"}),
    "e-mail with an escape": claims(mlpuser={"email": "ada\x1b[2J"}),
    "e-mail too long": claims(mlpuser={"email": "a" * 1025}),
    "e-mail of the local operator": claims(mlpuser={"email": "local-operator"}),
    "e-mail of nobody": claims(mlpuser={"email": "anonymous"}),
    "sub number": claims(sub=7),
}


@pytest.mark.parametrize("payload", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_claims_that_do_not_hold_prove_nothing(payload: dict[str, Any]):
    assert reason(token(payload))


def test_a_claim_given_twice_proves_nothing():
    payload = json.dumps(claims()).encode()[:-1] + b', "exp": %d}' % (NOW + 60)

    assert reason(token(payload)) == "a part of the token is no plain JSON object"


def test_an_infinite_number_proves_nothing():
    assert reason(token(json.dumps(claims()).encode()[:-1] + b', "nbf": -1e999}')) == "nbf is no number"


@pytest.mark.parametrize(
    ("payload", "now"),
    [
        (claims(exp=NOW), NOW + 29.9),
        (claims(nbf=NOW), NOW - 30),
        (claims(iat=NOW + 0.5), NOW - 29),
        (claims(exp=NOW + 24 * HOUR), NOW - 30),
    ],
    ids=["exp", "nbf", "iat", "lifetime"],
)
def test_clocks_may_differ_by_the_leeway(payload: dict[str, Any], now: float):
    assert verifier(now=now).verify(token(payload)).principal.id == "ada@example.org"


@pytest.mark.parametrize(
    ("payload", "now", "why"),
    [
        (claims(exp=NOW), NOW + 30, "the token has expired"),
        (claims(nbf=NOW), NOW - 31, "nbf lies in the future"),
        (claims(iat=NOW), NOW - 31, "iat lies in the future"),
        (claims(exp=NOW + 24 * HOUR), NOW - 31, "exp lies further ahead than the configured lifetime"),
    ],
    ids=["exp", "nbf", "iat", "lifetime"],
)
def test_clocks_may_differ_by_no_more(payload: dict[str, Any], now: float, why: str):
    assert reason(token(payload), now=now) == why


def test_a_shorter_lifetime_can_be_configured():
    assert reason(token(claims(exp=NOW + 91)), max_lifetime=60) == "exp lies further ahead than the configured lifetime"


@pytest.mark.parametrize("audience", ["slipway", ["other", "slipway"]])
def test_the_configured_audience_is_accepted(audience: object):
    assert verifier(audience="slipway").verify(token(claims(aud=audience))).expires == NOW + HOUR


@pytest.mark.parametrize("audience", [None, "other", "", [], ["other"], {"slipway": 1}, 7, ["slipwayx"], [["slipway"]]])
def test_another_audience_than_the_configured_is_refused(audience: object):
    assert reason(token(claims(aud=audience)), audience="slipway") == "aud is not the configured audience"


@pytest.mark.parametrize("issuer", [None, "https://other", "", ["https://idp"], "https://idp/"])
def test_another_issuer_than_the_configured_is_refused(issuer: object):
    assert reason(token(claims(iss=issuer)), issuer="https://idp") == "iss is not the configured issuer"


def test_an_oidc_principal_is_issuer_and_subject():
    oidc = verifier(principal="oidc", issuer="https://idp")

    assert oidc.verify(token({"iss": "https://idp", "sub": "7", "exp": NOW + 1})).principal == Principal(
        "https://idp#7"
    )


def test_an_oidc_principal_does_not_fall_back_to_the_e_mail():
    payload = claims(iss="https://idp", sub=None, email="ada@example.org")

    assert reason(token(payload), principal="oidc", issuer="https://idp") == "sub is missing or no plain text"


@pytest.mark.parametrize(
    ("changes", "payload"),
    [
        ({"operators": ("bob@example.org", "ada@example.org")}, claims()),
        ({"operator_role": "admin"}, claims(role=["user", "admin"])),
        ({"operator_role": "admin"}, claims(role="admin")),
        ({"operator_role": "admin"}, claims(role=[{"roleId": "1", "name": "admin"}])),
        (
            {"operator_role": "admin", "principal": "oidc", "issuer": "i"},
            {"iss": "i", "sub": "7", "roles": ["admin"], "exp": NOW + 1},
        ),
    ],
    ids=["listed", "role in a list", "role alone", "role object", "oidc role"],
)
def test_an_operator_is_listed_or_has_the_role(changes: dict[str, Any], payload: dict[str, Any]):
    assert verifier(**changes).verify(token(payload)).principal.is_operator


@pytest.mark.parametrize(
    ("changes", "payload"),
    [
        ({"operators": ("ADA@example.org", "ada")}, claims()),
        ({"operator_role": "admin"}, claims(role=["Admin", "administrator", None, {"name": None}])),
        ({"operator_role": "admin"}, claims(roles=["admin"])),
        ({}, claims(role=[None], is_operator=True)),
        ({"operator_role": "admin"}, claims(role={"admin": True})),
    ],
    ids=["similar names", "similar roles", "role in the other claim", "nothing configured", "role as a key"],
)
def test_nobody_else_is_an_operator(changes: dict[str, Any], payload: dict[str, Any]):
    assert not verifier(**changes).verify(token(payload)).principal.is_operator


def test_a_marketplace_id_that_is_no_text_is_left_out():
    assert verifier().verify(token(claims(mlpuser={"email": "a@b", "userId": 7}))).principal.user_id is None


def test_a_development_token_is_accepted():
    text = development_token(SECRET.encode(), principal="ada@example.org", now=NOW + 0.5, lifetime=60, user_id="u-1")

    proof = verifier().verify(text)

    assert (proof.principal, proof.expires) == (Principal("ada@example.org", user_id="u-1"), NOW + 60)


def test_a_development_token_looks_like_graphenes():
    text = development_token(SECRET.encode(), principal="ada@example.org", now=NOW, lifetime=60)

    expected = sign(
        b'{"alg":"HS512"}',
        b'{"sub":"ada@example.org","role":[],"created":1800000000000,"mlpuser":{"email":"ada@example.org",'
        b'"userId":null,"loginName":"ada@example.org"},"exp":1800000060}',
        key=SECRET.encode(),
        algorithm="HS512",
    )
    assert text == expected


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "SLIPWAY_JWT_SECRET, SLIPWAY_JWKS: set exactly one of them"),
        (
            {"SLIPWAY_JWT_SECRET": SECRET, "SLIPWAY_JWKS": "/keys.json"},
            "SLIPWAY_JWT_SECRET, SLIPWAY_JWKS: set exactly one of them",
        ),
        (
            {"SLIPWAY_JWT_SECRET": SECRET, "SLIPWAY_JWT_PRINCIPAL": "oidc"},
            "SLIPWAY_JWT_ISSUER: required with SLIPWAY_JWT_PRINCIPAL=oidc",
        ),
        (
            {"SLIPWAY_JWT_SECRET": SECRET, "SLIPWAY_JWT_PRINCIPAL": "email"},
            "SLIPWAY_JWT_PRINCIPAL: expected one of graphene, oidc",
        ),
        (
            {"SLIPWAY_JWT_SECRET": "!!!hunter2!!!", "SLIPWAY_JWT_SECRET_ENCODING": "base64"},
            "SLIPWAY_JWT_SECRET: expected base64",
        ),
        (
            {"SLIPWAY_JWT_SECRET": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"},
            "SLIPWAY_JWT_SECRET: expected a secret, not a key or certificate in PEM, SSH, DER or JWK form",
        ),
        (
            {"SLIPWAY_JWT_SECRET": SECRET, "SLIPWAY_JWT_MAX_LIFETIME": "59"},
            "SLIPWAY_JWT_MAX_LIFETIME: expected a whole number from 60 to 2678400",
        ),
    ],
    ids=["no key", "two families", "oidc without issuer", "unknown principal", "no base64", "public key", "lifetime"],
)
def test_settings_that_make_no_sense_are_refused_by_name(environ: dict[str, str], message: str):
    with pytest.raises(SettingsError) as refused:
        environment.load(TokenSettings, environ)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("secret", "encoding"),
    [
        ("secret", "text"),
        ("x" * 31, "text"),
        ("secret", "graphene"),
        ("====", "graphene"),
        ("c2VjcmV0", "base64"),
        ("A" * 42, "base64"),
        ("A" * 43, "graphene"),
    ],
)
def test_a_weak_secret_stops_the_start_and_is_not_shown(secret: str, encoding: str):
    environ = {"SLIPWAY_JWT_SECRET": secret, "SLIPWAY_JWT_SECRET_ENCODING": encoding}

    with pytest.raises(SettingsError, match="SLIPWAY_JWT_SECRET: expected") as refused:
        environment.load(TokenSettings, environ)

    assert secret not in str(refused.value).replace("SLIPWAY_JWT_ALLOW_WEAK_SECRET", "").replace(
        "SLIPWAY_JWT_SECRET", ""
    )


@pytest.mark.parametrize(("secret", "encoding"), [("x" * 32, "text"), ("A" * 43, "base64"), ("A" * 44, "graphene")])
def test_a_secret_of_32_bytes_is_strong_enough(secret: str, encoding: str):
    loaded = environment.load(TokenSettings, {"SLIPWAY_JWT_SECRET": secret, "SLIPWAY_JWT_SECRET_ENCODING": encoding})

    assert (len(loaded.secret_bytes) >= 32, loaded.has_weak_secret) == (True, False)


def test_a_weak_secret_can_be_allowed_and_is_warned_about():
    with capture_logs() as logs:
        weak = Verifier(TokenSettings(secret=Secret("secret"), allows_weak_secret=True), now=lambda: NOW)

    signed = sign({"alg": "HS512"}, claims(), key=b"secret", algorithm="HS512")
    assert weak.verify(signed).principal.id == "ada@example.org"
    assert weak.notices == {"SLIPWAY_JWT_SECRET": "shorter than 32 bytes, allowed by SLIPWAY_JWT_ALLOW_WEAK_SECRET"}
    assert [entry["event"] for entry in logs] == ["setting_is_weak"]


def test_an_empty_secret_cannot_be_allowed():
    with pytest.raises(ValueError, match="SLIPWAY_JWT_SECRET"):
        TokenSettings(secret=Secret("===="), encoding="graphene", allows_weak_secret=True)


def test_graphenes_encoding_verifies_a_token_signed_with_the_decoded_bytes():
    # The vector of the old portal: its default secret stands for three bytes.
    settings = TokenSettings(secret=Secret("secret"), encoding="graphene", allows_weak_secret=True)
    signed = sign({"alg": "HS512"}, claims(), key=bytes.fromhex("b1e72b"), algorithm="HS512")

    assert Verifier(settings, now=lambda: NOW).verify(signed).principal.id == "ada@example.org"


def test_the_repr_of_token_settings_masks_the_secret():
    assert SECRET not in repr(tokens.settings())


def test_there_are_no_secret_bytes_without_a_secret():
    with pytest.raises(ValueError, match="SLIPWAY_JWT_SECRET: not set"):
        _ = TokenSettings(jwks="keys.json").secret_bytes
