"""A process full of stand-in nodes: a real gRPC server whose methods do what a test tells them, and record what they got.

Run as a program: prints its port. `/Host/Set` takes JSON (path → behaviour), `/Host/Get` returns JSON (path → ids).
An item is {int64 id = 1; bytes payload = 2}; other messages are echoed unread.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]


def item(number: int, payload: bytes = b"") -> bytes:
    """Encode an item."""
    return b"\x08" + varint(number) + (b"\x12" + varint(len(payload)) + payload if payload else b"")


def varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def number_of(message: bytes) -> int:
    """Return the id of an item; 0 for anything else."""
    if not message.startswith(b"\x08"):
        return 0
    value = 0
    for shift, byte in enumerate(message[1:11]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value
    return 0


class Host(grpc.GenericRpcHandler):
    """Serves what `/Host/Set` has told it to."""

    def __init__(self) -> None:
        self.behaviours: dict[str, dict[str, Any]] = {}
        self.received: dict[str, list[int]] = {}
        self.calls: dict[str, int] = {}
        self.at_once: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.metadata: dict[str, list[str]] = {}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        path = details.method
        if path == "/Host/Set":
            return grpc.unary_unary_rpc_method_handler(self.set)
        if path == "/Host/Get":
            return grpc.unary_unary_rpc_method_handler(self.get)
        if path not in self.behaviours:
            return None
        self.metadata.setdefault(path, []).extend(v for k, v in details.invocation_metadata if k == "traceparent")
        behaviour = self.behaviours[path]
        reads, writes = behaviour["kind"]
        kinds = {
            "uu": (grpc.unary_unary_rpc_method_handler, self.unary),
            "us": (grpc.unary_stream_rpc_method_handler, self.server_stream),
            "su": (grpc.stream_unary_rpc_method_handler, self.client_stream),
            "ss": (grpc.stream_stream_rpc_method_handler, self.bidirectional),
        }
        make, serve = kinds[reads + writes]

        async def unary(request: Any, context: Any) -> bytes:
            return await serve(path, behaviour, request, context)

        async def streaming(request: Any, context: Any) -> AsyncIterator[bytes]:
            async for answer in serve(path, behaviour, request, context):
                yield answer

        return make(unary if writes == "u" else streaming)

    async def set(self, request: bytes, _: Any) -> bytes:
        self.behaviours.update(json.loads(request))
        return b""

    async def get(self, _: bytes, __: Any) -> bytes:
        about = {"received": self.received, "calls": self.calls, "most": self.most, "sizes": self.sizes}
        return json.dumps({**about, "metadata": self.metadata}).encode()

    def record(self, path: str, message: bytes) -> None:
        self.received.setdefault(path, []).append(number_of(message))
        self.sizes[path] = self.sizes.get(path, 0) + len(message)

    async def begin(self, path: str, behaviour: dict[str, Any], context: Any) -> int:
        """Count the call, wait, and fail if this one shall."""
        self.calls[path] = call = self.calls.get(path, 0) + 1
        if behaviour.get("delay"):
            await asyncio.sleep(behaviour["delay"])
        if call in behaviour.get("fail_calls", ()):
            await context.abort(grpc.StatusCode[behaviour.get("code", "UNAVAILABLE")], "as the test wants")
        return call

    async def unary(self, path: str, behaviour: dict[str, Any], request: bytes, context: Any) -> bytes:
        self.at_once[path] = self.at_once.get(path, 0) + 1
        self.most[path] = max(self.most.get(path, 0), self.at_once[path])
        try:
            call = await self.begin(path, behaviour, context)
        finally:
            self.at_once[path] -= 1
        if behaviour["do"] == "source":
            if behaviour.get("count") is not None and call > behaviour["count"]:
                await context.abort(grpc.StatusCode[behaviour.get("end", "NOT_FOUND")], "no more data")
            return item(call, b"x" * behaviour.get("size", 0))
        if number_of(request) in behaviour.get("fail_ids", ()):
            await context.abort(grpc.StatusCode[behaviour.get("code", "UNKNOWN")], "poison")
        self.record(path, request)
        return b"" if behaviour["do"] == "sink" else self.answer(behaviour, request)

    def answer(self, behaviour: dict[str, Any], request: bytes) -> bytes:
        if behaviour["do"] == "fixed":
            return bytes.fromhex(behaviour["hex"])
        return request

    async def server_stream(
        self, path: str, behaviour: dict[str, Any], request: bytes, context: Any
    ) -> AsyncIterator[bytes]:
        await self.begin(path, behaviour, context)
        if behaviour["do"] == "source":
            for number in range(1, behaviour["count"] + 1):
                if behaviour.get("pause"):
                    await asyncio.sleep(behaviour["pause"])
                yield item(number, b"x" * behaviour.get("size", 0))
            if behaviour.get("endless"):
                await asyncio.Event().wait()
            return
        self.record(path, request)
        for answer in self.several(behaviour, request):
            yield answer

    def several(self, behaviour: dict[str, Any], request: bytes) -> list[bytes]:
        number = number_of(request)
        if behaviour["do"] == "expand":
            return [item(number * 100 + index) for index in range(behaviour["times"])]
        if behaviour["do"] == "countdown":  # n → n - 1, and nothing below a hundred's remainder of 1
            return [item(number - 1)] if number % 100 > 1 else []
        return [] if behaviour["do"] == "sink" else [request]

    async def client_stream(self, path: str, behaviour: dict[str, Any], requests: Any, context: Any) -> bytes:
        await self.begin(path, behaviour, context)
        if behaviour["do"] == "source":
            return item(1)
        taken: list[int] = []
        async for request in requests:
            self.record(path, request)
            taken.append(number_of(request))
            if behaviour.get("pause"):
                await asyncio.sleep(behaviour["pause"])
            if len(taken) == behaviour.get("after"):
                break
            if behaviour.get("abort_after") and len(self.received[path]) == behaviour["abort_after"]:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "reset")
        return b"" if behaviour["do"] == "sink" else item(sum(taken))

    async def bidirectional(
        self, path: str, behaviour: dict[str, Any], requests: Any, context: Any
    ) -> AsyncIterator[bytes]:
        await self.begin(path, behaviour, context)
        async for request in requests:
            self.record(path, request)
            if behaviour["do"] == "source":
                for number in range(1, behaviour["count"] + 1):
                    yield item(number)
                continue
            if behaviour.get("pause"):
                await asyncio.sleep(behaviour["pause"])
            for answer in self.several(behaviour, request):
                yield answer
            if behaviour.get("abort_after") and len(self.received[path]) == behaviour["abort_after"]:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "reset")


async def main() -> None:
    host = Host()
    host.behaviours |= json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((host,))
    port = server.add_insecure_port(f"127.0.0.1:{sys.argv[1] if len(sys.argv) > 1 else 0}")
    await server.start()
    print(port, flush=True)  # noqa: T201 the one who started this waits for it
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
