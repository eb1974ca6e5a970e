"""Solutions in a store, one folder for each revision: `<solutionId>/<revisionId>/…`, the same on disk and in S3.

A revision exists when its `record.json` exists, which is written last and never changes; its files lie in a folder beside
it. Whatever an interrupted upload leaves is invisible. A folder that an operator has filled by hand, without a record,
is a revision too, visible to everybody who has a token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import structlog

from shared.errors import (
    ConflictError,
    InvalidRequestError,
    SlipwayError,
    TooLargeError,
    UpstreamError,
)
from shared.persistence.interface import unknown
from shared.persistence.record import Record
from shared.persistence.store import Store, checked_key
from shared.principal import Principal
from shared.solution import ID_PATTERN, Ids, RevisionId, SolutionFiles
from shared.solution_folder import from_files

_log = structlog.get_logger(__name__)

MOST_BYTES = 64 << 20  # of all files of a revision
MOST_FILES = 12 * 500 + 64  # what a bundle of the largest pipeline has
MOST_RECORD_BYTES = 4 << 20  # the record of that many files
RECORD = "record.json"
CONTENT = "content-"


class StoredSolutions:
    """A persistence that can be written to as well."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, ids: Ids, principal: Principal) -> SolutionFiles:
        """Return the files of a revision; see `Persistence.load`.

        Raises:
            InvalidSolutionError: what an operator has laid there is no solution.
        """
        record = self.record(ids)
        if record is None or not record.is_visible_to(principal):
            raise unknown(ids, sees_solution=self._sees_another(ids, principal))
        found = from_files(self._files(record), ids=ids)
        return found if found.name or record.owner is None else replace(found, name=record.name)

    def check(self) -> None:
        """Answer whether the store can be read; see `Persistence.check`."""
        self._store.check()

    def add(self, ids: Ids, files: Mapping[str, bytes], *, owner: str, name: str, public: bool, created: str) -> bool:
        """Store a revision for good; True when this made it, False when it was there, the same in everything.

        Args:
            ids: of the revision.
            files: by relative path.
            owner: `Principal.id` of the uploader.
            name: of the solution, for lists.
            public: whether everybody may load it.
            created: when, ISO 8601.

        Raises:
            ConflictError: it was there with other content, another owner or another visibility.
            InvalidRequestError: a path is not relative and plain.
            TooLargeError: too many files or bytes.
        """
        _check_limits({checked_key(path): len(data) for path, data in files.items()})
        record = Record.of(ids, files, owner=owner, name=name, public=public, created=created)
        if self._is_there(record):
            return False
        content = f"{_folder(ids)}{record.content_folder}/"
        self._store.put_all({content + path: data for path, data in files.items()})
        if self._store.put_new(_folder(ids) + RECORD, record.to_json()):
            return True
        if self._is_there(record):
            return False
        raise ConflictError(f"{ids.solution_id}, {ids.revision_id}: stored already under ids of another case")

    def record(self, ids: Ids) -> Record | None:
        """Return what is known of a revision, whoever asks."""
        data = self._store.get(_folder(ids) + RECORD, most_bytes=MOST_RECORD_BYTES)
        if data is not None:
            return self._read(data, ids)
        return Record.laid_by_hand(ids) if self._laid(ids) else None

    def files(self, ids: Ids) -> dict[str, bytes]:
        """Return the files of a revision by relative path, whoever asks.

        Raises:
            NotFoundError: there is no such revision.
        """
        record = self.record(ids)
        if record is None:
            raise unknown(ids)
        return self._files(record)

    def solutions(self) -> tuple[Record, ...]:
        """Return the records of all revisions, sorted by ids. A damaged one is left out: it must not hide the others."""
        revisions: dict[Ids, bool] = {}
        for key in self._store.keys(""):
            ids, path = _split(key)
            if ids and not path.startswith(CONTENT):
                revisions[ids] = revisions.get(ids, False) or path == RECORD
        recorded = {_folder(ids) + RECORD: MOST_RECORD_BYTES for ids, has_record in revisions.items() if has_record}
        found = self._store.get_all(recorded)
        records = [
            self._listed(ids, found.get(_folder(ids) + RECORD)) if has_record else Record.laid_by_hand(ids)
            for ids, has_record in revisions.items()
        ]
        return tuple(sorted((r for r in records if r), key=lambda r: (r.ids.solution_id, r.ids.revision_id)))

    def close(self) -> None:
        """Free what the store holds."""
        self._store.close()

    def _sees_another(self, ids: Ids, principal: Principal) -> bool:
        """Answer whether the principal may see another revision of the solution."""
        names = {key.split("/")[1] for key in self._store.keys(f"{ids.solution_id}/") if key.count("/") > 1}
        others = (name for name in names if name != ids.revision_id and ID_PATTERN.fullmatch(name))
        found = (self.record(Ids(ids.solution_id, RevisionId(name))) for name in others)
        return any(record is not None and record.is_visible_to(principal) for record in found)

    def _is_there(self, record: Record) -> bool:
        """Answer whether the same is stored already; another under its ids is a ConflictError."""
        found = self.record(record.ids)
        if found is not None and not found.is_same_as(record):
            ids = f"{record.ids.solution_id}, {record.ids.revision_id}"
            raise ConflictError(f"{ids}: expected new ids or the same content, found a revision that differs")
        return found is not None

    def _files(self, record: Record) -> dict[str, bytes]:
        if record.owner is None:
            return self._files_laid(record.ids)
        content = f"{_folder(record.ids)}{record.content_folder}/"
        _check_limits({path: stored.size for path, stored in record.files.items()})
        found = self._store.get_all({content + path: stored.size for path, stored in record.files.items()})
        files = {path: found[content + path] or b"" for path in record.files}
        damaged = [p for p, stored in record.files.items() if hashlib.sha256(files[p]).hexdigest() != stored.sha256]
        if damaged:
            raise UpstreamError(self._store.name, f"damaged: {len(damaged)} files are not what their record says")
        return files

    def _files_laid(self, ids: Ids) -> dict[str, bytes]:
        sizes = self._laid(ids)
        _check_limits(sizes)
        found = self._store.get_all({_folder(ids) + path: size for path, size in sizes.items()})
        files = {path: data for path in sizes if (data := found[_folder(ids) + path]) is not None}
        if len(files) < len(sizes):
            raise UpstreamError(self._store.name, "unreadable: not everything that is listed is a file")
        return files

    def _laid(self, ids: Ids) -> dict[str, int]:
        """Return the files that an operator has laid by hand, with their sizes; what uploads have made is none of them."""
        folder = _folder(ids)
        sizes = {key.removeprefix(folder): size for key, size in self._store.keys(folder).items()}
        return {path: size for path, size in sizes.items() if path != RECORD and not path.startswith(CONTENT)}

    def _read(self, data: bytes, ids: Ids) -> Record | None:
        try:
            record = Record.from_json(data)
        except ValueError as problem:
            raise UpstreamError(self._store.name, f"damaged: {problem}") from problem
        # Some file systems find `Abc` where `abc` is asked for; ids are not the same then.
        return record if record.ids == ids else None

    def _listed(self, ids: Ids, data: bytes | None) -> Record | None:
        try:
            return self._read(data or b"", ids)
        except SlipwayError as problem:
            _log.warning("record_passed_over", solution_id=ids.solution_id, error=str(problem))
            return None


def _folder(ids: Ids) -> str:
    return f"{ids.solution_id}/{ids.revision_id}/"


def _split(key: str) -> tuple[Ids | None, str]:
    """Return the revision that a key belongs to, if any, and its path there."""
    solution_id, _, rest = key.partition("/")
    revision_id, _, path = rest.partition("/")
    try:
        return (Ids.parse(solution_id, revision_id) if path else None), path
    except InvalidRequestError:
        return None, path


def _check_limits(sizes: Mapping[str, int]) -> None:
    if len(sizes) > MOST_FILES:
        raise TooLargeError(f"solution: expected at most {MOST_FILES} files, found {len(sizes)}")
    total = sum(sizes.values())
    if total > MOST_BYTES:
        raise TooLargeError(f"solution: expected at most {MOST_BYTES} bytes, found {total}")
