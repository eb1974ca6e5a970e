"""Where one upstream lives, and the only way from a foreign uri to a URL below it.

Uris come from strangers (a blueprint, an artifact) and are requested with our credentials: one that leaves the configured
origin or its base path would carry them elsewhere, or read there what the stranger may not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

MOST_URI_CHARACTERS = 2048

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_BASE_FORM = "expected http(s)://host[:port]/path without user, query and fragment"


class ForeignUriError(ValueError):
    """The uri does not stay below the configured base; the message says why and never repeats the uri."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port with a base path: what an operator configured, and all that may be asked."""

    root: str
    """`http://host:port`; the port is always written."""
    base_path: str
    """Begins and ends with a slash."""

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Read a configured base URL.

        Raises:
            ValueError: the form is another; the message repeats nothing, because a URL may carry a password.
        """
        root, path, rest = _split(url)
        if rest:
            raise ValueError(_BASE_FORM)
        base = "/".join(_safe(segment) for segment in path.split("/") if segment)
        return cls(root, f"/{base}/" if base else "/")

    @property
    def base(self) -> str:
        """The base URL, with a slash at its end."""
        return self.root + self.base_path

    def resolve(self, uri: str) -> str:
        """Return the URL of `uri`: a path below the base, or an absolute URL that stays there; empty is the base itself.

        The result is made of plainly safe characters, so that no other reader of URLs can understand it differently.

        Raises:
            ForeignUriError: it leaves the base, or its form leaves doubt about that.
        """
        if len(uri) > MOST_URI_CHARACTERS:
            raise ForeignUriError(f"expected a uri of at most {MOST_URI_CHARACTERS} characters")
        path = self._below_base(uri) if _SCHEME.match(uri) else uri.removeprefix("/")
        if not path:
            return self.base
        return self.base + "/".join(_safe(segment) for segment in path.split("/"))

    def _below_base(self, url: str) -> str:
        try:
            root, path, rest = _split(url)
        except ValueError as problem:
            raise ForeignUriError("expected a path, or a URL of the configured origin") from problem
        if root != self.root or rest:
            raise ForeignUriError("expected a path, or a URL of the configured origin")
        if not path.startswith(self.base_path):
            raise ForeignUriError("expected a URL below the configured base path")
        return path.removeprefix(self.base_path)


def _split(url: str) -> tuple[str, str, str]:
    """Return root, path, and whatever else the URL carries."""
    # urlsplit drops tabs, line ends and outer blanks silently: what it was given must already be clean.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError(_BASE_FORM)
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ValueError(_BASE_FORM) from None
    host = re.sub(r":\d*$", "", parts.netloc)
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        raise ValueError(_BASE_FORM)
    return f"{parts.scheme}://{host.lower()}:{port}", parts.path, parts.query + parts.fragment


def _safe(segment: str) -> str:
    """Return the segment percent-encoded, having read one level of percent-encoding."""
    plain = unquote(segment, errors="strict") if _is_encoded(segment) else segment
    if plain in {"", ".", ".."}:
        raise ForeignUriError("expected a path without empty segments and dots")
    if not plain.isprintable() or any(character in '/\\?#%"<>^`{|}' for character in plain):
        raise ForeignUriError(
            "expected a path without separators, percent signs and control characters in its segments"
        )
    return quote(plain, safe="")


def _is_encoded(segment: str) -> bool:
    try:
        return unquote(segment, errors="strict") != segment
    except UnicodeDecodeError as problem:
        raise ForeignUriError("expected a path in UTF-8") from problem
