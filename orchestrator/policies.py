"""What an author may ask of the orchestrator beyond the blueprint's graph: the key `orchestration` of blueprint.json.

    "orchestration": {
      "operations": {"classifier.classify": {"concurrency": 4, "deadline_seconds": 30}, "*": {"when_exhausted": "skip"}},
      "edges": {"camera.frames -> classifier.classify": {"overflow": "drop-oldest", "queue": 10}}
    }

Nodes are named by their container name; `*` stands for all that are not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from shared import findings
from shared.findings import Finding
from shared.orchestration.pipeline_files import POLICIES

T = TypeVar("T")
EVERY = "*"
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=31 * 24 * 3600)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class OperationPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one operation is called."""

    concurrency: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """Calls at once of a unary operation; the order along its edges stays."""
    deadline_seconds: _Seconds | None = None
    """Of one call; 0: none. Unset: the orchestrator's setting for unary calls, none for sources and streams."""
    retries: _Count = 5
    """Further tries of a message when the node answers that it failed for now."""
    patience_seconds: _Seconds = 600
    """How long a node may be unreachable before its operation counts as failed."""
    when_exhausted: Literal["stop", "skip", "park"] = "stop"
    """Of a message that cannot be delivered: stop the run, skip and count it, or park it on disk and count it."""
    unconfirmed: Literal["redeliver", "dead-letter"] = "redeliver"
    """Of messages written into a stream that broke before anything showed that they had been read."""
    window: _Count = 64
    """How many of the last written messages count as unconfirmed however old; younger ones do for ten seconds."""
    messages_per_call: _Count = 0
    """Ends the request stream after so many messages, for nodes that answer per batch; 0: never."""
    repeat: bool = False
    """Starts a source again when its data have ended."""
    pause_seconds: _Seconds = 0
    """Between two calls of a source."""


class EdgePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one edge holds."""

    overflow: Literal["wait", "drop-oldest", "drop-newest"] = "wait"
    queue: _Count = 0
    """Messages; 0: as initialised."""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    operations: dict[str, dict[str, Any]] = {}
    edges: dict[str, dict[str, Any]] = {}


class Policies:
    """The policies of one pipeline, and what is wrong with them."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.findings: list[Finding] = []
        raw = document.get(POLICIES, {})
        parsed = self._convert(raw, _Document, "$.orchestration") or _Document()
        self._operations = parsed.operations
        self._edges = parsed.edges
        self._used: set[str] = set()

    def operation(self, *names: str) -> OperationPolicy:
        """Return the policy of the operation that goes by any of these names (`container.operation`)."""
        values, path = self._merged(self._operations, "operations", names)
        return self._convert(values, OperationPolicy, path) or OperationPolicy()

    def edge(self, *names: str) -> EdgePolicy:
        """Return the policy of the edge that goes by any of these names (`a.x -> b.y`)."""
        values, path = self._merged(self._edges, "edges", names)
        return self._convert(values, EdgePolicy, path) or EdgePolicy()

    def unused(self) -> list[Finding]:
        """Return an error for every name that is neither an operation nor an edge."""
        return [
            findings.error(
                "policy-unknown",
                f"$.orchestration.{kind}",
                expected=f"the name of one of the {kind}",
                found=findings.quoted(name),
            )
            for kind, given in (("operations", self._operations), ("edges", self._edges))
            for name in given
            if name != EVERY and f"{kind}.{name}" not in self._used
        ]

    def _merged(
        self, given: Mapping[str, dict[str, Any]], kind: str, names: tuple[str, ...]
    ) -> tuple[dict[str, Any], str]:
        name = next((name for name in names if name in given), EVERY)
        self._used.add(f"{kind}.{name}")
        return given.get(EVERY, {}) | given.get(name, {}), f"$.orchestration.{kind}[{findings.quoted(name)}]"

    def _convert(self, raw: Any, into: type[T], path: str) -> T | None:
        try:
            return msgspec.convert(raw, into)
        except msgspec.ValidationError as problem:
            finding = findings.error(
                "policy-invalid", path, expected="a policy of the orchestrator", found=str(problem)
            )
            if finding not in self.findings:
                self.findings.append(finding)
            return None
