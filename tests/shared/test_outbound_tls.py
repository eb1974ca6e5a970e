"""Trust and deadlines hold under TLS as well."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.raw_server import Peer, RawServer, answering

from shared.deadline import Deadline
from shared.errors import UpstreamError, UpstreamTimeoutError
from shared.outbound import Limits, Upstream


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with a key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def drip_the_header(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: a", every=0.05)


def never_shake_hands(peer: Peer) -> None:
    peer.wait(5)


def test_an_authority_of_the_operator_is_trusted(certificate: Path, tls: ssl.SSLContext) -> None:
    with RawServer(answering("200 OK", b"sealed"), tls=tls) as server:
        upstream = Upstream("cds", server.url, ca_file=certificate)

        assert upstream.get("x", deadline=Deadline.after(2), most_bytes=10).body == b"sealed"


def test_an_unknown_authority_is_not_trusted(tls: ssl.SSLContext) -> None:
    with RawServer(answering("200 OK"), tls=tls) as server:
        with pytest.raises(UpstreamError, match="cds: tls_failed: "):
            Upstream("cds", server.url).get("x", deadline=Deadline.after(2), most_bytes=10)

        assert server.requests == []


def test_the_deadline_holds_under_tls(certificate: Path, tls: ssl.SSLContext) -> None:
    with RawServer(drip_the_header, tls=tls) as server:
        upstream = Upstream("cds", server.url, ca_file=certificate)
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError):
            upstream.get("x", deadline=Deadline.after(0.4), most_bytes=10)

        assert 0.35 < time.monotonic() - start < 1.5


def test_the_deadline_holds_for_the_handshake() -> None:
    with RawServer(never_shake_hands) as server:
        upstream = Upstream("cds", server.url.replace("http:", "https:"), limits=Limits(tries=1))
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError):
            upstream.get("x", deadline=Deadline.after(0.3), most_bytes=10)

        assert 0.25 < time.monotonic() - start < 1.5
