"""Takes a zip and puts it on the shelf: read under limits, checked, stored for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from services.catalog.shelf import Shelf
from shared import archive
from shared.principal import Principal
from shared.solution import Ids
from shared.web.limits import Gate, RateLimit

log = structlog.get_logger(__name__)

MIB = 1024 * 1024
MOST_ARCHIVE = 8 * MIB
MOST_UNPACKED = 32 * MIB  # two at once and what is made of them must fit into a worker
MOST_AT_ONCE = 2
WAIT_SECONDS = 5.0  # an upload has come a long way already


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Uploads:
    """Uploads of one worker process."""

    shelf: Shelf
    rate: RateLimit
    now: Callable[[], str] = _now
    """The time, ISO 8601."""
    gate: Gate = field(default_factory=lambda: Gate(MOST_AT_ONCE, wait_seconds=WAIT_SECONDS))

    def take(self, ids: Ids, data: bytes, principal: Principal, *, public: bool) -> bool:
        """Store a revision; True when it is new, False when it was there, the same in everything.

        Raises:
            TooLargeError, InvalidArchiveError: the zip is not one that we read.
            InvalidSolutionError: it holds no solution.
            ForbiddenError, ConflictError: the ids are another's, or taken by other content.
        """
        self.rate.take(principal.id)
        with self.gate.passed():
            limits = archive.Limits(archive_bytes=MOST_ARCHIVE, unpacked_bytes=MOST_UNPACKED)
            files = archive.read(data, limits)
            is_new = self.shelf.add(ids, files, principal, public=public, created=self.now())
        if is_new:
            log.info("solution_stored", solution_id=ids.solution_id, revision_id=ids.revision_id, files=len(files))
        return is_new
