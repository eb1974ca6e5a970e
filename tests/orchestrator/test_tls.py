"""Nodes may be called over TLS."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.pipelines import Pipeline, served


@pytest.fixture(scope="module")
def certificate() -> tuple[bytes, bytes]:
    """Return a certificate for 127.0.0.1 that vouches for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "node")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return built.public_bytes(pem), private


def test_messages_pass_over_tls(host, tmp_path, certificate):
    authority, key = certificate
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
