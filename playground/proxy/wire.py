"""One end of a connection: h11 says what the bytes mean, asyncio carries them, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import h11

PIECE_BYTES = 65_536
LINGER_SECONDS = 2.0
MOST_LINGERING_BYTES = 1_048_576


class GoneError(Exception):
    """Who is at the other end has gone, or neither sends nor takes anything."""


class Wire:
    """A connection over which HTTP/1.1 is spoken."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_server: bool,
        most_head_bytes: int,
    ) -> None:
        """Speak as the server or as the client."""
        self.reader = reader
        self.writer = writer
        role = h11.SERVER if is_server else h11.CLIENT
        self.http = h11.Connection(role, max_incomplete_event_size=most_head_bytes)

    async def next(self, seconds: float) -> h11.Event:
        """Return the next event of the other end.

        Args:
            seconds: how long it may say nothing at all.

        Raises:
            h11.RemoteProtocolError: what it says is no HTTP, or it ends in the middle.
            GoneError: it says nothing for so long, or the connection breaks.
        """
        while isinstance(event := self.http.next_event(), type):
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("nothing was to come before an answer")
            self.http.receive_data(await self._read(seconds))
        return event

    async def send(self, event: h11.Event, seconds: float) -> None:
        """Send an event; return when the other end takes it, or nearly so.

        Raises:
            h11.LocalProtocolError: it has no place here.
            GoneError: nothing is taken for so long, or the connection breaks.
        """
        self.writer.writelines(self.http.send_with_data_passthrough(event) or ())
        await self.drained(seconds)

    async def drained(self, seconds: float) -> None:
        """Wait until there is room for more. Raises GoneError as `send` does."""
        try:
            async with asyncio.timeout(seconds):
                await self.writer.drain()
        except (OSError, TimeoutError) as problem:
            raise GoneError from problem

    async def watch(self) -> None:
        """Return when the other end begins its next request.

        Raises:
            GoneError: it has gone.
        """
        data = await self._read(None)
        if not data:
            raise GoneError
        self.http.receive_data(data)

    def close(self) -> None:
        """Close when everything is sent."""
        self.writer.close()

    def abort(self) -> None:
        """Close now: the other end sees that something is missing."""
        self.writer.transport.abort()

    async def linger(self) -> None:
        """Say that nothing more comes, then take what is on its way for a moment: closing at once could destroy our answer."""
        taken = 0
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                if self.writer.can_write_eof():
                    self.writer.write_eof()
                while taken < MOST_LINGERING_BYTES and (data := await self.reader.read(PIECE_BYTES)):
                    taken += len(data)
        except (OSError, TimeoutError):
            return

    async def _read(self, seconds: float | None) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self.reader.read(PIECE_BYTES)
        except (OSError, TimeoutError) as problem:
            raise GoneError from problem
