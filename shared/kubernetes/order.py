"""In which order objects are applied: what others refer to comes first. The finishing script has the same stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.finishing import stages

_STAGES = {kind: number for number, (_, kinds) in enumerate(stages.STAGES) for kind in kinds}


def in_order(manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the paths of the manifests in the order of application; within one stage they stay as they are."""
    return sorted(manifests, key=lambda path: _STAGES.get(manifests[path]["kind"], len(_STAGES)))
