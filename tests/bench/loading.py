"""How long a pipeline takes to load from a slow marketplace, in answers of that marketplace."""

from __future__ import annotations

from collections.abc import Iterator

from support.cds_server import CdsServer
from support.marketplace import open_acumos, publish_pipeline

from shared.principal import LOCAL_OPERATOR
from shared.solution import Ids, RevisionId, SolutionId
from tests.bench.rows import Row, interleaved, milliseconds

NAMES = ("load 30 nodes, 50 ms an answer",)
NODES = 30
SECONDS = 0.05
MOST_ANSWERS = 5


def rows() -> Iterator[Row]:
    """Yield the load time over real HTTP, nothing cached."""
    ids = Ids(SolutionId("slow"), RevisionId("1"))
    with CdsServer(seconds=SECONDS) as server:
        uris = [f"org/acumos/slow/node{index}/1/node{index}-1.proto" for index in range(NODES)]
        publish_pipeline(server, ids, *uris)

        def load() -> float:
            persistence = open_acumos(server, access="portal")
            try:
                return milliseconds(lambda: persistence.load(ids, LOCAL_OPERATOR)) / (SECONDS * 1000)
            finally:
                persistence.close()

        (answers,) = interleaved(load)
    yield Row(NAMES[0], answers, "answers", most=MOST_ANSWERS)
