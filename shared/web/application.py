"""The Flask application that every service starts from: request ids, limits, headers, health and one error handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from shared.web.settings import WebSettings

Readiness = Callable[[], Mapping[str, str]]
"""Returns what is missing: name (`persistence`, `token keys`) → problem in words. Empty means ready. May raise."""


def create(
    name: str,
    *,
    import_name: str,
    readiness: Readiness,
    openapi: Mapping[str, Any],
    settings: WebSettings,
    notices: Mapping[str, str] | None = None,
) -> Flask:
    """Return an application with `/healthz`, `/readyz`, `/openapi.json` and everything that holds for all routes.

    Views raise `shared.errors` and are translated to problem+json here; they set their own `Cache-Control` or
    `Content-Security-Policy` where the default (`no-store`, own origin only) does not fit.

    Args:
        name: the service, such as `catalog`; for logs, metrics and health.
        import_name: the caller's `__name__`; Flask looks beside it for `templates/`. There is no static folder:
            register a `flask.Blueprint` for one.
        readiness: asked by `/readyz`, at most every two seconds and never waited for longer than one.
        openapi: the document of `/openapi.json`, see `shared.web.openapi.document`.
        settings: limits and proxies.
        notices: name → what an operator should know though the service works; shown by `/readyz` beside the status.
    """
    raise NotImplementedError
