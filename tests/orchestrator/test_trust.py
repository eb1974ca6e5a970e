"""Files for TLS that do not fit together end the start with the names of their settings."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from support.certificates import self_signed

from orchestrator import trust
from orchestrator.connections import NodeTls
from shared.errors import SettingsError

RUBBISH = b"-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n"


@pytest.fixture
def files(tmp_path):
    """Write a certificate, its key, the key of another one, and rubbish; give the folder."""
    (certificate, key), (_, other) = self_signed(), self_signed()
    password = serialization.BestAvailableEncryption(b"secret")
    encrypted = serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, password
    )
    contents = {"certificate": certificate, "key": key, "other": other, "locked": encrypted, "rubbish": RUBBISH}
    for name, content in {**contents, "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_without_files_there_is_no_tls():
    assert trust.read(None, None, None) is None


def test_an_authority_alone_is_enough(files):
    found = trust.read(files / "certificate", None, None)

    assert found == NodeTls((files / "certificate").read_bytes())


def test_a_certificate_is_read_with_its_key(files):
    found = trust.read(files / "certificate", files / "certificate", files / "key")

    assert found is not None
    assert found.key is not None
    assert found.key.reveal().encode() == (files / "key").read_bytes()


@pytest.mark.parametrize(
    ("authority", "certificate", "key", "words"),
    [
        ("certificate", "certificate", None, "SLIPWAY_NODE_TLS_CERTIFICATE, SLIPWAY_NODE_TLS_KEY: expected both"),
        ("certificate", None, "key", "SLIPWAY_NODE_TLS_CERTIFICATE, SLIPWAY_NODE_TLS_KEY: expected both"),
        (None, "certificate", "key", "SLIPWAY_NODE_TLS_CA: expected beside"),
        ("rubbish", None, None, "SLIPWAY_NODE_TLS_CA: expected certificates in PEM"),
        ("empty", None, None, "SLIPWAY_NODE_TLS_CA: expected certificates in PEM"),
        ("key", None, None, "SLIPWAY_NODE_TLS_CA: expected certificates in PEM"),
        ("missing", None, None, "expected files that can be read"),
        ("certificate", "certificate", "other", "SLIPWAY_NODE_TLS_KEY: expected a certificate in PEM and its key"),
        ("certificate", "certificate", "locked", "SLIPWAY_NODE_TLS_KEY: expected a certificate in PEM and its key"),
        ("certificate", "rubbish", "key", "SLIPWAY_NODE_TLS_KEY: expected a certificate in PEM and its key"),
        ("certificate", "certificate", "missing", "expected files that can be read"),
    ],
)
def test_what_does_not_fit_together_is_told_at_the_start(files, authority, certificate, key, words):
    paths = [None if name is None else files / name for name in (authority, certificate, key)]

    with pytest.raises(SettingsError, match=words):
        trust.read(*paths)
