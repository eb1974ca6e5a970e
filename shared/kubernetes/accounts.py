"""ServiceAccount: pods of the restricted profile run under one of their own, which may do nothing and has no token."""

from __future__ import annotations

from typing import Any

from shared.kubernetes import labels
from shared.kubernetes.labels import Identity


def service_account(identity: Identity) -> dict[str, Any]:
    """Return the account of the bundle; it is called like the instance."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": identity.metadata(identity.instance, labels.ACCOUNT),
        "automountServiceAccountToken": False,
    }
