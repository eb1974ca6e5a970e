"""Memory stays bounded: a slow sink holds a free source back instead of filling queues."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.pipelines import served


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("middle", ["uu", "ss"])
def test_a_slow_sink_and_a_free_source_of_large_messages_keep_memory_flat(pipeline, tmp_path, middle):
    pipeline.op("src", "us", "source", count=100_000, size=100_000).op("map", middle, "echo")
    pipeline.op("snk", "uu", "sink", delay=0.01).edge("src", "map", "snk").prepare()

    async def scenario() -> list[float]:
        async with served(tmp_path) as server:
            await server.engine.initialize(pipeline.configuration())
            run = await server.engine.run("")
            await asyncio.sleep(4)
            sizes = []
            for _ in range(8):
                await asyncio.sleep(0.5)
                sizes.append(resident_mib())
            await run.cancel()
            return sizes

    sizes = asyncio.run(scenario())

    assert len(pipeline.received("snk")) > 50
    assert max(sizes) - sizes[0] < 10


def test_an_observer_that_does_not_read_costs_a_bounded_buffer_and_is_told(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=4000).op("snk", "su", "sink").edge("src", "snk").prepare()

    async def scenario():
        async with served(tmp_path) as server:
            await server.engine.initialize(pipeline.configuration())
            observer = server.engine.events.subscribe(".*", ".*")
            run = await server.engine.run("")
            await run.ended()
            return await observer.next(), await observer.next()

    first, second = asyncio.run(scenario())

    assert first.name == "observer.missed"
    assert int(first.detail["events"]) > 1000
    assert second.name != "observer.missed"
    assert len(pipeline.received("snk")) == 4000
