"""How a pushed bundle is answered: with where to watch it for programs, with a redirect for Graphene's portal.

Every URL is made of the configured base, the deployment's id and the code; nothing that a server says leads elsewhere.
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from playground.deployer.answers import Pushed
from playground.deployer.pushing import WAIT_SECONDS, Pusher
from shared.bundle import Bundle
from shared.origin import Origin
from shared.principal import Principal
from shared.web import openapi
from shared.web.bundles import Push


def to_playground(pusher: Pusher, pages: Origin) -> Push:
    """Return the delivery through `pusher`; `pages` is where browsers find the playground."""

    def accept(bundle: Bundle, principal: Principal) -> Response:
        pushed = pusher.push(bundle, principal)
        status = f"{pages.base}v1/deployments/{pushed.deployment}"
        findings = bundle.findings + pushed.findings
        response = jsonify(
            deployment=pushed.deployment,
            status=status,
            page=page(pages, pushed),
            new=pushed.is_new,
            findings=findings.to_json(),
        )
        response.status_code = 202
        response.headers["Location"] = status
        response.headers["Slipway-Findings"] = findings.header
        response.headers["Slipway-Bundle-Digest"] = bundle.digest
        return response

    def redirect(bundle: Bundle, principal: Principal) -> Response:
        return Response(status=302, headers={"Location": page(pages, pusher.push(bundle, principal))})

    return Push(accept, redirect, ACCEPTED, pusher.check, wait_seconds=WAIT_SECONDS)


def page(pages: Origin, pushed: Pushed) -> str:
    """Return the URL of a deployment's page, which signs its owner in where the server gave a code."""
    at = f"{pages.base}deployments/{pushed.deployment}"
    return f"{at}/visit?code={pushed.code}" if pushed.code else at


_URL = {"type": "string", "format": "uri"}
ACCEPTED: dict[str, Any] = {
    **openapi.json_answer(
        "The playground has taken the bundle and is bringing it up.",
        {
            "type": "object",
            "properties": {
                "deployment": {"type": "string", "description": "Its id at the playground."},
                "status": {**_URL, "description": "Where its state is asked for, with the same token."},
                "page": {**_URL, "description": "Its page; the link signs its owner in, once, within a minute."},
                "new": {"type": "boolean", "description": "False where the same was pushed before."},
                "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
            },
            "required": ["deployment", "status", "page", "new", "findings"],
        },
    ),
    "headers": {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in {
            "Location": "The same as `status`.",
            "Slipway-Findings": "Number of findings: `errors=0, warnings=2`.",
            "Slipway-Bundle-Digest": "The identity of the bundle.",
        }.items()
    },
}
"""The OpenAPI object of the answer to `POST /v1/bundles`."""
