"""The record of a stored revision: whose it is, who may see it, and what belongs to it, as `record.json` keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from shared.errors import InvalidRequestError
from shared.persistence.store import checked_key
from shared.principal import ANONYMOUS, Principal
from shared.solution import Ids

FORMAT_VERSION = 1


class StoredFile(msgspec.Struct, frozen=True):
    """One file of a revision."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a stored revision without reading its files."""

    ids: Ids
    name: str
    """The solution's name; its id where an operator has laid the files by hand."""
    owner: str | None
    """`Principal.id` of the uploader; None where an operator has laid the files by hand."""
    public: bool
    created: str
    """ISO 8601; empty where an operator has laid the files by hand."""
    files: Mapping[str, StoredFile] = field(hash=False)
    """By relative path; empty where an operator has laid them by hand."""

    @classmethod
    def of(cls, ids: Ids, files: Mapping[str, bytes], *, owner: str, name: str, public: bool, created: str) -> Record:
        """Return the record of these files."""
        stored = {path: StoredFile(hashlib.sha256(files[path]).hexdigest(), len(files[path])) for path in sorted(files)}
        return cls(ids, name, owner, public, created, stored)

    @classmethod
    def laid_by_hand(cls, ids: Ids) -> Record:
        """Return what is known of files that an operator has laid into the store without a record.

        Whoever can write there is an operator; nobody else can have meant the solution for himself alone.
        """
        return cls(ids, str(ids.solution_id), None, public=False, created="", files={})

    @property
    def content_folder(self) -> str:
        """Where the files lie, beside the record.

        It depends on all of them, so that uploads at the same time, or one that was never finished, cannot mix.
        """
        listing = json.dumps([(path, stored.sha256) for path, stored in sorted(self.files.items())])
        return f"content-{hashlib.sha256(listing.encode()).hexdigest()[:32]}"

    def is_visible_to(self, principal: Principal) -> bool:
        """Answer whether the principal may load the revision."""
        if self.public or principal.is_operator:
            return True
        if self.owner is None:
            return principal != ANONYMOUS
        return self.owner == principal.id

    def is_same_as(self, other: Record) -> bool:
        """Answer whether storing one after the other changes nothing; the time does not count."""
        mine = (self.ids, self.owner, self.name, self.public, self.files)
        return mine == (other.ids, other.owner, other.name, other.public, other.files)

    def to_json(self) -> bytes:
        """Return the bytes of `record.json`."""
        document = {
            "formatVersion": FORMAT_VERSION,
            "solutionId": self.ids.solution_id,
            "revisionId": self.ids.revision_id,
            "name": self.name,
            "owner": self.owner,
            "public": self.public,
            "created": self.created,
            "files": {path: {"sha256": stored.sha256, "size": stored.size} for path, stored in self.files.items()},
        }
        return (json.dumps(document, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """Read `record.json`.

        Raises:
            ValueError: it has another form, or a newer Slipway has written it.
        """
        try:
            found = msgspec.json.decode(data, type=_Document)
            ids = Ids.parse(found.solution_id, found.revision_id)
            files = {checked_key(path): stored for path, stored in found.files.items()}
        except (msgspec.MsgspecError, InvalidRequestError, RecursionError) as problem:
            raise ValueError("the record is damaged") from problem
        if found.format_version != FORMAT_VERSION:
            raise ValueError(f"the record has format version {found.format_version}, expected {FORMAT_VERSION}")
        return cls(ids, found.name, found.owner, found.public, found.created, files)


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    format_version: int
    solution_id: str
    revision_id: str
    name: str
    owner: str
    public: bool
    created: str
    files: dict[str, StoredFile]
