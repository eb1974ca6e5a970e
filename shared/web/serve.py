"""Runs a service under gunicorn, configured in code: threads, limits, graceful end, metrics on a port of their own."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from shared.web.settings import WebSettings


def run(create_app: Callable[[], Flask], *, name: str, settings: WebSettings) -> None:
    """Serve until SIGTERM or SIGINT, then answer `/readyz` with 503, drain, and exit with 0. Does not return.

    Args:
        create_app: called once in every worker process, after the fork.
        name: the service, for logs and the process title.
        settings: where to listen and how much to take on.
    """
    raise NotImplementedError
