"""Whose objects stand in the namespace already. Pure: what is not ours stops the run before anything is written."""

from __future__ import annotations

from typing import List

from shared.finishing.objects import INSTANCE_LABEL, REVISION_LABEL, Manifest, key_of, label_of, title_of


def foreign(existing: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return `Kind/name (instance …)` of every existing object that carries the name of one of ours, but not its instance.

    An object without the label counts as foreign too: somebody made it by other means, and we must not take it over.
    """
    wanted = {key_of(manifest): label_of(manifest, INSTANCE_LABEL) for manifest in ours}
    return [
        f"{title_of(found)} (instance {label_of(found, INSTANCE_LABEL) or 'unknown'})"
        for found in existing
        if key_of(found) in wanted and label_of(found, INSTANCE_LABEL) != wanted[key_of(found)]
    ]


def overtaken(found: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return what somebody else has changed since we applied it: objects that are gone or of another revision.

    Two people may deploy two revisions at once. Each stage is written whole, so the one who writes last sees here what
    the other one left in between.
    """
    revisions = {key_of(manifest): label_of(manifest, REVISION_LABEL) for manifest in found}
    lost = []
    for manifest in ours:
        ours_is, theirs_is = label_of(manifest, REVISION_LABEL), revisions.get(key_of(manifest))
        if theirs_is is None:
            lost.append(f"{title_of(manifest)} (gone)")
        elif theirs_is != ours_is:
            lost.append(f"{title_of(manifest)} (revision {theirs_is or 'unknown'})")
    return lost
