"""Public keys of an issuer from a JWKS file or URL (RFC 7517), which may rotate.

A token chooses among them by `kid` and nothing else: no header of a token leads to a file or a host.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from jwt.algorithms import Algorithm
from jwt.exceptions import InvalidKeyError

from shared.deadline import Deadline
from shared.errors import BadTokenError, SlipwayError, UnavailableError
from shared.origin import Origin
from shared.token_keys import Key, implementation

log = structlog.get_logger(__name__)

RSA_ALGORITHMS = ("RS256", "RS384", "RS512")
CURVE_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
MIN_RSA_BITS = 2048  # NIST SP 800-131A

MAX_JWKS_BYTES = 256 * 1024  # ~100 keys with certificate chains
REFRESH_SECONDS = 30.0  # an unknown kid asks the source again, at most this often: anybody can send unknown kids
MAX_AGE_SECONDS = 600.0  # a key that was withdrawn works this much longer
MAX_STALE_SECONDS = 86_400.0  # with the source unreachable the known keys work this much longer
FETCH_SECONDS = 5.0  # for all tries together: requests wait for the first document


_BY_NAME: Mapping[str, Algorithm] = {
    name: implementation(name) for name in (*RSA_ALGORITHMS, *CURVE_ALGORITHMS.values())
}


class JwksKeys:
    """The signing keys of a JWKS document, read again when a token names an unknown key or the document is old.

    Safe for many threads: one of them reads, the others go on with what is known.
    """

    def __init__(self, read: Callable[[], bytes], *, now: Callable[[], float]) -> None:
        """Keep `read` for later; nothing is read yet. `now` is a monotonic clock in seconds."""
        self._read = read
        self._now = now
        self._lock = threading.Lock()
        self._keys: tuple[Key, ...] = ()
        self._loaded: float | None = None
        self._tried: float | None = None

    def find(self, algorithm: str, kid: str | None) -> Key:
        """Return the key that `kid` names, or the only one for `algorithm` when the token names none."""
        self._refresh(MAX_AGE_SECONDS)
        key = self._fitting(algorithm, kid)
        if key is None:
            self._refresh(REFRESH_SECONDS)
            key = self._fitting(algorithm, kid)
        if key is None and not self._is_usable:
            raise UnavailableError("the keys that tokens are checked with cannot be read")
        if key is None:
            raise BadTokenError("no configured key fits the token's algorithm and key id")
        return key

    def check(self) -> None:
        """Raise UnavailableError when there are no keys to check tokens with."""
        self._refresh(MAX_AGE_SECONDS)
        if not self._is_usable:
            raise UnavailableError("the key set cannot be read")

    def load(self) -> None:
        """Read the document now.

        Raises:
            OSError, SlipwayError: it cannot be read; ValueError: it is not a JWKS with a usable key.
        """
        self._keys = parse_jwks(self._read())
        self._loaded = self._now()

    @property
    def _is_usable(self) -> bool:
        return self._loaded is not None and self._now() - self._loaded < MAX_STALE_SECONDS

    def _fitting(self, algorithm: str, kid: str | None) -> Key | None:
        if not self._is_usable:
            return None
        wanted = _BY_NAME.get(algorithm)
        fitting = [key for key in self._keys if wanted is not None and key.algorithm is wanted]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == kid), None)

    def _refresh(self, older_than: float) -> None:
        """Read the document when it is older than that, unless the last try is too recent or somebody is at it."""
        if self._loaded is not None and self._now() - self._loaded < older_than:
            return
        # Without any key there is nothing to go on with: wait for whoever reads.
        if not self._lock.acquire(blocking=not self._is_usable):
            return
        try:
            if self._tried is None or self._now() - self._tried >= REFRESH_SECONDS:
                self._tried = self._now()
                self.load()
        except (OSError, ValueError, SlipwayError) as problem:
            log.warning("jwks_unreadable", cause=type(problem).__name__)
        finally:
            self._lock.release()


def parse_jwks(text: bytes) -> tuple[Key, ...]:
    """Return the usable signing keys of a JWKS document; others (encryption, secrets, short RSA keys) are left out.

    Raises:
        ValueError: no JWKS, or none of its keys is usable.
    """
    try:
        document = json.loads(text)
    except RecursionError as problem:
        raise ValueError("expected a JWKS document") from problem
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("expected a JWKS document: an object with a list `keys`")  # noqa: TRY004 - one error for the caller
    keys = tuple(key for entry in entries if isinstance(entry, dict) for key in _keys_of(entry))
    if not keys:
        raise ValueError(
            "expected at least one signing key of type RSA (2048 bits or more) or EC (P-256, P-384, P-521)"
        )
    return keys


def _keys_of(entry: Mapping[str, Any]) -> list[Key]:
    """Return one key per algorithm that a JWK may be used with."""
    kid = entry.get("kid")
    if entry.get("use", "sig") != "sig" or not isinstance(kid, str | None):
        return []
    names = [name for name in _names_for(entry) if entry.get("alg", name) == name]
    try:
        found = [Key(_BY_NAME[name], _BY_NAME[name].from_jwk(dict(entry)), kid) for name in names]
    except (InvalidKeyError, ValueError, TypeError, KeyError, AttributeError):
        return []
    return [key for key in found if getattr(key.material, "key_size", 0) >= MIN_RSA_BITS or "crv" in entry]


def _names_for(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if entry.get("kty") == "RSA":
        return RSA_ALGORITHMS
    if entry.get("kty") == "EC":
        return tuple(name for curve, name in CURVE_ALGORITHMS.items() if curve == entry.get("crv"))
    return ()


def reader(source: str) -> Callable[[], bytes]:
    """Return what reads the JWKS at `source`, a path or URL; the callable raises OSError or SlipwayError."""
    if "://" in source:
        return _fetcher(source)
    return lambda: _read_file(Path(source))


def check_source(source: str) -> str:
    """Return `source` when it is a path or an https URL.

    Raises:
        ValueError: with the expected form.
    """
    if "://" not in source:
        return source
    form = "expected the path of a JWKS file, or an https URL with a path and no query (http only on this machine)"
    folder, _, name = source.rpartition("/")
    try:
        origin = Origin.parse(folder)
        origin.resolve(name)
    except ValueError as problem:
        raise ValueError(form) from problem
    parts = urlsplit(origin.root)
    if not name or (parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}):
        raise ValueError(form)
    return source


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(MAX_JWKS_BYTES + 1)
    if len(text) > MAX_JWKS_BYTES:
        raise OSError(f"the key set is larger than {MAX_JWKS_BYTES} bytes")
    return text


def _fetcher(url: str) -> Callable[[], bytes]:
    from shared.outbound import Upstream  # noqa: PLC0415 - most services have a secret or a file: no HTTP client

    folder, _, name = url.rpartition("/")
    upstream = Upstream("jwks", folder)
    return lambda: upstream.get(name, deadline=Deadline.after(FETCH_SECONDS), most_bytes=MAX_JWKS_BYTES).body
