"""The common data service (CDS) of Acumos, AI4EU and Graphene: its calls and the few fields that we read of its answers.

It answers 200 with `null` or nothing where it knows nothing; other implementations answer 404. Both are None here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from shared.deadline import Deadline
from shared.errors import UpstreamError
from shared.outbound import Upstream
from shared.solution import Ids, SolutionId

MOST_JSON_BYTES = 1 << 20  # the largest recorded answer has 4 kB
MOST_ICON_BYTES = 1 << 20
MOST_DESCRIPTION_BYTES = 256 << 10
SOLUTION_HEADER = "Slipway-Solution-Id"
"""Says whose revision is meant where CDS's path has the revision's id alone; ours needs it, others pass it over."""
NO_SOLUTION = SolutionId("00000000-0000-0000-0000-000000000000")

T = TypeVar("T")


class CdsSolution(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPSolution."""

    solution_id: str | None = None
    name: str | None = None
    user_id: str | None = None
    """The owner."""
    toolkit_type_code: str | None = None
    origin: str | None = None
    """Where a federated solution came from."""


class CdsRevision(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPSolutionRevision."""

    solution_id: str | None = None


class CdsArtifact(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPArtifact: one file of a revision, or its image."""

    artifact_type_code: str | None = None
    name: str | None = None
    version: str | None = None
    uri: str | None = None


class CdsCatalog(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPCatalog: a place where solutions are shown."""

    catalog_id: str | None = None
    access_type_code: str | None = None

    @property
    def is_public(self) -> bool:
        """False as well when the catalog does not say."""
        return (self.access_type_code or "").upper() == "PB"


class CdsUser(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPUser."""

    email: str | None = None


class CdsDescription(msgspec.Struct, frozen=True, rename="camel"):
    """What CDS calls MLPRevCatDescription."""

    description: str | None = None


class Cds:
    """The calls, each one GET."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def solution(self, solution_id: SolutionId, deadline: Deadline) -> CdsSolution | None:
        """Return the solution of exactly this id: databases may find one for an id in other case as well."""
        found = self._json(f"solution/{solution_id}", CdsSolution, deadline)
        return found if found and found.solution_id in {None, solution_id} else None

    def revision(self, ids: Ids, deadline: Deadline) -> CdsRevision | None:
        """Return the revision as the service relates it to the solution."""
        return self._json(f"solution/{ids.solution_id}/revision/{ids.revision_id}", CdsRevision, deadline)

    def artifacts(self, ids: Ids, deadline: Deadline) -> tuple[CdsArtifact, ...]:
        """Return the artifacts of a revision; none when it is unknown."""
        path = f"revision/{ids.revision_id}/artifact"
        return self._json(path, tuple[CdsArtifact, ...], deadline, headers=_of_solution(ids)) or ()

    def catalogs(self, solution_id: SolutionId, deadline: Deadline) -> tuple[CdsCatalog, ...]:
        """Return the catalogs that show a solution."""
        return self._json(f"catalog/solution/{solution_id}", tuple[CdsCatalog, ...], deadline) or ()

    def user(self, user_id: str, deadline: Deadline) -> CdsUser | None:
        """Return a user."""
        return self._json(f"user/{user_id}", CdsUser, deadline)

    def description(self, ids: Ids, catalog_id: str, deadline: Deadline) -> str | None:
        """Return the description (HTML) of a revision in a catalog."""
        path, headers = f"revision/{ids.revision_id}/catalog/{catalog_id}/descr", _of_solution(ids)
        found = self._json(path, CdsDescription, deadline, most_bytes=MOST_DESCRIPTION_BYTES, headers=headers)
        return (found.description if found else None) or None

    def icon(self, solution_id: SolutionId, deadline: Deadline) -> bytes | None:
        """Return the picture of a solution."""
        answer = self._upstream.get(f"solution/{solution_id}/pic", deadline=deadline, most_bytes=MOST_ICON_BYTES)
        return None if answer.body.strip() in {b"", b"null"} or answer.is_html else answer.body

    def check(self, deadline: Deadline) -> None:
        """Ask for a solution that does not exist: it takes the credentials and the service's database to answer."""
        self._upstream.check(f"solution/{NO_SOLUTION}", deadline=deadline)

    def _json(
        self,
        path: str,
        kind: type[T],
        deadline: Deadline,
        *,
        most_bytes: int = MOST_JSON_BYTES,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> T | None:
        answer = self._upstream.get(path, deadline=deadline, most_bytes=most_bytes, headers=headers)
        if not answer.body.strip():
            return None
        try:
            return msgspec.json.decode(answer.body, type=kind | None)
        except (msgspec.MsgspecError, RecursionError) as problem:
            message = f"malformed_answer: {path} has not the documented form"
            raise UpstreamError(self._upstream.name, message) from problem


def _of_solution(ids: Ids) -> Mapping[str, str]:
    return {SOLUTION_HEADER: ids.solution_id}
