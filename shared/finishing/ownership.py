"""Whose objects stand in the namespace already. Pure: what is not ours stops the run before anything is written."""

from __future__ import annotations

from typing import List, Tuple

from shared.finishing.stages import Manifest

INSTANCE_LABEL = "app.kubernetes.io/instance"


def foreign(existing: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return `kind/name (instance)` of every existing object that carries the name of one of ours, but not its instance.

    An object without the label counts as foreign too: somebody made it by other means, and we must not take it over.
    """
    wanted = {_identity(manifest): _instance(manifest) for manifest in ours}
    return [
        "{}/{} (instance {})".format(*_identity(found), _instance(found) or "unknown")
        for found in existing
        if _identity(found) in wanted and _instance(found) != wanted[_identity(found)]
    ]


def _identity(manifest: Manifest) -> Tuple[str, str]:
    return manifest.get("kind", ""), manifest["metadata"]["name"]


def _instance(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("labels", {}).get(INSTANCE_LABEL, ""))
