"""What a run came to: collected on the way, and written as one JSON document for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Dict, List

from shared.finishing.addresses import Address
from shared.finishing.causes import Cause
from shared.finishing.changes import Change
from shared.finishing.progress import age_seconds
from shared.finishing.readiness import NodeState

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_READY = 3
EXIT_INTERRUPTED = 130

EXITS = {
    EXIT_DONE: "done",
    EXIT_FAILED: "failed",
    EXIT_USAGE: "usage",
    EXIT_NOT_READY: "not ready",
    EXIT_INTERRUPTED: "interrupted",
}
REPORT_VERSION = 1


@dataclass
class Report:
    """Filled while the run goes on, so that also one that fails tells what it did."""

    action: str
    namespace: str
    instance: str = ""
    revision: str = ""
    doing: str = "reading the bundle"
    """What a run that is stopped was stopped at."""
    ready: bool = False
    changes: List[Change] = field(default_factory=list)
    nodes: List[NodeState] = field(default_factory=list)
    causes: List[Cause] = field(default_factory=list)
    addresses: List[Address] = field(default_factory=list)
    problem: str = ""

    def document(self, status: int, now: datetime) -> Dict[str, Any]:
        """Return the JSON document; empty texts and lists are kept, so that its shape is always the same."""
        return {
            "version": REPORT_VERSION,
            "action": self.action,
            "namespace": self.namespace,
            "instance": self.instance,
            "revision": self.revision,
            "outcome": EXITS.get(status, "failed"),
            "exit": status,
            "ready": self.ready,
            "problem": self.problem,
            "changes": [{**asdict(change), "paths": list(change.paths)} for change in self.changes],
            "nodes": [_node(state, now) for state in self.nodes],
            "causes": [
                {"node": cause.node, "about": cause.about, "what": cause.what, "hint": cause.hint}
                for cause in self.causes
            ],
            "addresses": [asdict(address) for address in self.addresses],
        }


def _node(state: NodeState, now: datetime) -> Dict[str, Any]:
    described = asdict(state)
    since = described.pop("since")
    return {**described, "age_seconds": age_seconds(since, now)}
