"""The labels and annotations by which everything of the playground is found, and nothing else.

One watch over all namespaces with `selector(installation)` sees every object of ours: the namespace, what was applied
in it, and the pods, because their templates carry the labels too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from playground.runtime.deployment import DeploymentId

INSTALLATION = "slipway.dev/playground"
"""Which playground: several may share a cluster."""
DEPLOYMENT = "slipway.dev/deployment"
"""The id of the deployment, which is the name of its namespace."""
OWNER = "slipway.dev/owner"
"""On the namespace: `owner_hash` of the principal's id."""
SOLUTION_ID = "slipway.dev/solution-id"
REVISION_ID = "slipway.dev/revision-id"
"""On the namespace, where the solution has ids; on objects the bundle sets them itself."""
DIGEST = "slipway.dev/digest"
"""On the namespace: the first 63 digits of the digest of the bundle that runs."""
PART = "slipway.dev/playground-part"
"""On objects that the bundle does not hold: which part of the runtime made it; the values are below."""
RECORD = "slipway.dev/record"
"""Annotation on the namespace: the deployment's record as JSON."""
RESTARTED_AT = "slipway.dev/restarted-at"
"""Annotation on a pod template: another value makes new pods."""

DEFAULT_INSTALLATION = "playground"
FIELD_MANAGER = "slipway-playground"

HISTORY = "history"
GUARD = "guard"
"""Quota, limits and policies of the namespace."""
CREDENTIALS = "credentials"
"""Secrets for pulling images, and the token of the orchestrator."""
SHARED_FOLDER_HELPER = "shared-folder-helper"
"""The pod behind a shared folder."""
CODE = "code"
"""One-time codes, in the server's own namespace."""

ORCHESTRATOR_TOKEN = "slipway-orchestrator-token"  # noqa: S105 - the name of a Secret, not what it holds
ORCHESTRATOR_TOKEN_KEY = "token"  # noqa: S105 - the name of a key
"""The one Secret that a pod may mount: the runtime makes it and mounts it itself."""

_OWNER_DIGITS = 16


def selector(installation: str) -> str:
    """Return the label selector of everything that the playground made."""
    return f"{INSTALLATION}={installation}"


def labels(installation: str, deployment: DeploymentId, *, part: str | None = None) -> Mapping[str, str]:
    """Return the labels of every object and pod template of a deployment."""
    made_by = {PART: part} if part else {}
    return {INSTALLATION: installation, DEPLOYMENT: deployment, **made_by}


def owner_hash(owner_id: str) -> str:
    """Return what stands for a principal in a label: 16 hex digits of SHA-256."""
    return hashlib.sha256(owner_id.encode()).hexdigest()[:_OWNER_DIGITS]
