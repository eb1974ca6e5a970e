"""Which file of a bundle an object is in. Graphene's tools count and apply what is in `deployments/`, nothing else.

Its playground takes a bundle with fewer than five YAML files there for a model. So a model has at most four, the least
important ones move to `policies/`; and a very small pipeline gets some of its NetworkPolicies moved the other way.
ConfigMaps never are: Graphene's script changes the ports of Services, and the orchestrator would use the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MIN_PIPELINE_FILES = 5
MAX_MODEL_FILES = 4

Objects = Mapping[str, dict[str, Any]]
"""File name → object; the more important ones first."""


def pipeline(main: Objects, further: Objects) -> dict[str, dict[str, Any]]:
    """Return the objects of a pipeline by path."""
    policies = [name for name, manifest in further.items() if manifest["kind"] == "NetworkPolicy"]
    moved = policies[: max(0, MIN_PIPELINE_FILES - len(main))]
    return _paths([*main, *moved], {**main, **further})


def model(main: Objects, further: Objects) -> dict[str, dict[str, Any]]:
    """Return the objects of a model by path."""
    return _paths(list(main)[:MAX_MODEL_FILES], {**main, **further})


def _paths(in_deployments: Sequence[str], objects: Objects) -> dict[str, dict[str, Any]]:
    others = objects.keys() - set(in_deployments)
    first = {f"deployments/{name}": objects[name] for name in in_deployments}
    return first | {f"policies/{name}": manifest for name, manifest in objects.items() if name in others}
