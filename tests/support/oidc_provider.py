"""A small OpenID provider on 127.0.0.1: everybody is signed in at once as `user`; a test may let it break any rule."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from support.tokens import encode

CLIENT, CLIENT_SECRET = "slipway-test", "a secret/of the:client"
USER = {"sub": "248289761001", "email": "ada@example.org", "email_verified": True}
Json = dict[str, Any]


class Provider:
    """The provider; its URL is its issuer."""

    def __init__(self, path: str = "") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user: Json = dict(USER)
        self.claims: Json = {}
        """What an ID token says otherwise than it should; None leaves a claim out."""
        self.discovery: Json = {}
        """What the provider says of itself otherwise."""
        self.redirect: Json = {}
        """What it sends the browser back with otherwise."""
        self.token: Callable[[Provider, Json], str] = lambda provider, claims: provider.signed(claims)
        self.failing: dict[str, tuple[int, bytes]] = {}
        """Path → status and body in place of the answer."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.codes: dict[str, Json] = {}
        self.server = _Server(self)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}{path}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)

    def signed(self, claims: Json, *, key: ec.EllipticCurvePrivateKey | None = None, **header: Any) -> str:
        """Return a token under the provider's key, or another."""
        head = {"alg": "ES256", "kid": "1", "typ": "JWT", **header}
        text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature((key or self.key).sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def document(self) -> Json:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            **self.discovery,
        }
        return {name: value for name, value in document.items() if value is not None}

    def keys(self) -> Json:
        numbers = self.key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": x, "y": y}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Sign the user in, and return where the browser goes."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], **self.redirect}
        return f"{query['redirect_uri']}?{urlencode({name: text for name, text in back.items() if text is not None})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Json]:
        """Redeem a code, once, for who can prove to have asked for it."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if _client(form, authorization) != (CLIENT, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said = {name: value for name, value in {**claims, **self.user, **self.claims}.items() if value is not None}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(self, said)}


def unsigned(algorithm: str) -> Callable[[Provider, Json], str]:
    """Return a maker of tokens that nobody has signed."""

    def make(_provider: Provider, claims: Json) -> str:
        head, body = (encode(json.dumps(part).encode()) for part in ({"alg": algorithm}, claims))
        return f"{head}.{body}."

    return make


def _client(form: dict[str, str], authorization: str) -> tuple[str, str]:
    if authorization.startswith("Basic "):
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = "/" + parts.path.rpartition("/")[2]
        if self._fails(path, query):
            return
        if path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.server.provider.authorize(query))
            self.end_headers()
            return
        self._answer(200, self.server.provider.keys() if path == "/keys" else self.server.provider.document())

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        if not self._fails("/token", form):
            self._answer(*self.server.provider.exchange(form, self.headers.get("Authorization", "")))

    def _fails(self, path: str, asked: dict[str, str]) -> bool:
        self.server.provider.asked.append((path, asked))
        status, body = self.server.provider.failing.get(path, (0, b""))
        if status:
            self._send(status, body)
        return bool(status)

    def _answer(self, status: int, value: Json) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
