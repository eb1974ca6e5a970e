"""Whose turn it is: jobs of a deployment run one after the other, before anything that is called. Their manifests say it.

An annotation, because plain Kubernetes starts all at once and passes over what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

ANNOTATION = "slipway.dev/turn"
_DIGITS = 4  # with zeros in front, so that numbers sort as text

Object = TypeVar("Object", bound=Mapping[str, Any])


def annotated(manifest: Mapping[str, Any], turn: int) -> dict[str, Any]:
    """Return the Job with its turn, of at least 1."""
    about = manifest["metadata"]
    annotations = {**(about.get("annotations") or {}), ANNOTATION: f"{turn:0{_DIGITS}}"}
    return {**manifest, "metadata": {**about, "annotations": annotations}}


def in_turn(manifests: Iterable[Object]) -> list[Object]:
    """Return the Jobs that have a turn, the first one first."""
    return sorted((each for each in manifests if each["kind"] == "Job" and _turn(each)), key=_turn)


def _turn(manifest: Mapping[str, Any]) -> str:
    annotations = manifest["metadata"].get("annotations")
    return str(annotations.get(ANNOTATION, "")) if isinstance(annotations, Mapping) else ""
