"""Channels to the nodes, one per address, and calls that move bytes without looking at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from orchestrator.plan import Operation
from shared.settings import Secret

EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined] # the stubs do not know it
"""What `read` returns at the end of a stream."""
METADATA_BYTES = 64 << 10
"""Largest headers or trailers of a node: beyond, not even the reason of a failure is seen. gRPC's 8 KiB cut off tracebacks."""


def answered(response: bytes | None) -> bytes:
    """Return the message of a call that has ended with OK.

    Raises:
        AioRpcError: there is none; grpcio does not look.
    """
    if response is None:
        nothing, reason = grpc.aio.Metadata(), "ended with OK, but without a message"
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, reason, debug_error_string=None)
    return response


STREAM_WINDOW_BYTES = 1 << 20
"""What a node may send ahead: at a round trip of 1 ms, 1 GB/s."""


@dataclass(frozen=True, slots=True)
class NodeTls:
    """How the nodes are trusted, PEM; the certificate and key show them who calls."""

    authority: bytes
    certificate: bytes | None = None
    key: Secret | None = None


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What every channel is made with."""

    message_bytes: int
    keepalive_seconds: int
    """Servers accept a ping every 5 minutes by default, and end the connection of who pings more often."""
    tls: NodeTls | None = None
    keepalive_timeout_seconds: float = 20.0
    """For the answer to a ping, and for the network to take what was sent. gRPC alone would give a ping a minute."""

    @property
    def arguments(self) -> list[tuple[str, int]]:
        """The options as grpcio takes them."""
        return [
            ("grpc.max_send_message_length", self.message_bytes),
            ("grpc.max_receive_message_length", self.message_bytes),
            ("grpc.keepalive_time_ms", self.keepalive_seconds * 1000),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_seconds * 1000)),
            ("grpc.http2.ping_timeout_ms", int(self.keepalive_timeout_seconds * 1000)),
            ("grpc.http2.max_pings_without_data", 0),  # the setting alone decides: a stream may be silent for days
            ("grpc.max_metadata_size", METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", METADATA_BYTES),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 1000),
            ("grpc.max_reconnect_backoff_ms", 2000),
            # A stream that nobody reads holds this much and no more: the window that grpcio measures for itself grows
            # to many MiB, and memory with it.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", STREAM_WINDOW_BYTES),
            ("grpc.enable_retries", 0),  # retries are ours: they are counted
        ]


class Connections:
    """Opens channels when they are first needed and keeps them until `close`."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._channels: dict[str, grpc.aio.Channel] = {}

    def rpc(self, operation: Operation) -> Any:
        """Return grpcio's callable for the operation; messages go in and come out as bytes."""
        channel = self._channel(operation.address)
        kinds: dict[tuple[bool, bool], Any] = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }
        return kinds[operation.input_stream, operation.output_stream](operation.path)

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = self._open(address)
        return self._channels[address]

    def _open(self, address: str) -> grpc.aio.Channel:
        tls = self._options.tls
        if tls is None:
            return grpc.aio.insecure_channel(address, options=self._options.arguments)
        key = tls.key.reveal().encode() if tls.key is not None else None
        credentials = grpc.ssl_channel_credentials(tls.authority, key, tls.certificate)
        return grpc.aio.secure_channel(address, credentials, options=self._options.arguments)

    async def close(self) -> None:
        """Close every channel; calls that still run are cancelled."""
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            await channel.close(None)
