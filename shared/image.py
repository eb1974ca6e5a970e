"""Image references by the grammar that container engines share: `[registry/]path[:tag][@digest]`.

Kept apart from the blueprint because options and settings name images too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
MAX_NAME = 255  # characters of registry and path together; engines refuse more

_COMPONENT = r"[a-z0-9]++(?:(?:[._]|__|-++)[a-z0-9]++)*+"
_HOST_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?+"
_REGISTRY = rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*+|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?+"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*+"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
# Only a first part that looks like a host is one: engines tell `host.example/path` and `user/path` apart so.
_HAS_HOST = r"(?=[^/]*/)(?=localhost/|[^/]*[.:A-Z])"
_REFERENCE = re.compile(rf"(?:{_HAS_HOST}({_REGISTRY})/|(?!{_HAS_HOST}))({_PATH})(?::({_TAG}))?+(?:@({_DIGEST}))?+")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
# What people copy from a browser or a command line.
_MENDABLE = re.compile(r"\s|.*\s\Z|[A-Za-z]+://|hub\.docker\.com/")
_SCHEME = re.compile(r"(?:https?|docker|oci)://", re.IGNORECASE)
_WEB_PAGE = re.compile(r"hub\.docker\.com/(?:(_)/|r/|repository/docker/)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """The parts of an image reference."""

    registry: str
    """Host with an optional port; `docker.io` when the text names none."""
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def is_moving(self) -> bool:
        """True when the same reference may be another image tomorrow: no digest, and no tag or `latest`."""
        return not self.digest and self.tag in {"", "latest"}


def parse(text: str) -> Reference:
    """Read an image reference.

    Raises:
        ValueError: it is none; the message says what is wrong with it, without the text itself.
    """
    parts = _REFERENCE.fullmatch(text)
    if parts is None:
        raise ValueError(_reason(text))
    registry, path, tag, digest = parts.groups(default="")
    if parts.end(2) > MAX_NAME:
        raise ValueError(f"registry and path have more than {MAX_NAME} characters")
    if not registry and _IMAGE_ID.fullmatch(path):
        raise ValueError("it is the id of an image on one machine, not a name")
    return Reference(registry or DEFAULT_REGISTRY, path, tag, digest)


def mend(text: str) -> str:
    """Return the reference that is certainly meant: without blanks around, URL scheme or the registry's web page."""
    if not _MENDABLE.match(text):
        return text
    mended = _SCHEME.sub("", text.strip(), count=1)
    page = _WEB_PAGE.match(mended)
    if page is None:
        return mended
    library = "library/" if page[1] else ""
    return f"{DEFAULT_REGISTRY}/{library}{mended[page.end() :]}"


def _reason(text: str) -> str:
    """Say which part of a text is not as in a reference."""
    name, at, digest = text.partition("@")
    if at and not re.fullmatch(_DIGEST, digest):
        return "the digest is not sha256 and 64 hexadecimal digits"
    if ":" in name.rpartition("/")[2]:
        name, _, tag = name.rpartition(":")
        if not re.fullmatch(_TAG, tag):
            return "the tag has other characters than letters, digits, '_', '.', '-', or more than 128"
    if not name:
        return "it has no name"
    if re.match(_HAS_HOST, name) and not re.match(f"{_REGISTRY}/", name):
        return "the registry is not a host with an optional port"
    return "the path is not made of lower-case letters, digits, '.', '_' and '-' between slashes"
