"""The frame that every page of ours stands in, and how a page is made of a template."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, render_template

from shared.web.sessions import Session


def register(app: Flask, name: str, *, login: str = "") -> None:
    """Let the templates of `app` extend ours.

    A service brings `layout.html`, which extends `frame.html`; the pages that all services share extend that.

    Args:
        app: whose templates.
        name: of the service, as people read it.
        login: path that leads to an OpenID provider and, with `?next=`, back; empty where there is none.
    """
    app.jinja_env.globals.update(service=name, login=login)
    app.register_blueprint(Blueprint("frame", __name__, template_folder="templates"))


def html(template: str, session: Session | None, *, status: int = 200, **values: object) -> Response:
    """Return a page; every template knows the visitor's `session`, or None."""
    text = render_template(template, session=session, **values)
    return Response(text, status=status, content_type="text/html; charset=utf-8")
