"""Builds OpenAPI 3.1 documents: what all services share, and what every deployer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def document(
    title: str, *, summary: str, paths: Mapping[str, Any], schemas: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a document with `paths`, the health routes, the security schemes `bearer` and `jwtToken`, and `Problem`.

    Args:
        title: the service's title.
        summary: one line for people.
        paths: OpenAPI path items by path template; operations need a token unless they say `security: []`.
        schemas: component schemas beside `Problem`.
    """
    raise NotImplementedError


def problems(*statuses: int) -> dict[str, Any]:
    """Return the `responses` entries of error answers: status → problem+json."""
    raise NotImplementedError
