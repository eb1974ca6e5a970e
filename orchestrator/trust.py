"""Reads the files that TLS to the nodes needs, and finds out at the start whether they fit together.

gRPC would say so at the first call at best; a certificate without its key makes it end the process.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from orchestrator.connections import NodeTls
from shared.errors import SettingsError
from shared.settings import Secret


def read(authority: Path | None, certificate: Path | None, key: Path | None) -> NodeTls | None:
    """Return what nodes are trusted by, or None when TLS is off.

    Raises:
        SettingsError: a file cannot be read, holds something else, or misses the one that belongs to it.
    """
    if (certificate is None) != (key is None):
        raise SettingsError("SLIPWAY_NODE_TLS_CERTIFICATE, SLIPWAY_NODE_TLS_KEY: expected both of them or none")
    if authority is None:
        if certificate is not None:
            raise SettingsError("SLIPWAY_NODE_TLS_CA: expected beside SLIPWAY_NODE_TLS_CERTIFICATE, it turns TLS on")
        return None
    try:
        _check(authority, certificate, key)
        shown = certificate.read_bytes() if certificate is not None else None
        return NodeTls(authority.read_bytes(), shown, Secret(key.read_text()) if key is not None else None)
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError("SLIPWAY_NODE_TLS_*: expected files that can be read") from problem


def _check(authority: Path, certificate: Path | None, key: Path | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as problem:
        raise SettingsError("SLIPWAY_NODE_TLS_CA: expected certificates in PEM") from problem
    if certificate is None:
        return
    try:
        context.load_cert_chain(certificate, key, password=b"")  # or it would ask for one
    except ssl.SSLError as problem:
        expected = "a certificate in PEM and its key, without a password"
        raise SettingsError(f"SLIPWAY_NODE_TLS_CERTIFICATE, SLIPWAY_NODE_TLS_KEY: expected {expected}") from problem
