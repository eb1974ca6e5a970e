"""The one protocol of every persistence service."""

from __future__ import annotations

from typing import Protocol

from shared.errors import NotFoundError, UnknownRevisionError
from shared.principal import Principal
from shared.solution import Ids, SolutionFiles


class Persistence(Protocol):
    """Loads solutions. Implementations are safe to use from many threads at once."""

    def load(self, ids: Ids, principal: Principal) -> SolutionFiles:
        """Return the files of a revision.

        Raises:
            NotFoundError: there is none, or `principal` may not know of it.
            InvalidSolutionError: it holds nothing that could be deployed, such as a pipeline without a blueprint.
            UpstreamError: the service misbehaved; UpstreamTimeoutError past the deadline.
            TooLargeError: a limit on size or count was exceeded.
        """
        ...

    def check(self) -> None:
        """Answer whether the service can be reached, for `/readyz`; cheap and bounded in time.

        Raises:
            UpstreamError: it cannot; the message says what is wrong.
        """
        ...


def unknown(ids: Ids, *, sees_solution: bool = False) -> NotFoundError:
    """Return the one answer for a revision that does not exist and for one that the caller may not know of.

    Args:
        ids: what was asked for.
        sees_solution: the caller may see the solution, so that only the revision can be wrong.
    """
    kind = UnknownRevisionError if sees_solution else NotFoundError
    return kind(f"solution {ids.solution_id}, revision {ids.revision_id}: not found")
