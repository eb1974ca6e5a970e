"""Who was first: a solution id belongs to one owner; and which solutions have a revision of an id.

CDS knows owner, visibility and kind of a solution and not of a revision: what it could not tell apart must not be stored.
A claim is a small file that only the first writer can create, on disk and in S3 alike; its key begins with an underscore,
which no id does.
"""

from __future__ import annotations

import uuid
from typing import Literal, TypeVar

import msgspec

from shared.errors import ConflictError, ForbiddenError, UpstreamError
from shared.persistence.store import Store
from shared.principal import Principal
from shared.solution import Ids, RevisionId, SolutionId

MOST_CLAIM_BYTES = 16 << 10
Kind = Literal["pipeline", "model"]

# Any fixed value does: it keeps our ids apart from those that others derive from the same texts.
_IDS = uuid.UUID("b9a2c1d4-6d6a-5f0e-8f5c-2f3d1d0c7a41")


class SolutionClaim(msgspec.Struct, frozen=True, rename="camel"):
    """Whose a solution is, what it is, and who may see it."""

    solution_id: str
    owner: str
    kind: Kind
    public: bool


class UserClaim(msgspec.Struct, frozen=True, rename="camel"):
    """Who stands behind a user id."""

    owner: str


C = TypeVar("C", SolutionClaim, UserClaim)


def derived_id(text: str) -> str:
    """Return an id as CDS has them, always the same for the same text: an owner, or an artifact."""
    return str(uuid.uuid5(_IDS, text))


class Claims:
    """The claims in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, ids: Ids, principal: Principal, *, kind: Kind, public: bool) -> str:
        """Claim the solution for an upload, note its revision, and return whose the solution is.

        Raises:
            ForbiddenError: the solution is another's; operators may add to it, in the owner's name.
            ConflictError: the solution is of another kind or visibility.
        """
        wanted = SolutionClaim(ids.solution_id, principal.id, kind, public)
        solution = self._first(_solution_key(ids.solution_id), wanted)
        _check(solution, wanted, principal)
        self._first(f"_users/{derived_id(solution.owner)}", UserClaim(solution.owner))
        self._store.put_new(f"{_index(ids.solution_id)}{ids.revision_id}", b"")
        self._store.put_new(f"{_revisions(ids.revision_id)}{ids.solution_id}", b"")
        return solution.owner

    def solution(self, solution_id: SolutionId) -> SolutionClaim | None:
        """Return the claim on a solution."""
        found = self._read(_solution_key(solution_id), SolutionClaim)
        return found if found and found.solution_id == solution_id else None

    def solutions_of(self, revision_id: RevisionId) -> list[SolutionId]:
        """Return which solutions have a revision of that id: the pair identifies one, the id alone need not."""
        noted = _revisions(revision_id)
        return [SolutionId(key.removeprefix(noted)) for key in self._store.keys(noted)]

    def revisions(self, solution_id: SolutionId) -> list[RevisionId]:
        """Return which revision ids a solution has claimed; an upload that was cut off has left nothing else."""
        index = _index(solution_id)
        return [RevisionId(key.removeprefix(index)) for key in self._store.keys(index)]

    def owner(self, user: str) -> str | None:
        """Return who stands behind a user id."""
        try:
            found = self._read(f"_users/{uuid.UUID(user)}", UserClaim)
        except ValueError:
            return None
        return found.owner if found else None

    def _first(self, key: str, claim: C) -> C:
        """Return the claim that was first: ours or an earlier one."""
        kind = type(claim)
        found = self._read(key, kind)
        if found is None and self._store.put_new(key, msgspec.json.encode(claim)):
            return claim
        found = found or self._read(key, kind)
        if found is None:
            raise UpstreamError(self._store.name, "damaged: a claim vanished")
        return found

    def _read(self, key: str, kind: type[C]) -> C | None:
        data = self._store.get(key, most_bytes=MOST_CLAIM_BYTES)
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as problem:
            raise UpstreamError(self._store.name, "damaged: a claim is not in our form") from problem


def _check(solution: SolutionClaim, wanted: SolutionClaim, principal: Principal) -> None:
    """Refuse what does not fit the solution as its first upload made it."""
    name = f"solution {wanted.solution_id}"
    if solution.solution_id != wanted.solution_id:
        raise ConflictError("solutionId: expected one that differs from others by more than case")
    if solution.owner != principal.id and not principal.is_operator:
        raise ForbiddenError(f"{name} belongs to somebody else")
    if solution.kind != wanted.kind:
        raise ConflictError(f"{name}: expected a {solution.kind} like its other revisions, found a {wanted.kind}")
    if solution.public != wanted.public:
        words = {True: "public", False: "private"}
        expected = f"a {words[solution.public]} revision like its others"
        raise ConflictError(f"{name}: expected {expected}, found a {words[wanted.public]} one")


def _solution_key(solution_id: SolutionId) -> str:
    return f"_solutions/{solution_id}"


def _revisions(revision_id: RevisionId) -> str:
    return f"_revisions/{revision_id}/"


def _index(solution_id: SolutionId) -> str:
    return f"_index/{solution_id}/"
