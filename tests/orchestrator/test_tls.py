"""Nodes may be called over TLS."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
from support.certificates import self_signed
from support.pipelines import Pipeline, served


def test_messages_pass_over_tls(host, tmp_path):
    authority, key = self_signed()
    (tmp_path / "ca.pem").write_bytes(authority)
    received: list[bytes] = []

    async def make(_: bytes, __: grpc.aio.ServicerContext) -> bytes:
        return b"\x08\x05"

    async def keep(request: bytes, _: grpc.aio.ServicerContext) -> bytes:
        received.append(request)
        return b""

    pipeline = Pipeline(host)
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")

    async def scenario():
        server = grpc.aio.server()
        for name, method in (("src", make), ("snk", keep)):
            handler = grpc.unary_unary_rpc_method_handler(method)
            service = pipeline.paths[name].split("/")[1]
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"run": handler}),))
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, authority)]))
        pipeline.ports = dict.fromkeys(pipeline.nodes, port)
        await server.start()
        async with served(tmp_path, SLIPWAY_NODE_TLS_CA=str(tmp_path / "ca.pem")) as orchestrator:
            await orchestrator.engine.initialize(pipeline.configuration(iterations=2))
            run = await orchestrator.engine.run("")
            await asyncio.wait_for(run.ended(), 20)
        await server.stop(0)
        return run

    run = asyncio.run(scenario())

    assert (run.state, run.reason) == ("completed", "")
    assert received == [b"\x08\x05", b"\x08\x05"]
