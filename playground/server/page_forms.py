"""The forms of the pages: whatever changes a deployment, without any script. Where something is lost, a page asks first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from playground.runtime.deployment import Deployment
from playground.server.actions import known_node
from playground.server.callers import Pusher
from playground.server.desk import Desk
from playground.server.pages import Pages
from shared.errors import InvalidRequestError
from shared.web.pages.frame import html

Form = MultiDict[str, str]
ASKED = ("stop", "sleep", "restart", "reset", "rollback", "update", "delete")
"""A page asks before these: messages in flight, the memory of nodes, or data are lost."""
_YES = "true"


def register(blueprint: Blueprint, pages: Pages) -> None:
    """Add the routes to `blueprint`."""
    desk, callers = pages.desk, pages.callers
    actions = _actions(desk)

    @blueprint.post("/deployments")
    def push() -> Response:
        principal = callers.visitor().principal
        found, _ = desk.create(Pusher(principal, _uploaded(), is_service=False))
        return _to(f"/deployments/{found.id}")

    @blueprint.get(f"/deployments/<deployment_id>/<any({','.join(ASKED)}):action>")
    def ask(deployment_id: str, action: str) -> Response:
        session = pages.session()
        found = desk.deployment(deployment_id, session.principal)
        return html(
            "ask.html",
            session,
            found=found,
            action=action,
            has_folder=desk.has_data(found),
            number=request.args.get("revision", ""),
        )

    @blueprint.post(f"/deployments/<deployment_id>/<any({','.join(actions)}):action>")
    def act(deployment_id: str, action: str) -> Response:
        principal = callers.visitor().principal
        actions[action](desk.changed(deployment_id, principal), request.form)
        return _to(f"/deployments/{deployment_id}")

    @blueprint.post("/deployments/<deployment_id>/update")
    def update(deployment_id: str) -> Response:
        principal = callers.visitor().principal
        desk.update(deployment_id, Pusher(principal, _uploaded(), is_service=False))
        return _to(f"/deployments/{deployment_id}")

    @blueprint.post("/deployments/<deployment_id>/delete")
    def delete(deployment_id: str) -> Response:
        principal = callers.visitor().principal
        desk.delete(deployment_id, principal, data=_chosen(request.form, "data"))
        return _to("/")


def _actions(desk: Desk) -> Mapping[str, Callable[[Deployment, Form], object]]:
    runtime, pipelines = desk.runtime, desk.pipelines
    return {
        "run": lambda found, _: pipelines.run(found),
        "stop": lambda found, form: pipelines.stop(found, drain=_chosen(form, "drain")),
        "wake": lambda found, _: runtime.wake(found.id),
        "sleep": lambda found, _: runtime.sleep(found.id),
        "restart": lambda found, form: runtime.restart(found.id, known_node(found, form.get("node") or None)),
        "reset": lambda found, form: runtime.reset(found.id, data=_chosen(form, "data")),
        "rollback": lambda found, form: runtime.rollback(found.id, _number(form)),
    }


def _chosen(form: Form, name: str) -> bool:
    return form.get(name) == _YES


def _number(form: Form) -> int:
    text = form.get("revision", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - digits
        raise InvalidRequestError("revision: expected the number of a former revision")
    return int(text)


def _uploaded() -> bytes:
    """Return the file of the form."""
    file = request.files.get("bundle")
    if file is None or not file.filename:
        raise InvalidRequestError("bundle: expected a zip, as deployers make it")
    return bytes(file.read())


def _to(path: str) -> Response:
    return Response(status=303, headers={"Location": path})
