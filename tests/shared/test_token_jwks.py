"""Key sets that rotate, disappear and lie."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms
from structlog.testing import capture_logs
from support import tokens
from support.raw_server import RawServer, answering
from support.tokens import NOW, claims

from shared.errors import BadTokenError, SettingsError, UnavailableError
from shared.token_jwks import MAX_JWKS_BYTES, JwksKeys, check_source, parse_jwks, reader
from shared.tokens import TokenSettings, Verifier


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def curve_key(curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve)


def public(key: Any, **more: Any) -> dict[str, Any]:
    """Return the public JWK of a private key."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **more}


def jwks(*entries: Any) -> bytes:
    return json.dumps({"keys": list(entries)}).encode()


def signed(key: Any, algorithm: str, payload: dict[str, Any] | None = None, **header: Any) -> str:
    parts = ({"alg": algorithm, **header}, payload or claims())
    text = ".".join(tokens.encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{tokens.encode(get_default_algorithms()[algorithm].sign(text.encode(), key))}"


def verifier(path: Path) -> Verifier:
    return Verifier(TokenSettings(jwks=str(path)), now=lambda: NOW)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_rsa_signatures_are_checked(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, algorithm: str):
    (tmp_path / "keys.json").write_bytes(jwks(public(rsa_key, kid="a", use="sig")))

    assert (
        verifier(tmp_path / "keys.json").verify(signed(rsa_key, algorithm, kid="a")).principal.id == "ada@example.org"
    )


@pytest.mark.parametrize(
    ("algorithm", "curve"), [("ES256", ec.SECP256R1()), ("ES384", ec.SECP384R1()), ("ES512", ec.SECP521R1())]
)
def test_curve_signatures_are_checked(tmp_path: Path, algorithm: str, curve: ec.EllipticCurve):
    key = curve_key(curve)
    (tmp_path / "keys.json").write_bytes(jwks(public(key, kid="a")))

    assert verifier(tmp_path / "keys.json").verify(signed(key, algorithm, kid="a")).principal.id == "ada@example.org"


def test_a_token_without_kid_is_checked_with_the_only_fitting_key(tmp_path: Path, rsa_key: rsa.RSAPrivateKey):
    (tmp_path / "keys.json").write_bytes(jwks(public(curve_key(ec.SECP256R1())), public(rsa_key)))

    assert verifier(tmp_path / "keys.json").verify(signed(rsa_key, "RS256")).principal.id == "ada@example.org"


def test_a_token_without_kid_is_refused_where_two_keys_fit(tmp_path: Path):
    first, second = curve_key(ec.SECP256R1()), curve_key(ec.SECP256R1())
    (tmp_path / "keys.json").write_bytes(jwks(public(first, kid="a"), public(second, kid="b")))

    with pytest.raises(BadTokenError):
        verifier(tmp_path / "keys.json").verify(signed(first, "ES256"))


def pem(key: rsa.RSAPrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - this one attack needs it

    return key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(tmp_path: Path, rsa_key: rsa.RSAPrivateKey):
    (tmp_path / "keys.json").write_bytes(jwks(public(rsa_key, kid="a")))
    forged = tokens.sign({"alg": "HS256", "kid": "a"}, claims(), key=pem(rsa_key), algorithm="HS256")

    with pytest.raises(BadTokenError):
        verifier(tmp_path / "keys.json").verify(forged)


def test_a_key_is_used_with_its_own_algorithm_only(tmp_path: Path, rsa_key: rsa.RSAPrivateKey):
    (tmp_path / "keys.json").write_bytes(jwks(public(rsa_key, kid="a", alg="RS512")))

    with pytest.raises(BadTokenError):
        verifier(tmp_path / "keys.json").verify(signed(rsa_key, "RS256", kid="a"))


def test_an_algorithm_outside_the_family_is_refused_even_if_the_key_could_do_it(
    tmp_path: Path, rsa_key: rsa.RSAPrivateKey
):
    (tmp_path / "keys.json").write_bytes(jwks(public(rsa_key, kid="a")))

    with pytest.raises(BadTokenError):
        verifier(tmp_path / "keys.json").verify(signed(rsa_key, "PS256", kid="a"))


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "a"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": ["P-256"]},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": 7, "e": []},
        {},
        "RSA",
        None,
    ],
)
def test_a_key_that_cannot_be_used_safely_is_left_out(entry: object):
    with pytest.raises(ValueError, match="at least one signing key"):
        parse_jwks(jwks(entry))


def test_short_encryption_and_oddly_named_keys_are_left_out(rsa_key: rsa.RSAPrivateKey):
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that it is weak is the point
    entries = [public(short, kid="s"), public(rsa_key, kid="e", use="enc"), public(rsa_key, kid=7)]

    keys = parse_jwks(jwks(*entries, public(rsa_key, kid="good", alg="RS256")))

    assert [key.kid for key in keys] == ["good"]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys":{}}', b"\xff", b"[" * 100_000, b'{"keys":[]}'])
def test_what_is_no_key_set_is_refused(text: bytes):
    with pytest.raises(ValueError, match=r"."):
        parse_jwks(text)


@pytest.mark.parametrize("content", [None, b"{}", b"x" * (MAX_JWKS_BYTES + 1)], ids=["missing", "no keys", "too large"])
def test_a_key_file_that_cannot_be_used_stops_the_start(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "keys.json").write_bytes(content)

    with pytest.raises(SettingsError, match="SLIPWAY_JWKS: the file cannot be read, or is no JWKS with a usable key"):
        verifier(tmp_path / "keys.json")


class Source:
    """A key set that changes and fails on demand, and counts how often it is read."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = keys
        self.fails = False
        self.reads = 0
        self.time = 1000.0

    def read(self) -> bytes:
        self.reads += 1
        if self.fails:
            raise OSError
        return jwks(*self.keys)

    def clock(self) -> float:
        return self.time


@pytest.fixture
def pair() -> Callable[[str], dict[str, Any]]:
    return lambda kid: public(curve_key(ec.SECP256R1()), kid=kid)


def test_an_unknown_kid_reads_the_keys_again_so_that_they_may_rotate(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("old"))
    keys = JwksKeys(source.read, now=source.clock)
    keys.find("ES256", "old")
    source.keys = (pair("new"),)
    source.time += 31

    assert keys.find("ES256", "new").kid == "new"


def test_many_unknown_kids_do_not_read_the_keys_more_often_than_allowed(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"))
    keys = JwksKeys(source.read, now=source.clock)
    for number in range(100):
        source.time += 0.2
        with pytest.raises(BadTokenError):
            keys.find("ES256", f"unknown-{number}")

    assert source.reads == 1


def test_a_withdrawn_key_ends_with_the_age_of_the_set(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"), pair("b"))
    keys = JwksKeys(source.read, now=source.clock)
    keys.find("ES256", "a")
    source.keys = (pair("b"),)
    source.time += 601

    with pytest.raises(BadTokenError):
        keys.find("ES256", "a")


def test_known_keys_survive_a_source_that_fails_for_a_while(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"))
    keys = JwksKeys(source.read, now=source.clock)
    keys.find("ES256", "a")
    source.fails = True
    source.time += 3600

    with capture_logs() as logs:
        assert keys.find("ES256", "a").kid == "a"
    assert logs == [{"event": "jwks_unreadable", "cause": "OSError", "log_level": "warning"}]


def test_known_keys_end_when_the_source_fails_for_a_day(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"))
    keys = JwksKeys(source.read, now=source.clock)
    keys.find("ES256", "a")
    source.fails = True
    source.time += 86_401

    with pytest.raises(UnavailableError), capture_logs():
        keys.find("ES256", "a")


def test_without_any_keys_the_service_is_unavailable_rather_than_the_token_bad():
    source = Source()
    source.fails = True
    keys = JwksKeys(source.read, now=source.clock)

    with pytest.raises(UnavailableError), capture_logs():
        keys.find("ES256", "a")
    with pytest.raises(UnavailableError), capture_logs():
        keys.check()


def test_while_one_caller_reads_the_others_go_on_with_what_is_known(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"))
    begun, released = threading.Event(), threading.Event()

    def read() -> bytes:
        if source.reads:
            begun.set()
            released.wait(10)
        return source.read()

    keys = JwksKeys(read, now=source.clock)
    keys.find("ES256", "a")
    source.time += 601
    first = threading.Thread(target=keys.find, args=("ES256", "a"))
    first.start()
    begun.wait(10)

    found = keys.find("ES256", "a")
    released.set()
    first.join()

    assert (found.kid, source.reads) == ("a", 2)


def test_a_set_that_can_be_read_is_ready(pair: Callable[[str], dict[str, Any]]):
    source = Source(pair("a"))

    JwksKeys(source.read, now=source.clock).check()

    assert source.reads == 1


@pytest.mark.parametrize(
    "source",
    [
        "/etc/slipway/jwks.json",
        "keys.json",
        "https://idp.example.org/realms/x/certs",
        "https://idp.example.org:8443/jwks.json",
        "http://localhost:9000/jwks",
        "http://127.0.0.1/jwks",
    ],
)
def test_a_path_or_an_https_url_is_a_source(source: str):
    assert check_source(source) == source


@pytest.mark.parametrize(
    "source",
    [
        "http://idp.example.org/certs",
        "http://localhost.example.org/certs",
        "https://user:pw@idp.example.org/certs",
        "https://idp.example.org",
        "https://idp.example.org/",
        "https://idp.example.org/certs?x=1",
        "https://idp.example.org/../certs",
        "ftp://idp.example.org/certs",
        "file:///etc/passwd",
        "https://[::1/certs",
    ],
)
def test_another_url_is_no_source(source: str):
    with pytest.raises(ValueError, match="expected the path of a JWKS file, or an https URL"):
        check_source(source)


def test_a_file_is_read_anew_each_time(tmp_path: Path):
    read = reader(str(tmp_path / "keys.json"))
    (tmp_path / "keys.json").write_bytes(b"one")
    first = read()
    (tmp_path / "keys.json").write_bytes(b"two")

    assert (first, read()) == (b"one", b"two")


def test_a_key_set_is_read_from_a_url_with_a_real_client(rsa_key: rsa.RSAPrivateKey):
    with RawServer(answering("200 OK", jwks(public(rsa_key, kid="a")))) as server:
        remote = Verifier(TokenSettings(jwks=f"{server.url}/realms/x/certs"), now=lambda: NOW)

        assert remote.verify(signed(rsa_key, "RS256", kid="a")).principal.id == "ada@example.org"
        assert [head.partition("\r\n")[0] for head in server.requests] == ["GET /realms/x/certs HTTP/1.1"]


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "403 Forbidden"])
def test_a_url_that_does_not_answer_with_keys_makes_the_service_unavailable(status: str):
    with RawServer(answering(status, b"", "Location: http://127.0.0.1:1/")) as server:
        remote = Verifier(TokenSettings(jwks=f"{server.url}/certs"), now=lambda: NOW)

        with pytest.raises(UnavailableError), capture_logs():
            remote.check()


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "kid"])
def test_no_header_of_a_token_leads_to_a_file_or_a_host(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, name: str):
    (tmp_path / "keys.json").write_bytes(jwks(public(rsa_key, kid="a"), public(curve_key(ec.SECP256R1()), kid="b")))
    attacker = curve_key(ec.SECP256R1())
    with RawServer(answering("200 OK", jwks(public(attacker, kid="b")))) as server:
        lures = {
            "jku": f"{server.url}/keys",
            "x5u": f"{server.url}/keys",
            "jwk": public(attacker, kid="b"),
            "x5c": ["MIIB"],
            "kid": f"{server.url}/../../etc/passwd",
        }
        forged = signed(attacker, "ES256", **{"kid": "b", name: lures[name]})

        with pytest.raises(BadTokenError):
            verifier(tmp_path / "keys.json").verify(forged)
        assert server.requests == []
