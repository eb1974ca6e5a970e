"""A cause: why a node does not come up, and what to do about it, in words; and what the cluster told about an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from shared.finishing.objects import Manifest, name_of

# So many names before "and 97 more": a cluster that refuses one pod mostly refuses all of them.
NAMES_SHOWN = 5


@dataclass(frozen=True)
class LogPlace:
    """Where the last words of a container are; `previous`: of the run before the one that is up now."""

    pod: str
    container: str
    previous: bool


@dataclass(frozen=True)
class Cause:
    """Why a node, or a claim, is not ready."""

    node: str
    what: str
    """The same words for all nodes that fail alike."""
    hint: str = ""
    log: Optional[LogPlace] = None
    about: str = ""
    """What of the node it is about, such as its image."""

    @property
    def title(self) -> str:
        """The node, and what of it."""
        return f"{self.node} ({self.about})" if self.about else self.node


def cause_lines(causes: List[Cause]) -> List[str]:
    """Return the causes for people: nodes with one and the same cause share a line, the hint stands below."""
    names: Dict[Tuple[str, str], List[str]] = {}
    for cause in causes:
        names.setdefault((cause.what, cause.hint), []).append(cause.title)
    lines = []
    for (what, hint), nodes in names.items():
        lines.append(f"{listed_names(nodes)}: {what}")
        if hint:
            lines.append(f"  -> {hint}")
    return lines


def listed_names(names: List[str]) -> str:
    """Return `a, b, c and 4 more`."""
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def messages_about(subject: Manifest, events: List[Manifest], *reasons: str) -> List[str]:
    """Return what the cluster's events say about an object, newest first; of some reasons only, where they are given."""
    about = [event for event in events if _is_about(event, subject)]
    chosen = [event for event in about if not reasons or event.get("reason") in reasons]
    return [str(event.get("message", "")) for event in sorted(chosen, key=_when, reverse=True)]


def _is_about(event: Manifest, subject: Manifest) -> bool:
    involved = event.get("involvedObject", {})
    if involved.get("name") != name_of(subject) or involved.get("kind") != subject.get("kind"):
        return False
    uid = subject["metadata"].get("uid")
    return not uid or involved.get("uid") in (None, "", uid)


def _when(event: Manifest) -> str:
    """Return the time of an event; newer clients of the API write `eventTime` and series only."""
    times = [event.get("lastTimestamp"), event.get("series", {}).get("lastObservedTime"), event.get("eventTime")]
    return max(str(time) for time in [*times, event["metadata"].get("creationTimestamp")] if time is not None)
