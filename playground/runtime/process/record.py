"""What is kept of a deployment on disk: everything that a next server needs to go on."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from playground.runtime.deployment import DeploymentId, Push, Revision
from playground.runtime.kept import Goal, KeptEvent, KeptOwner, one_line
from shared.solution import Ids, RevisionId, SolutionId

MAX_EVENTS = 200
MAX_REVISIONS = 32


class KeptRevision(msgspec.Struct, frozen=True):
    """A revision, and where its files are."""

    number: int
    solution_id: str | None
    revision_id: str | None
    digest: str
    pushed_at: float
    files: dict[str, str]
    """Path in the bundle → SHA-256 of the content, which is the name of the kept file."""

    @property
    def revision(self) -> Revision:
        """What the server sees of it."""
        ids = Ids(SolutionId(self.solution_id), RevisionId(self.revision_id or "")) if self.solution_id else None
        return Revision(self.number, ids, self.digest, self.pushed_at)


class Record(msgspec.Struct):
    """The state of one deployment. Changed by one hand at a time, and written whole."""

    id: str
    key: str
    """Of the push that made it: the same push finds it again."""
    owner: KeptOwner
    solution_name: str
    created_at: float
    used_at: float
    goal: Goal
    wants_since: float
    """When it last began to wait for its turn."""
    token: str
    """Of the orchestrator's native API."""
    is_admitted: bool = False
    current: int = 0
    next_number: int = 1
    revisions: list[KeptRevision] = []
    completed: list[str] = []
    """Jobs of the current revision that have done their work."""
    events: list[KeptEvent] = []
    empties_data: bool = False
    """The shared folder is to be emptied as soon as nothing runs."""

    @property
    def deployment_id(self) -> DeploymentId:
        """The id, typed."""
        return DeploymentId(self.id)

    @property
    def revision(self) -> KeptRevision:
        """The one that runs."""
        return self.numbered(self.current)

    def numbered(self, number: int) -> KeptRevision:
        """Return a revision, or raise KeyError."""
        for revision in self.revisions:
            if revision.number == number:
                return revision
        raise KeyError(number)

    def add(self, push: Push, files: dict[str, str]) -> None:
        """Make a push the current revision; the oldest beyond the limit are forgotten."""
        ids = push.ids
        self._append(ids.solution_id if ids else None, ids.revision_id if ids else None, push.digest, files)

    def repeat(self, number: int) -> None:
        """Make a copy of a former revision the current one; KeyError where it is not kept."""
        former = self.numbered(number)
        self._append(former.solution_id, former.revision_id, former.digest, former.files)

    def _append(self, solution_id: str | None, revision_id: str | None, digest: str, files: dict[str, str]) -> None:
        added = KeptRevision(self.next_number, solution_id, revision_id, digest, time.time(), files)
        self.revisions = [*self.revisions, added][-MAX_REVISIONS:]
        self.current = self.next_number
        self.next_number += 1
        self.completed = []

    def note(self, text: str, *, node: str = "", is_warning: bool = False) -> None:
        """Add an event."""
        event = KeptEvent(time.time(), one_line(text), node, is_warning)
        self.events = [*self.events, event][-MAX_EVENTS:]


def encode(record: Record) -> bytes:
    """Return the record as JSON."""
    return msgspec.json.encode(record)


def read(path: Path) -> Record:
    """Return the record in a file of the deployment's folder.

    Raises:
        OSError: there is none.
        msgspec.DecodeError: it is not one, or that of another folder.
    """
    record = msgspec.json.decode(path.read_bytes(), type=Record)
    if record.id != path.parent.name:
        raise msgspec.DecodeError(f"expected the state of {path.parent.name}")
    return record
