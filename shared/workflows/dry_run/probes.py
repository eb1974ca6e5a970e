"""When a container counts as started: somebody takes connections on its port, or says by gRPC's health protocol that it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from shared.processes import ports
from shared.workflows.dry_run import fields
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError

_TIMES = ("periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds", "successThreshold")
_KINDS = ("tcpSocket", "grpc")
_DEFAULT_PERIOD, _DEFAULT_FAILURES = 10, 3
_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
"""HealthCheckResponse with the status SERVING."""
_CALL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """How a container is asked, and how long it is waited for."""

    seconds: float
    is_health: bool = False
    """By gRPC's health protocol."""

    @property
    def answers(self) -> Callable[[int], bool]:
        """What asks at a port of this machine, and blocks until it knows."""
        return serves if self.is_health else ports.answers

    @property
    def missing(self) -> str:
        """What did not happen when it is not ready in time."""
        return "nobody said that it serves" if self.is_health else "nobody listened"


def read(reader: Reader, container: Document, path: str) -> Probe | None:
    """Return the most patient probe that holds a container back until it is ready; None where there is none.

    Raises:
        PackageError: it asks in another way.
    """
    found = [
        _probe(reader, container[key], f"{path}.{key}")
        for key in ("startupProbe", "readinessProbe")
        if key in container
    ]
    return max(found, key=lambda probe: (probe.seconds, probe.is_health), default=None)


def _probe(reader: Reader, document: Any, path: str) -> Probe:
    known = reader.check(document, path, known=(*_KINDS, *_TIMES))
    kinds = [kind for kind in _KINDS if kind in known]
    if len(kinds) != 1:
        raise PackageError(f"{path}: expected one of {', '.join(_KINDS)}, found {', '.join(kinds) or 'none'}")
    reader.check(known[kinds[0]], f"{path}.{kinds[0]}", known=("port",))
    period = fields.number(known, "periodSeconds", path, _DEFAULT_PERIOD)
    failures = fields.number(known, "failureThreshold", path, _DEFAULT_FAILURES)
    seconds = fields.number(known, "initialDelaySeconds", path, 0) + period * failures
    return Probe(seconds, is_health=kinds[0] == "grpc")


def serves(port: int) -> bool:
    """Tell whether a server of gRPC says that it serves."""
    with grpc.insecure_channel(f"{ports.LOOPBACK}:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        check = channel.unary_unary(_HEALTH, request_serializer=bytes, response_deserializer=bytes)
        try:
            answer: bytes = check(b"", timeout=_CALL_SECONDS)
        except grpc.RpcError:
            return False
    return answer == _SERVING
