"""The OpenAPI document of the playground's server: each route over deployments twice, for programs and for our pages."""

from __future__ import annotations

from typing import Any

from playground.server.deploy_solution import DASHBOARD, ROUTE, SELECTED
from playground.server.document_schemas import FLAG, ID_SCHEMA, SCHEMAS, TEXT, ref
from playground.server.pipelines import EDGE
from shared.web import oidc_login, openapi, session_document
from shared.web.openapi import failing, json_answer, problems


def build(*, with_deploy_solution: bool = False, with_login: bool = False) -> dict[str, Any]:
    """Return the document, with the routes that are on."""
    paths: dict[str, Any] = {}
    for path, item in _deployments().items():
        paths[f"/v1{path}"] = item
        paths[f"/visitor{path}"] = _for_visitors(item)
    paths |= _visits() | session_document.paths()
    paths |= (_deploy_solution() if with_deploy_solution else {}) | (_login() if with_login else {})
    document = openapi.document(
        "Slipway playground",
        summary="Lets solutions run, and shows them to their owners.",
        paths=paths,
        schemas=SCHEMAS,
    )
    document["components"]["securitySchemes"] |= session_document.scheme("playground")
    return document


def _for_visitors(item: dict[str, Any]) -> dict[str, Any]:
    """Return the same operations with the session in place of a token."""
    session: dict[str, Any] = {"security": [{"session": []}]}
    return {key: value if key == "parameters" else {**value, **session} for key, value in item.items()}


def _deployments() -> dict[str, Any]:
    one = "/deployments/{deployment_id}"
    changes: dict[str, dict[str, Any]] = {
        "wake": {},
        "sleep": {},
        "restart": {"node": {"type": ["string", "null"]}},
        "reset": {"data": FLAG},
    }
    paths = {
        "/deployments": {"get": _get("List deployments, the newest first.", _list_of("deployments")), "post": _push()},
        one: {
            "parameters": [_id()],
            "get": _get("Return a deployment.", ref("Deployment")),
            "put": _update(),
            "delete": _delete(),
        },
        "/operator": {"get": _get("Return what operators see.", {"type": "object"}, 403)},
        f"{one}/rollback": _action("Run a former revision again.", {"revision": {"type": "integer"}}, ["revision"]),
        f"{one}/run": _action("Start a run of the pipeline, or name the active one.", {}, ok="200"),
        f"{one}/stop": _action("Stop every active run.", {"drain": FLAG}, ok="200"),
    }
    for name, fields in changes.items():
        paths[f"{one}/{name}"] = _action(f"Let the runtime {name} the deployment.", fields)
    return {**paths, **_watching(one), **_folder(one), **_execution(one)}


def _watching(one: str) -> dict[str, Any]:
    flag = {"enum": ["true", "false"], "default": "false"}
    logs = [_query("follow", flag), _query("since", _whole(0, 31 * 86_400)), _query("tail", _whole(0, 10_000))]
    node = {"name": "node", "in": "path", "required": True, "schema": TEXT}
    edge = {
        **_query("edge", {"type": "string", "pattern": f"^{EDGE.pattern}$"}, "`node.operation:node.operation`"),
        "required": True,
    }
    sample = {
        **_get("Return the next messages of an edge.", _list_of("messages")),
        "parameters": [edge, _query("count", _whole(1, 20))],
    }
    sample["responses"] |= failing(400, 401, 404, 409, 429, 504)
    return {
        f"{one}/history": {"parameters": [_id()], "get": _get("Return the last events.", _list_of("events"))},
        f"{one}/events": {
            "parameters": [_id()],
            "get": _stream("Follow a deployment: `deployment`, `statistics`, `happened`, `gone`.", "text/event-stream"),
        },
        f"{one}/nodes/{{node}}/logs": {
            "parameters": [_id(), node],
            "get": {**_stream("Return the log of a node.", "text/plain"), "parameters": logs},
        },
        f"{one}/statistics": {"parameters": [_id()], "get": _get("Return figures of the run.", ref("Statistics"))},
        f"{one}/sample": {"parameters": [_id()], "get": sample},
        f"{one}/graph.svg": {
            "parameters": [_id()],
            "get": {
                "summary": "Return the graph as a picture.",
                "responses": {
                    "200": _file("image/svg+xml"),
                    "304": {"description": "The caller has it."},
                    **failing(400, 401, 404, 422, 429),
                },
            },
        },
    }


def _folder(one: str) -> dict[str, Any]:
    # The server takes more than a pattern can say.
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}(/[A-Za-z0-9_-]{1,40}){0,4}$"}
    path = {"name": "path", "in": "path", "required": True, "schema": schema}
    content = {"required": True, "content": {"application/octet-stream": {"schema": _binary()}}}
    listing = _get("List the shared folder.", {"type": "object", "required": ["path", "entries"]})
    both = {"application/octet-stream": {"schema": _binary()}, "application/json": {"schema": {"type": "object"}}}
    done = {"204": {"description": "Done."}, **failing(400, 401, 404, 409, 413, 429)}
    return {
        f"{one}/shared-folder/": {"parameters": [_id()], "get": listing},
        f"{one}/shared-folder/{{path}}": {
            "parameters": [_id(), path],
            "get": {
                "summary": "Download a file; a path with a slash at its end is listed.",
                "responses": {"200": {"description": "It.", "content": both}, **failing(400, 401, 404, 429)},
            },
            "put": {"summary": "Upload a file.", "requestBody": content, "responses": done},
            "delete": {"summary": "Remove a file or folder.", "responses": done},
        },
    }


def _execution(one: str) -> dict[str, Any]:
    fields = {"fullId": {"type": "string", "minLength": 1, "maxLength": 500}}
    fields |= {name: {"type": "string", "maxLength": 500} for name in ("origin", "apiToken")}
    send = _action("Send execution data to the marketplace that the bundle comes from.", fields, ["fullId"], ok="200")
    send["post"]["responses"] |= failing(403, 422, 504)
    return {
        f"{one}/execution_run.json": {
            "parameters": [_id()],
            "get": _get("Return what ran, as Graphene writes it.", {"type": "object"}, 422),
        },
        f"{one}/execution-data": send,
    }


def _push() -> dict[str, Any]:
    about = ref("Pushed")
    return {
        "summary": "Push a bundle: the same push is the same deployment.",
        "requestBody": _zip(),
        "responses": {
            "200": json_answer("It was there.", about),
            "202": {**json_answer("It is being started.", about), "headers": {"Location": {"schema": TEXT}}},
            **failing(400, 401, 403, 409, 413, 415, 422, 429),
        },
    }


def _update() -> dict[str, Any]:
    return {
        "summary": "Run another bundle of the same solution; claims stay.",
        "requestBody": _zip(),
        "responses": {
            "202": json_answer("It is being updated.", ref("Deployment")),
            **failing(400, 401, 403, 404, 409, 413, 415, 422, 429),
        },
    }


def _delete() -> dict[str, Any]:
    data = _query("data", {"enum": ["true", "false"], "default": "false"}, "Whether data may go as well.")
    return {
        "summary": "Delete a deployment.",
        "parameters": [data],
        "responses": {"202": {"description": "It is being deleted."}, **failing(400, 401, 403, 404, 409, 429)},
    }


def _action(
    summary: str, fields: dict[str, Any], required: list[str] | None = None, *, ok: str = "202"
) -> dict[str, Any]:
    body = {"type": "object", "properties": fields, "required": required or [], "additionalProperties": False}
    answer = ref("Deployment") if ok == "202" else {"type": "object"}
    return {
        "parameters": [_id()],
        "post": {
            "summary": summary,
            "requestBody": {"required": bool(required), "content": {"application/json": {"schema": body}}},
            "responses": {
                ok: json_answer("Done.", answer),
                **failing(400, 401, 403, 404, 409, 413, 415, 422, 429, 504),
            },
        },
    }


def _get(summary: str, schema: dict[str, Any], *statuses: int) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": json_answer("It.", schema), **failing(400, 401, 404, 429, *statuses)},
    }


def _stream(summary: str, kind: str) -> dict[str, Any]:
    answer = {"description": "It goes on and on.", "content": {kind: {"schema": TEXT}}}
    return {"summary": summary, "responses": {"200": answer, **failing(400, 401, 404, 429)}}


def _visits() -> dict[str, Any]:
    to_page = {"303": {"description": "To the page."}, **failing(401)}
    cookie: list[dict[str, list[str]]] = [{"session": []}]
    return {
        "/deployments/{deployment_id}/visit": {
            "parameters": [_id(), session_document.CODE],
            "get": {"summary": "Begin a session with a link that works once.", "security": [], "responses": to_page},
        },
        "/visitor/deployments/{deployment_id}/web-uis/{node}": {
            "parameters": [_id(), {"name": "node", "in": "path", "required": True, "schema": TEXT}],
            "get": {
                "summary": "Lead to the web UI of a node, with a code that lets the visitor in once.",
                "security": cookie,
                "responses": {"303": {"description": "To the web UI."}, **failing(401, 403, 404, 429)},
            },
        },
    }


def _login() -> dict[str, Any]:
    parameters = [_query(name, TEXT) for name in ("code", "state", "iss", "error")]
    wanted = _query("next", TEXT, "Path of the page to arrive at.")
    return {
        oidc_login.PATH: {
            "get": {
                "summary": "Sign in with the OpenID provider.",
                "security": [],
                "parameters": [wanted],
                "responses": {"302": {"description": "To the provider."}, **failing(400, 504)},
            }
        },
        oidc_login.CALLBACK: {
            "get": {
                "summary": "Begin a session for whom the provider names.",
                "security": [],
                "parameters": parameters,
                "responses": {"303": {"description": "To the page."}, **failing(401, 403, 504)},
            }
        },
    }


def _deploy_solution() -> dict[str, Any]:
    fields = {"solution": {"type": "string", "contentEncoding": "base64"}, "username": {"type": "string"}}
    body = {"type": "object", "properties": fields, "required": ["solution", "username"]}
    text = {"content": {"text/plain": {"schema": TEXT}}}
    failed = {
        status: {"description": "Failed, as Graphene says it.", **text}
        for status in ("400", "403", "409", "413", "422", "500", "502", "503")
    }
    either = {"text/plain": {"schema": TEXT}, "application/problem+json": {"schema": ref("Problem")}}
    failed |= {status: {"description": "Refused.", "content": either} for status in ("400", "413")}
    selected = _query(SELECTED, TEXT, "Id of a deployment.")
    return {
        DASHBOARD: {
            "get": {
                "summary": "Lead to the page of a deployment, or to the list.",
                "security": [],
                "parameters": [selected],
                "responses": {"303": {"description": "To the page."}},
            }
        },
        ROUTE: {
            "post": {
                "summary": "Push as Graphene's deployers do, with a caller's own secret.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": {"200": {"description": "Where it runs.", **text}, **problems(401, 415, 429), **failed},
            }
        },
    }


def _zip() -> dict[str, Any]:
    return {"required": True, "content": {"application/zip": {"schema": _binary()}}}


def _file(kind: str) -> dict[str, Any]:
    return {"description": "The file.", "content": {kind: {"schema": _binary()}}}


def _binary() -> dict[str, Any]:
    return {"type": "string", "format": "binary"}


def _id() -> dict[str, Any]:
    return {"name": "deployment_id", "in": "path", "required": True, "schema": ID_SCHEMA}


def _query(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **({"description": description} if description else {})}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _list_of(name: str) -> dict[str, Any]:
    items = {"deployments": ref("Deployment"), "events": ref("Event"), "messages": ref("Sampled")}[name]
    return {"type": "object", "properties": {name: {"type": "array", "items": items}}, "required": [name]}
