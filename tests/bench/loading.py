"""How long a pipeline takes to load from a slow marketplace, in answers of that marketplace."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

from support.cds_server import CdsServer
from support.marketplace import open_acumos_at, publish_pipeline

from shared.principal import LOCAL_OPERATOR
from shared.solution import Ids, RevisionId, SolutionId
from tests.bench.rows import Row, interleaved, milliseconds

NAMES = ("load 30 nodes, 50 ms an answer",)
IDS = Ids(SolutionId("slow"), RevisionId("1"))
NODES = 30
SECONDS = 0.05
MOST_ANSWERS = 5


def rows() -> Iterator[Row]:
    """Yield the load time over real HTTP, nothing cached; the marketplace has a process of its own, as in life."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,))
    server.start()
    try:
        url = ours.recv()

        def load() -> float:
            persistence = open_acumos_at(url, access="portal")
            try:
                return milliseconds(lambda: persistence.load(IDS, LOCAL_OPERATOR)) / (SECONDS * 1000)
            finally:
                persistence.close()

        (answers,) = interleaved(load)
    finally:
        ours.send("stop")
        server.join(30)
    yield Row(NAMES[0], answers, "answers", most=MOST_ANSWERS)


def _serve(pipe: Connection) -> None:
    with CdsServer(seconds=SECONDS) as server:
        uris = [f"org/acumos/slow/node{index}/1/node{index}-1.proto" for index in range(NODES)]
        publish_pipeline(server, IDS, *uris)
        pipe.send(server.url)
        pipe.recv()
