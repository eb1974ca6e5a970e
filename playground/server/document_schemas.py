"""The schemas of the objects that the playground's server answers with: what `playground.server.shapes` makes."""

from __future__ import annotations

from typing import Any

from playground.runtime.deployment import State
from playground.server.desk import ID

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
ID_SCHEMA = {"type": "string", "pattern": f"^{ID.pattern}$"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}


def ref(name: str) -> dict[str, Any]:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_DEPLOYMENT = _object(
    id=ID_SCHEMA,
    solution=TEXT,
    state={"enum": [state.value for state in State]},
    reason=TEXT,
    owner=TEXT,
    mine=FLAG,
    createdAt=_MOMENT,
    usedAt=_MOMENT,
    nodes={"type": "array", "items": ref("Node")},
    revisions={"type": "array", "items": ref("Revision")},
    current=_COUNT,
    findings={"type": "array", "items": ref("Finding")},
)
SCHEMAS = {
    "Deployment": _DEPLOYMENT,
    "Pushed": {
        **_DEPLOYMENT,
        "properties": {
            **_DEPLOYMENT["properties"],
            "visit": {"type": "string", "description": "For a service: a link that signs the owner in, once."},
        },
    },
    "Node": _object(
        name=TEXT,
        image=TEXT,
        imageId=TEXT,
        phase=TEXT,
        ready=FLAG,
        restarts=_COUNT,
        startedAt=_or_null(_MOMENT),
        reason=TEXT,
        webUi=FLAG,
    ),
    "Revision": _object(
        number=_COUNT, solutionId=_or_null(TEXT), revisionId=_or_null(TEXT), digest=TEXT, pushedAt=_MOMENT
    ),
    "Event": _object(at=_MOMENT, text=TEXT, node=TEXT, warning=FLAG),
    "Sampled": _object(text=TEXT, size=_COUNT, truncated=FLAG),
    "Statistics": _object(
        available=FLAG,
        reason=TEXT,
        run=_or_null({"type": "object"}),
        operations={"type": "array", "items": {"type": "object"}},
        edges={
            "type": "array",
            "items": _object(
                source=TEXT,
                sourceOperation=TEXT,
                target=TEXT,
                targetOperation=TEXT,
                messages=_COUNT,
                messagesPerSecond=_NUMBER,
                queuedMessages=_COUNT,
            ),
        },
    ),
}
