"""Nodes that cannot be trusted, or speak no TLS: nothing hangs, and the reason is told in words."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest
from support.certificates import self_signed
from support.orchestrator_process import ROOT
from support.pipelines import Pipeline, served

from orchestrator.run import Run

Pair = tuple[bytes, bytes]
"""A certificate and its key."""


async def make(_: bytes, __: grpc.aio.ServicerContext) -> bytes:
    return b"\x08\x05"


async def keep(_: bytes, __: grpc.aio.ServicerContext) -> bytes:
    return b""


async def serving(pipeline: Pipeline, shown: Pair | None, port: int = 0) -> tuple[grpc.aio.Server, int]:
    """Serve source and sink with that certificate, or without TLS."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    for name, method in (("src", make), ("snk", keep)):
        handlers = {"run": grpc.unary_unary_rpc_method_handler(method)}
        service = pipeline.paths[name].split("/")[1]
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    address = f"127.0.0.1:{port}"
    if shown is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(shown[1], shown[0])]))
    await server.start()
    pipeline.ports = dict.fromkeys(pipeline.nodes, port)
    return server, port


def started(pipeline: Pipeline, folder: Path, trusted: bytes | None, *, patience: float) -> dict[str, str]:
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")
    pipeline.orchestration = {"operations": {"*": {"patience_seconds": patience}}}
    if trusted is None:
        return {}
    (folder / "ca.pem").write_bytes(trusted)
    return {"SLIPWAY_NODE_TLS_CA": str(folder / "ca.pem")}


def run_against(pipeline: Pipeline, folder: Path, shown: Pair | None, trusted: bytes | None) -> Run:
    environ = started(pipeline, folder, trusted, patience=0.3)

    async def scenario() -> Run:
        server, _ = await serving(pipeline, shown)
        async with served(folder, **environ) as orchestrator:
            await orchestrator.engine.initialize(pipeline.configuration(iterations=2))
            run = await orchestrator.engine.run("")
            await asyncio.wait_for(run.ended(), 10)
        await server.stop(0)
        return run

    return asyncio.run(scenario())


def test_a_node_of_another_authority_is_not_called(pipeline, tmp_path):
    run = run_against(pipeline, tmp_path, self_signed(), self_signed()[0])

    assert run.state == "failed"
    assert run.reason.startswith("src.run: unreachable for 0.3 s: UNAVAILABLE: ")
    assert "CERTIFICATE_VERIFY_FAILED: self signed certificate" in run.reason


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (self_signed(days=(-2, -1)), "CERTIFICATE_VERIFY_FAILED: certificate has expired"),
        (self_signed(days=(1, 2)), "CERTIFICATE_VERIFY_FAILED: certificate is not yet valid"),
        (self_signed("node.example.org"), "Hostname Verification Check failed"),
    ],
    ids=["expired", "not yet valid", "of another host"],
)
def test_a_certificate_that_is_none_for_this_node_is_refused(pipeline, tmp_path, shown, words):
    run = run_against(pipeline, tmp_path, shown, shown[0])

    assert run.state == "failed"
    assert words in run.reason


def test_a_node_without_tls_is_not_called_where_tls_is_on(pipeline, tmp_path):
    run = run_against(pipeline, tmp_path, None, self_signed()[0])

    assert run.state == "failed"
    assert "Tls handshake failed" in run.reason
    assert run.account.entered == 0


def test_a_node_with_tls_is_not_reached_without(pipeline, tmp_path):
    run = run_against(pipeline, tmp_path, self_signed(), None)

    assert run.state == "failed"
    assert run.reason.startswith("src.run: unreachable for 0.3 s: UNAVAILABLE: ")


def test_a_node_that_gets_a_good_certificate_within_patience_is_called(pipeline, tmp_path):
    good = self_signed()
    environ = started(pipeline, tmp_path, good[0], patience=20)

    async def scenario() -> Run:
        server, port = await serving(pipeline, self_signed())
        async with served(tmp_path, **environ) as orchestrator:
            await orchestrator.engine.initialize(pipeline.configuration(iterations=2))
            run = await orchestrator.engine.run("")
            while not run.workers[0].figures.failures:  # noqa: ASYNC110 nobody tells when it becomes true
                await asyncio.sleep(0.01)
            await server.stop(0)
            server, _ = await serving(pipeline, good, port)
            await asyncio.wait_for(run.ended(), 15)
        await server.stop(0)
        return run

    run = asyncio.run(scenario())

    assert (run.state, run.account.delivered) == ("completed", 2)


def test_a_certificate_without_its_key_ends_the_start_with_words(tmp_path):
    certificate, _ = self_signed()
    (tmp_path / "ca.pem").write_bytes(certificate)
    environ = dict.fromkeys(("SLIPWAY_NODE_TLS_CA", "SLIPWAY_NODE_TLS_CERTIFICATE"), str(tmp_path / "ca.pem"))
    environ |= {"SLIPWAY_PORT": "0", "SLIPWAY_METRICS_PORT": "0", "SLIPWAY_DATA_DIRECTORY": str(tmp_path), "LANG": "C"}
    command = [sys.executable, "-m", "orchestrator"]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "SLIPWAY_NODE_TLS_CERTIFICATE, SLIPWAY_NODE_TLS_KEY: expected both of them or none" in done.stderr
