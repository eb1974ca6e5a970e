"""The orchestrator's settings, from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.settings import Secret, boolean, integer, one_of, setting, words

MIB = 1 << 20
GIB = 1 << 30


def _secret(text: str) -> Secret:
    if len(text) < 32:  # noqa: PLR2004 characters: what nobody guesses
        raise ValueError("expected at least 32 characters")
    return Secret(text)


@dataclass(frozen=True)
class Settings:
    """What an operator decides about an orchestrator."""

    host: str = setting("SLIPWAY_HOST", "Address to listen on.", default="[::]")
    port: int = setting("SLIPWAY_PORT", "Port of the gRPC services.", parse=integer(least=0, most=65535), default=8061)
    metrics_port: int = setting(
        "SLIPWAY_METRICS_PORT",
        "Port of `/metrics`; 0: none.",
        parse=integer(least=0, most=65535),
        default=9090,
    )
    token: Secret | None = setting(
        "SLIPWAY_ORCHESTRATOR_TOKEN",
        "Token of the native API; without one it answers on loopback only.",
        parse=_secret,
        default=None,
    )
    reflection: bool = setting("SLIPWAY_REFLECTION", "gRPC reflection.", parse=boolean, default=False)
    pipeline_directory: Path | None = setting(
        "SLIPWAY_PIPELINE_DIRECTORY",
        "Folder with blueprint.json, dockerinfo.json and the protos, read at start.",
        parse=Path,
        default=None,
    )
    autostart: bool = setting(
        "SLIPWAY_AUTOSTART", "Run the pipeline of the folder at start.", parse=boolean, default=True
    )
    namespace: str = setting(
        "SLIPWAY_NAMESPACE",
        "Namespace whose Services may be called; outside a cluster only this machine may.",
        default="",
        shown="the pod's own",
    )
    node_hosts: tuple[str, ...] = setting(
        "SLIPWAY_NODE_HOSTS", "Further hosts that may be called; `*`: any.", parse=words, default=()
    )
    message_bytes: int = setting(
        "SLIPWAY_MESSAGE_BYTES",
        "Largest message.",
        parse=integer(least=MIB, most=GIB),
        default=64 * MIB,
    )
    queue_messages: int = setting(
        "SLIPWAY_QUEUE_MESSAGES",
        "Messages that an edge holds when the client does not say.",
        parse=integer(least=1, most=1_000_000),
        default=100,
    )
    queue_bytes: int = setting(
        "SLIPWAY_QUEUE_BYTES",
        "Bytes that an edge holds; one larger message passes alone.",
        parse=integer(least=1, most=16 * GIB),
        default=64 * MIB,
    )
    memory_bytes: int = setting(
        "SLIPWAY_MEMORY_BYTES",
        "Bytes that all edges hold together in memory.",
        parse=integer(least=1, most=1024 * GIB),
        default=64 * MIB,
    )
    disk_bytes: int = setting(
        "SLIPWAY_DISK_BYTES",
        "Bytes on disk for cycles and parked messages.",
        parse=integer(least=0, most=1024 * GIB),
        default=768 * MIB,
    )
    folder: Path = setting(
        "SLIPWAY_DATA_DIRECTORY",
        "Folder for messages on disk.",
        parse=Path,
        default=Path("/tmp/slipway-orchestrator"),  # noqa: S108 a container's own; spill files have no names
    )
    deadline_seconds: int = setting(
        "SLIPWAY_DEADLINE_SECONDS",
        "Deadline of a unary call that is no source and whose policy says nothing; 0: none.",
        parse=integer(least=0, most=31 * 24 * 3600),
        default=3600,
    )
    keepalive_seconds: int = setting(
        "SLIPWAY_KEEPALIVE_SECONDS",
        "Between two pings to a silent node; servers accept 300 by default.",
        parse=integer(least=10, most=7200),
        default=310,
    )
    grace_seconds: int = setting(
        "SLIPWAY_GRACE_SECONDS",
        "For delivering what is in flight after SIGTERM.",
        parse=integer(least=0, most=3600),
        default=25,
    )
    tls_authority: Path | None = setting(
        "SLIPWAY_NODE_TLS_CA",
        "PEM of the authority that the nodes' certificates come from; turns TLS on.",
        parse=Path,
        default=None,
    )
    tls_certificate: Path | None = setting(
        "SLIPWAY_NODE_TLS_CERTIFICATE", "PEM of the certificate that nodes are shown.", parse=Path, default=None
    )
    tls_key: Path | None = setting("SLIPWAY_NODE_TLS_KEY", "PEM of its key.", parse=Path, default=None)
    tracing: bool = setting(
        "SLIPWAY_TRACING",
        "Send a span of every call to the collector that the `OTEL_EXPORTER_OTLP_*` variables name.",
        parse=boolean,
        default=False,
    )
    trace_queue_spans: int = setting(
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "Spans that wait for the collector; further ones are dropped and counted.",
        parse=integer(least=1, most=1_000_000),
        default=2048,
    )
    log_level: str = setting(
        "SLIPWAY_LOG_LEVEL",
        "Least severe events to log.",
        parse=one_of("debug", "info", "warning", "error"),
        default="info",
    )
