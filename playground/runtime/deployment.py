"""What a runtime knows of a deployment: frozen values, the same whether pods or processes stand behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from shared.findings import Findings
from shared.principal import Principal
from shared.solution import Ids

DeploymentId = NewType("DeploymentId", str)
"""An RFC 1035 label of at most 52 characters: name of a namespace, segment of a URL and of a host name."""


class State(StrEnum):
    """Where a deployment is; what it says about messages comes from its orchestrator, not from here."""

    QUEUED = "queued"
    """Accepted; waits for its turn under the limits of its owner or of the runtime."""
    STARTING = "starting"
    """Being applied, or not every node is ready."""
    READY = "ready"
    """Every node is ready."""
    ASLEEP = "asleep"
    """Scaled to nothing, by its owner or because nobody used it; all data are kept."""
    FAILED = "failed"
    """Cannot become ready without a change; `reason` says why."""
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One workload of a deployment."""

    name: str
    image: str
    phase: str
    """For people: `ready`, `pulling the image`, `crashed`, `completed`, …"""
    is_ready: bool = False
    restarts: int = 0
    started_at: float | None = None
    """Seconds since the epoch; None: not running."""
    reason: str = ""
    """Why it is not ready, in words, with the cause; empty where nothing is wrong."""
    has_web_ui: bool = False
    image_id: str = ""
    """What really runs, such as `sha256:…`, where the runtime knows it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One bundle that a deployment has run or runs."""

    number: int
    """1, 2, 3, … in the order of the pushes; never used again."""
    ids: Ids | None
    digest: str
    pushed_at: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """One bundle running in one place, as its owner sees it."""

    id: DeploymentId
    owner: Principal
    solution_name: str
    state: State
    reason: str
    created_at: float
    used_at: float
    """When somebody last ran it or looked into it: idle ones fall asleep."""
    nodes: tuple[NodeStatus, ...]
    revisions: tuple[Revision, ...]
    """Oldest first; those whose files are still kept."""
    current: int
    """Number of the revision that runs."""
    findings: Findings = field(default_factory=Findings)
    """What the runtime changed or refused in the bundle."""


@dataclass(frozen=True, slots=True)
class Push:
    """A bundle and who wants it to run. The archive has been read and its `bundle.json` checked before this is made."""

    owner: Principal
    solution_name: str
    ids: Ids | None
    digest: str
    files: Mapping[str, bytes] = field(hash=False)

    @property
    def key(self) -> str:
        """Ten hex digits for owner, solution, revision and digest: the same push is the same deployment."""
        ids = (self.ids.solution_id, self.ids.revision_id) if self.ids else ("", "")
        return hashlib.sha256("\0".join((self.owner.id, *ids, self.digest)).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a deployment."""

    at: float
    text: str
    """One line for people; no control characters."""
    node: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server reaches something of a deployment."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of the shared folder."""

    name: str
    size: int
    """In bytes; 0 for a folder."""
    modified_at: float
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the operator's page shows."""

    deployments: int
    limit: int
    queued: int
    per_owner_limit: int
