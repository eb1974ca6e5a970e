"""The catalog's stock: stored revisions with the claims that keep their ids apart, and what was read of them lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from services.catalog import revision
from services.catalog.claims import Claims
from services.catalog.revision import Revision
from shared.errors import ConflictError, ForbiddenError, SlipwayError
from shared.persistence.cds import SOLUTION_HEADER
from shared.persistence.interface import unknown
from shared.persistence.record import Record
from shared.persistence.store import Store, checked_key
from shared.persistence.stored import StoredSolutions
from shared.principal import Principal
from shared.solution import ID_PATTERN, Ids, RevisionId, SolutionId

MOST_KEPT_BYTES = 24 << 20  # of revisions in memory, by their own estimate; a worker should stay below 120 MiB
MOST_SUMMARIES = 5000  # ~300 bytes each


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list says of a revision."""

    version: str
    nodes: int
    edges: int
    errors: int
    warnings: int
    notes: int


class Shelf:
    """Solutions in a store. Safe to use from many threads and processes."""

    def __init__(self, store: Store) -> None:
        """Prepare; nothing is read yet."""
        self._store = store
        self._stored = StoredSolutions(store)
        self.claims = Claims(store)
        self._lock = Lock()
        self._kept: OrderedDict[tuple[Ids, str], Revision] = OrderedDict()
        self._kept_bytes = 0
        self._summaries: OrderedDict[tuple[Ids, str], Summary] = OrderedDict()

    def add(self, ids: Ids, files: Mapping[str, bytes], principal: Principal, *, public: bool, created: str) -> bool:
        """Store a revision for good; True when this made it, False when it was there, the same in everything.

        Args:
            ids: of the revision.
            files: by relative path.
            principal: who uploads, and owns the solution from then on.
            public: whether everybody may load it.
            created: when, ISO 8601.

        Raises:
            InvalidSolutionError: the files are no solution at all.
            ForbiddenError: the solution is another's.
            ConflictError: the ids are taken by something else.
        """
        read = revision.read(ids, files)
        for path in files:
            checked_key(path)
        if not principal.is_operator and self.claims.solution(ids.solution_id) is None and self._laid(ids.solution_id):
            raise ForbiddenError(f"solution {ids.solution_id} belongs to the operator")
        owner = self.claims.take(ids, principal, kind=read.kind, public=public)
        return self._stored.add(ids, files, owner=owner, name=read.name, public=public, created=created)

    def record(self, ids: Ids, principal: Principal) -> Record:
        """Return the record of a revision that the principal may see.

        Raises:
            NotFoundError: there is none, or the principal may not know of it.
        """
        found = self._stored.record(ids)
        if found is None or not found.is_visible_to(principal):
            raise unknown(ids)
        return found

    def revision(self, record: Record) -> Revision:
        """Return what follows from the files of a record.

        Raises:
            InvalidSolutionError: they are no solution, which only an operator can have laid there.
        """
        key = (record.ids, record.content_folder)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = revision.read(record.ids, self._stored.files(record.ids))
        # What an operator has laid by hand may change.
        if record.owner is not None:
            self._keep(key, found)
        return found

    def summary(self, record: Record) -> Summary | None:
        """Return what a list says of a revision; None when it cannot be read: one must not hide the others."""
        key = (record.ids, record.content_folder)
        with self._lock:
            if key in self._summaries:
                return self._summaries[key]
        try:
            return _summary(self.revision(record))
        except SlipwayError:
            return None

    def records(self, principal: Principal) -> list[Record]:
        """Return all records that the principal may see, the newest first."""
        found = [record for record in self._stored.solutions() if record.is_visible_to(principal)]
        return sorted(found, key=lambda record: record.created, reverse=True)

    def known(self, ids: Ids) -> Record | None:
        """Return the record of a revision, whoever asks."""
        return self._stored.record(ids)

    def of_solution(self, solution_id: SolutionId) -> list[Record]:
        """Return the records of a solution, whoever asks, the newest first."""
        names = self.claims.revisions(solution_id) or self._laid(solution_id)
        found = [self._stored.record(Ids(solution_id, name)) for name in names]
        return sorted((r for r in found if r is not None), key=lambda record: record.created, reverse=True)

    def of_revision(self, revision_id: RevisionId) -> Record | None:
        """Return the one record with a revision id, whoever asks.

        Raises:
            ConflictError: several solutions have a revision of that id.
        """
        noted = [
            self._stored.record(Ids(solution_id, revision_id)) for solution_id in self.claims.solutions_of(revision_id)
        ]
        found = [r for r in noted if r] or [r for r in self._stored.solutions() if r.ids.revision_id == revision_id]
        if len(found) > 1:
            raise ConflictError(f"revisionId {revision_id}: several solutions have one; say which in {SOLUTION_HEADER}")
        return found[0] if found else None

    def check(self) -> None:
        """Answer whether the store can be read, for `/readyz`."""
        self._stored.check()

    def close(self) -> None:
        """Free what the store holds."""
        self._stored.close()

    def _laid(self, solution_id: SolutionId) -> list[RevisionId]:
        """Return the revisions that lie in a solution's folder, however they came there."""
        names = {key.split("/")[1] for key in self._store.keys(f"{solution_id}/") if key.count("/") > 1}
        return [RevisionId(name) for name in sorted(names) if ID_PATTERN.fullmatch(name)]

    def _keep(self, key: tuple[Ids, str], found: Revision) -> None:
        with self._lock:
            self._summaries[key] = _summary(found)
            if len(self._summaries) > MOST_SUMMARIES:
                self._summaries.popitem(last=False)
            if key not in self._kept:
                self._kept[key] = found
                self._kept_bytes += found.weight
            while self._kept_bytes > MOST_KEPT_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= dropped.weight


def _summary(found: Revision) -> Summary:
    errors, warnings = len(found.findings.errors), len(found.findings.warnings)
    notes = len(found.findings) - errors - warnings
    solution = found.solution
    return Summary(solution.version, len(solution.nodes), len(solution.edges), errors, warnings, notes)
