"""Who may run next, when more want to than may: one owner after the other, however many each has pushed. For every runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from playground.runtime.deployment import DeploymentId


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How much may run; what is more waits for its turn."""

    running: int = 20
    running_per_owner: int = 5
    kept_per_owner: int = 50
    """Deployments of one owner, those asleep too; a further push is refused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deployment that waits."""

    id: DeploymentId
    owner_id: str
    since: float


def next_one(
    waiting: Iterable[Waiting], running: Counter[str], served: Mapping[str, int], limits: Limits
) -> Waiting | None:
    """Return who runs next, or None when nobody may.

    Args:
        waiting: all that wait.
        running: how many of each owner run.
        served: at which turn each owner was served last; who was never, comes first.
        limits: how many may run.
    """
    if running.total() >= limits.running:
        return None
    allowed = [one for one in waiting if running[one.owner_id] < limits.running_per_owner]
    return min(allowed, key=lambda one: (served.get(one.owner_id, 0), one.since), default=None)


def reason(one: Waiting, running: Counter[str], limits: Limits) -> str:
    """Say what it waits for."""
    if running[one.owner_id] >= limits.running_per_owner:
        return f"waits until one of its owner's {running[one.owner_id]} running deployments sleeps or is deleted"
    return f"waits for its turn: {running.total()} of {limits.running} deployments run"
