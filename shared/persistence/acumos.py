"""Loads solutions from a marketplace: CDS says what there is and whose it is, Nexus keeps the files."""

from __future__ import annotations

from shared.deadline import Deadline
from shared.outbound import Upstream
from shared.persistence.access import Access
from shared.persistence.acumos_load import AcumosLoad
from shared.persistence.calls import Calls
from shared.persistence.cds import Cds
from shared.persistence.nexus import Nexus
from shared.principal import Principal
from shared.solution import Ids, SolutionFiles

LOAD_SECONDS = 30.0
CHECK_SECONDS = 2.0
THREADS = 64  # for all loads; each upstream gets at most `Limits.parallel` calls at a time
CACHE_BYTES = 64 << 20


class AcumosPersistence:
    """The persistence of a marketplace."""

    def __init__(self, cds: Upstream, nexus: Upstream, *, access: Access, cache_bytes: int = CACHE_BYTES) -> None:
        """Prepare; nothing is sent yet. The upstreams are closed together with this.

        Args:
            cds: the common data service, its base path included (`…/ccds`).
            nexus: the repository that artifact uris are relative to.
            access: who decides what a principal may load.
            cache_bytes: how much of Nexus is kept in memory.
        """
        self._upstreams = (cds, nexus)
        self._cds = Cds(cds)
        self._nexus = Nexus(nexus, cache_bytes=cache_bytes)
        self._access = access
        self._calls = Calls("acumos", threads=THREADS)

    def load(self, ids: Ids, principal: Principal) -> SolutionFiles:
        """Return the files of a revision; see `Persistence.load`.

        Raises:
            InvalidSolutionError: there is neither a blueprint nor an image, so nothing to deploy.
        """
        with self._calls.batch(Deadline.after(LOAD_SECONDS)) as batch:
            return AcumosLoad(batch, self._cds, self._nexus, ids).files(principal, self._access)

    def check(self) -> None:
        """Ask both services something small; see `Persistence.check`."""
        deadline = Deadline.after(CHECK_SECONDS)
        with self._calls.batch(deadline) as batch:
            for answer in [batch.start(self._cds.check, deadline), batch.start(self._nexus.check, deadline)]:
                batch.result(answer)

    def close(self) -> None:
        """Free threads and connections."""
        self._calls.close()
        for upstream in self._upstreams:
            upstream.close()
