"""The OpenAPI document of the playground's server."""

from __future__ import annotations

from typing import Any

from shared.web import openapi


def build() -> dict[str, Any]:
    """Return the document."""
    return openapi.document("Slipway playground", summary="Lets solutions run and shows them.", paths={})
