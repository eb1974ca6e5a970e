"""A node made of bare HTTP/2 frames, so that a test can break every rule that a gRPC library keeps.

It speaks just enough: settings, pings, wide open windows, headers without compression. What a call gets is written by
the test, frame by frame. It runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from support.node_host import number_of

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
FRAME_BYTES = 16384
WIDEST = 2**31 - 1
RESETS = {
    "NO_ERROR": 0,
    "PROTOCOL_ERROR": 1,
    "INTERNAL_ERROR": 2,
    "FLOW_CONTROL_ERROR": 3,
    "SETTINGS_TIMEOUT": 4,
    "STREAM_CLOSED": 5,
    "FRAME_SIZE_ERROR": 6,
    "REFUSED_STREAM": 7,
    "CANCEL": 8,
    "COMPRESSION_ERROR": 9,
    "CONNECT_ERROR": 10,
    "ENHANCE_YOUR_CALM": 11,
    "INADEQUATE_SECURITY": 12,
    "HTTP_1_1_REQUIRED": 13,
}
"""RFC 9113, section 7."""
GRPC = ("content-type", "application/grpc")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(*pairs: tuple[str, str]) -> bytes:
    """Return headers in HPACK: each a literal that no table remembers."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in pairs)


def _text(value: str) -> bytes:
    raw = value.encode()
    return integer(len(raw)) + raw


def integer(value: int) -> bytes:
    """Return a number with a prefix of seven bits, as RFC 7541 writes it."""
    if value < 127:
        return bytes([value])
    parts, value = bytearray([127]), value - 127
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def enveloped(message: bytes, *, flag: int = 0) -> bytes:
    """Return a message as gRPC writes it into a stream: a flag for compression, its length, itself."""
    return struct.pack(">BI", flag, len(message)) + message


@dataclass
class Call:
    """One call of the node, as the test's behaviour sees it."""

    connection: Connection
    stream: int
    number: int
    """The how many-th call of the node it is."""
    requests: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    raw: bytearray = field(default_factory=bytearray)

    async def request(self) -> bytes | None:
        """Return the next message of the caller, or None at the end of its stream; it counts as received."""
        message = await self.requests.get()
        if message is not None:
            self.connection.node.received.append(number_of(message))
        return message

    def headers(self, *pairs: tuple[str, str], status: str = "200", ends: bool = False) -> None:
        """Begin the answer."""
        self.block(fields((":status", status), *(pairs or (GRPC,))), ends=ends)

    def block(self, block: bytes, *, ends: bool = False) -> None:
        """Send a block of headers, in as many frames as it takes."""
        pieces = [block[place : place + FRAME_BYTES] for place in range(0, len(block), FRAME_BYTES)] or [b""]
        for place, piece in enumerate(pieces):
            flags = END_HEADERS * (place == len(pieces) - 1) | END_STREAM * (ends and place == 0)
            self.connection.send(frame(CONTINUATION if place else HEADERS, flags, self.stream, piece))

    def message(self, message: bytes) -> None:
        """Send a message; the caller's window is not looked at."""
        self.data(enveloped(message))

    def data(self, content: bytes, *, ends: bool = False) -> None:
        """Send bytes."""
        self.connection.send(frame(DATA, END_STREAM * ends, self.stream, content))

    def trailers(self, status: int | str = 0, *pairs: tuple[str, str]) -> None:
        """End the answer."""
        self.block(fields(("grpc-status", str(status)), *pairs), ends=True)

    def reset(self, code: int) -> None:
        """End the stream without an answer."""
        self.connection.send(frame(RST_STREAM, 0, self.stream, struct.pack(">I", code)))

    def answer(self, message: bytes) -> None:
        """Give a whole unary answer."""
        self.headers()
        self.message(message)
        self.trailers()

    async def echo(self, most: int = -1) -> int:
        """Send back what comes until the end of the stream, or so many; return how many."""
        self.headers()
        made = 0
        while made != most and (message := await self.request()) is not None:
            self.message(message)
            made += 1
        return made


Behaviour = Callable[[Call], Awaitable[None]]


class Connection:
    """One connection, until either side ends it."""

    def __init__(self, node: RawNode, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.node = node
        self._reader = reader
        self._writer = writer
        self._calls: dict[int, Call] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, content: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(content)

    async def sent(self) -> None:
        """Wait until the other side has taken most of what was sent."""
        await self._writer.drain()

    def goaway(self, code: int = 0, last: int = WIDEST, text: bytes = b"") -> None:
        """Announce that no further stream is served."""
        self.send(frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + text))

    def abort(self) -> None:
        """Break the connection at once."""
        self._writer.transport.abort()

    def close(self) -> None:
        """End the connection after what was sent."""
        self._writer.close()

    async def serve(self) -> None:
        try:
            await self._reader.readexactly(len(PREFACE))
            self.send(frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, 100, 4, WIDEST)))
            self.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WIDEST - 65535)))
            while True:
                await self._take()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the other side is gone
        finally:
            for task in self._tasks:
                task.cancel()

    async def _take(self) -> None:
        head = await self._reader.readexactly(9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.node.pings += 1
            self.send(frame(PING, ACK, 0, payload))
        elif kind == HEADERS and stream not in self._calls:
            self._begin(stream)
        elif kind == DATA:
            self._feed(self._calls[stream], payload)
        if kind in {DATA, HEADERS} and flags & END_STREAM:
            self._calls[stream].requests.put_nowait(None)

    def _begin(self, stream: int) -> None:
        self.node.calls += 1
        self._calls[stream] = call = Call(self, stream, self.node.calls)
        self._tasks.append(asyncio.create_task(self._behave(call)))

    async def _behave(self, call: Call) -> None:
        try:
            await self.node.behaviour(call)
        except OSError:
            return  # the other side is gone
        except Exception as problem:  # noqa: BLE001 a mistake of the test, told at the end of the node
            self.node.mistakes.append(problem)

    def _feed(self, call: Call, payload: bytes) -> None:
        call.raw += payload
        while len(call.raw) >= 5 and len(call.raw) >= 5 + (length := int.from_bytes(call.raw[1:5], "big")):
            call.requests.put_nowait(bytes(call.raw[5 : 5 + length]))
            del call.raw[: 5 + length]


class RawNode:
    """Listens, and lets the behaviour answer every call: `with RawNode(behaviour) as node`."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.calls = 0
        self.pings = 0
        self.connections = 0
        self.received: list[int] = []
        """Ids of the items that any call got."""
        self.mistakes: list[Exception] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._main(),))

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()
        if self.mistakes and problem is None:
            raise self.mistakes[0]

    async def _main(self) -> None:
        self._ended = asyncio.Event()
        serving: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            serving.add(task)
            with suppress(asyncio.CancelledError):
                await Connection(self, reader, writer).serve()
            writer.transport.abort()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._started.set()
        await self._ended.wait()
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes what was aborted
