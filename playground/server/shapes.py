"""Deployments and what belongs to them as JSON objects: the one form for the API, for events and for pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playground.runtime.deployment import Capacity, Deployment, Entry, Event, NodeStatus, Revision
from shared.principal import Principal


def deployment(found: Deployment, principal: Principal) -> dict[str, Any]:
    """Return a deployment as `principal`, who may see it, sees it."""
    return {
        "id": found.id,
        "solution": found.solution_name,
        "state": found.state.value,
        "reason": found.reason,
        "owner": found.owner.id,
        "mine": found.owner.id == principal.id,
        "createdAt": moment(found.created_at),
        "usedAt": moment(found.used_at),
        "nodes": [node(each) for each in found.nodes],
        "revisions": [revision(each) for each in found.revisions],
        "current": found.current,
        "findings": found.findings.to_json(),
    }


def node(found: NodeStatus) -> dict[str, Any]:
    """Return a node."""
    return {
        "name": found.name,
        "image": found.image,
        "imageId": found.image_id,
        "phase": found.phase,
        "ready": found.is_ready,
        "restarts": found.restarts,
        "startedAt": None if found.started_at is None else moment(found.started_at),
        "reason": found.reason,
        "webUi": found.has_web_ui,
    }


def revision(found: Revision) -> dict[str, Any]:
    """Return a revision that has run or runs."""
    return {
        "number": found.number,
        "solutionId": found.ids.solution_id if found.ids else None,
        "revisionId": found.ids.revision_id if found.ids else None,
        "digest": found.digest,
        "pushedAt": moment(found.pushed_at),
    }


def moment(seconds: float) -> str:
    """Return seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(found: Event) -> dict[str, Any]:
    """Return something that happened."""
    return {"at": moment(found.at), "text": found.text, "node": found.node, "warning": found.is_warning}


def entry(found: Entry) -> dict[str, Any]:
    """Return a file or folder."""
    return {
        "name": found.name,
        "size": found.size,
        "modifiedAt": moment(found.modified_at),
        "folder": found.is_folder,
    }


def capacity(found: Capacity) -> dict[str, Any]:
    """Return what is used and allowed."""
    return {
        "deployments": found.deployments,
        "limit": found.limit,
        "queued": found.queued,
        "perOwnerLimit": found.per_owner_limit,
    }
