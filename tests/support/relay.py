"""A relay of TCP connections that can fall silent: sockets stay open, nothing passes. So does a host that vanished."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Relay:
    """Passes on what comes to its port to another one of this machine, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.connections = 0
        """How many have been accepted."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._passing = asyncio.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._main(),))

    def __enter__(self) -> Self:
        self._passing.set()
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()

    def freeze(self) -> None:
        """Pass on nothing more, in neither direction; new connections are accepted and stay silent too."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self) -> None:
        """Pass on everything again, what was held back first."""
        self._loop.call_soon_threadsafe(self._passing.set)

    async def _main(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with suppress(asyncio.CancelledError, OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
                try:
                    await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
                finally:
                    far_writer.transport.abort()
            writer.transport.abort()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._started.set()
        await self._ended.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes what was aborted

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._passing.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
