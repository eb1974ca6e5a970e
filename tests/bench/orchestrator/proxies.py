"""Bare proxies to measure against: raw bytes between the nodes, without retries, events, metrics or an account.

Run as a program: `proxies.py aio|uvloop|threads PORT unary|stream MAPS`.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import sys
import threading
from typing import Any

import grpc
import grpc.aio

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
QUEUE = 100
END = None


def paths(maps: int) -> list[str]:
    return ["/bench.Src/run", *(f"/bench.Map{number}/run" for number in range(maps)), "/bench.Snk/run"]


async def aio(address: str, kind: str, maps: int) -> None:
    names = paths(maps)
    queues: list[asyncio.Queue[bytes | None]] = [asyncio.Queue(QUEUE) for _ in names[1:]]
    channels = [grpc.aio.insecure_channel(address, options=[*OPTIONS, ("bench.n", n)]) for n in range(len(names))]
    if kind == "unary":
        tasks = [unary_source(channels[0].unary_unary(names[0]), queues[0])]
        pairs = zip(queues, [*queues[1:], None], strict=True)
        tasks += [unary(channels[n + 1].unary_unary(names[n + 1]), *pair) for n, pair in enumerate(pairs)]
    else:
        tasks = [stream_source(channels[0].unary_stream(names[0]), queues[0])]
        pairs = itertools.pairwise(queues)
        tasks += [stream(channels[n + 1].stream_stream(names[n + 1]), *pair) for n, pair in enumerate(pairs)]
        tasks.append(stream_sink(channels[-1].stream_unary(names[-1]), queues[-1]))
    await asyncio.gather(*tasks)


async def unary_source(rpc: Any, out: asyncio.Queue[bytes | None]) -> None:
    while True:
        try:
            message = await rpc(b"")
        except grpc.aio.AioRpcError:
            await out.put(END)
            return
        await out.put(message)


async def unary(rpc: Any, into: asyncio.Queue[bytes | None], out: asyncio.Queue[bytes | None] | None) -> None:
    while (message := await into.get()) is not END:
        answer = await rpc(message)
        if out is not None:
            await out.put(answer)
    if out is not None:
        await out.put(END)


async def stream_source(rpc: Any, out: asyncio.Queue[bytes | None]) -> None:
    call = rpc(b"")
    while (message := await call.read()) is not grpc.aio.EOF:
        await out.put(message)
    await out.put(END)


async def stream(rpc: Any, into: asyncio.Queue[bytes | None], out: asyncio.Queue[bytes | None]) -> None:
    call = rpc()

    async def write() -> None:
        while (message := await into.get()) is not END:
            await call.write(message)
        await call.done_writing()

    writer = asyncio.create_task(write())
    while (message := await call.read()) is not grpc.aio.EOF:
        await out.put(message)
    await out.put(END)
    await writer


async def stream_sink(rpc: Any, into: asyncio.Queue[bytes | None]) -> None:
    call = rpc()
    while (message := await into.get()) is not END:
        await call.write(message)
    await call.done_writing()
    await call


def threads(address: str, kind: str, maps: int) -> None:
    names = paths(maps)
    queues: list[queue.Queue[bytes | None]] = [queue.Queue(QUEUE) for _ in names[1:]]
    channels = [grpc.insecure_channel(address, options=[*OPTIONS, ("bench.n", n)]) for n in range(len(names))]
    work: list[Any] = []
    if kind == "unary":
        work.append((thread_source, channels[0].unary_unary(names[0]), None, queues[0]))
        for n, (into, out) in enumerate(zip(queues, [*queues[1:], None], strict=True)):
            work.append((thread_unary, channels[n + 1].unary_unary(names[n + 1]), into, out))
    else:
        work.append((thread_stream, channels[0].unary_stream(names[0]), None, queues[0]))
        pairs = itertools.pairwise(queues)
        work += [(thread_stream, channels[n + 1].stream_stream(names[n + 1]), *pair) for n, pair in enumerate(pairs)]
        work.append((thread_stream, channels[-1].stream_unary(names[-1]), queues[-1], None))
    running = [threading.Thread(target=serve, args=rest) for serve, *rest in work]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def thread_source(rpc: Any, _: None, out: queue.Queue[bytes | None]) -> None:
    while True:
        try:
            message = rpc(b"")
        except grpc.RpcError:
            out.put(END)
            return
        out.put(message)


def thread_unary(rpc: Any, into: queue.Queue[bytes | None], out: queue.Queue[bytes | None] | None) -> None:
    while (message := into.get()) is not END:
        answer = rpc(message)
        if out is not None:
            out.put(answer)
    if out is not None:
        out.put(END)


def thread_stream(rpc: Any, into: queue.Queue[bytes | None] | None, out: queue.Queue[bytes | None] | None) -> None:
    request: Any = b"" if into is None else iter(into.get, END)
    answers = rpc(request)
    if out is not None:
        for message in answers:
            out.put(message)
        out.put(END)


def main() -> None:
    stack, port, kind, maps = sys.argv[1:]
    address = f"127.0.0.1:{port}"
    if stack == "threads":
        threads(address, kind, int(maps))
    elif stack == "uvloop":
        import uvloop  # noqa: PLC0415

        uvloop.run(aio(address, kind, int(maps)))
    else:
        asyncio.run(aio(address, kind, int(maps)))


if __name__ == "__main__":
    main()
