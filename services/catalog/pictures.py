"""Answers with the picture of a revision's graph, as an SVG file of its own that nothing can run in."""

from __future__ import annotations

import base64
import hashlib

from flask import Request, Response

from services.catalog.revision import Revision
from shared.graph.style import STYLE
from shared.graph_picture import svg

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# The stylesheet in the picture is known by its hash; everything else is forbidden.
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; sandbox"
FRESH_SECONDS = 300  # a revision never changes, but the next version of the catalog may draw it better


def picture(found: Revision, request: Request, *, operations: bool = True) -> Response:
    """Return the picture, or 304 when the caller has it."""
    response = Response(svg(found.solution, operations=operations), content_type="image/svg+xml")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
    response.headers["Vary"] = "Authorization, Cookie, jwtToken"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]
