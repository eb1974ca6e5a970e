"""The Flask application that every service starts from: request ids, limits, headers, health and one error handler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.telemetry import Metrics
from shared.web import bodies, headers, health, observation, problems
from shared.web.health import Readiness
from shared.web.settings import WebSettings


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
        readiness: asked by `/readyz`, see `shared.web.health`.
        openapi: the document of `/openapi.json`, see `shared.web.openapi.document`.
        settings: limits and proxies.
        notices: name → what an operator should know though the service works; shown by `/readyz` beside the status.
    """
    app = Flask(import_name, static_folder=None)
    app.request_class = bodies.Request
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body,
        # An automatic answer to OPTIONS would be a route that asks for no token.
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    # A redirect from //v1/… would repeat the query, and with it a token, in a header.
    app.url_map.merge_slashes = False
    problems.register(app)
    headers.register(app)
    observation.register(app, Metrics(name))
    health.register(app, readiness=readiness, notices=notices or {})
    _serve_document(app, openapi)
    _believe_proxies(app, settings.trusted_proxies)
    return app


def _serve_document(app: Flask, openapi: Mapping[str, Any]) -> None:
    document = json.dumps(openapi).encode()

    @app.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(document, content_type="application/json")


def _believe_proxies(app: Flask, count: int) -> None:
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
