"""What a run changes, or would: an object before and after it, compared without what the cluster keeps for itself. Pure."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from shared.finishing.objects import Manifest, key_of

CREATED = "created"
CHANGED = "changed"
UNCHANGED = "unchanged"
REPLACED = "replaced"
KEPT = "kept"
DELETED = "deleted"

PATHS_SHOWN = 4

# Written by the cluster, or by kubectl about itself: no change of what was asked for.
BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")
BOOKKEEPING_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)


@dataclass(frozen=True)
class Change:
    """What became, or would become, of one object; `paths` are the fields that differ."""

    kind: str
    name: str
    what: str
    paths: Tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """One object for people, with the first fields that differ."""
        more = f" and {len(self.paths) - PATHS_SHOWN} more" if len(self.paths) > PATHS_SHOWN else ""
        fields = f" ({', '.join(self.paths[:PATHS_SHOWN])}{more})" if self.paths else ""
        return f"{self.kind}/{self.name}{fields}"


def changes_between(before: List[Manifest], after: List[Manifest]) -> List[Change]:
    """Return for each object in `after` what it means in the light of those that were there `before`."""
    known = {key_of(manifest): manifest for manifest in before}
    return [change_of(known.get(key_of(manifest)), manifest) for manifest in after]


def change_of(before: Optional[Manifest], after: Manifest) -> Change:
    """Return what became of one object."""
    if before is None:
        return Change(*key_of(after), CREATED)
    paths = tuple(differing(comparable(before), comparable(after)))
    return Change(*key_of(after), CHANGED if paths else UNCHANGED, paths)


def tally(changes: List[Change]) -> str:
    """Return `3 created, 1 changed`, the words in the order of first appearance."""
    counts: Dict[str, int] = {}
    for change in changes:
        counts[change.what] = counts.get(change.what, 0) + 1
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def comparable(manifest: Manifest) -> Manifest:
    """Return a copy without status and bookkeeping."""
    made = copy.deepcopy({key: value for key, value in manifest.items() if key != "status"})
    metadata = made.get("metadata", {})
    for field in BOOKKEEPING:
        metadata.pop(field, None)
    annotations = metadata.get("annotations", {})
    for annotation in BOOKKEEPING_ANNOTATIONS:
        annotations.pop(annotation, None)
    if not annotations:
        metadata.pop("annotations", None)
    return made


def differing(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the paths (`spec.replicas`, `spec.ports[0].name`) at which two values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differing(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after)):
            yield from differing(one, other, f"{path}[{number}]")
    elif before != after:
        yield path
