"""Speaks the native API of a deployment's orchestrator: runs, figures, and samples of messages.

The orchestrator's image comes with a stranger's bundle: every call has a deadline and a size, and what it says about a
failure is told in our words, its own only escaped and short.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc

from playground.runtime.deployment import Address
from shared.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    SlipwayError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from shared.findings import quoted
from shared.orchestration.generated import control_pb2 as messages
from shared.orchestration.generated.control_pb2_grpc import ControlStub
from shared.settings import Secret

CALL_SECONDS = 5.0
STOP_SECONDS = 30.0
GRACE_SECONDS = 20.0
"""What a stop gets to deliver what is in flight."""
MOST_CHANNELS = 128
MAX_MESSAGE_BYTES = 4 << 20
SERVICE = "orchestrator"

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    # An orchestrator that has just come up is noticed at once.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)
_Where = tuple[Address, Secret | None]


class OrchestratorControl:
    """Calls any number of orchestrators; safe to use from many threads, which share its connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: OrderedDict[Address, grpc.Channel] = OrderedDict()

    def start(self, where: _Where, label: str) -> messages.Run:
        """Start a run.

        Raises:
            ConflictError: a run of that label is active, or no pipeline is initialised.
            UnavailableError, UpstreamError: as for every call here.
        """
        run: messages.Run = self._call(where, "Start", messages.StartRequest(label=label))
        return run

    def stop(self, where: _Where, label: str, *, drain: bool) -> messages.Run:
        """Stop a run, at once or after delivering what is in flight; NotFoundError where there is none."""
        request = messages.StopRequest(label=label, drain=drain, grace_seconds=GRACE_SECONDS)
        run: messages.Run = self._call(where, "Stop", request, seconds=STOP_SECONDS)
        return run

    def runs(self, where: _Where) -> tuple[messages.Run, ...]:
        """Return all runs, those that ended too."""
        found: messages.RunList = self._call(where, "ListRuns", messages.ListRunsRequest())
        return tuple(found.runs)

    def statistics(self, where: _Where, label: str) -> messages.Statistics:
        """Return the figures of a run; NotFoundError where there is none."""
        found: messages.Statistics = self._call(where, "GetStatistics", messages.RunName(label=label))
        return found

    def sample(
        self, where: _Where, request: messages.SampleRequest, *, seconds: float
    ) -> Iterator[messages.SampledMessage]:
        """Yield the next messages of an edge, until there are enough or the time is over."""
        with self._translating():
            call = self._stub(where[0]).Sample(request, timeout=seconds, metadata=_metadata(where[1]))
            try:
                yield from call
            except grpc.RpcError as problem:
                if problem.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise
            finally:
                call.cancel()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()

    def _call(self, where: _Where, method: str, request: Any, *, seconds: float = CALL_SECONDS) -> Any:
        with self._translating():
            call = getattr(self._stub(where[0]), method)
            return call(request, timeout=seconds, metadata=_metadata(where[1]))

    def _stub(self, address: Address) -> Any:
        with self._lock:
            channel = self._channels.get(address)
            if channel is None:
                host = f"[{address.host}]" if ":" in address.host else address.host
                channel = grpc.insecure_channel(f"{host}:{address.port}", options=_OPTIONS)
                self._channels[address] = channel
            self._channels.move_to_end(address)
            while len(self._channels) > MOST_CHANNELS:
                # More than there are threads: the one unused for longest is in nobody's hands.
                self._channels.popitem(last=False)[1].close()
        return ControlStub(channel)  # type: ignore[no-untyped-call]

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as problem:
            raise _translated(problem) from problem


def _metadata(token: Secret | None) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token.reveal()}"),) if token else ()


def _translated(problem: grpc.RpcError) -> Exception:
    code, said = problem.code(), quoted(problem.details() or "", limit=300)
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError("the orchestrator does not answer: it is starting, restarting, or has stopped")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UpstreamTimeoutError(SERVICE, "it did not answer in time")
    if code in _SAID:
        return _SAID[code](f"the orchestrator says: {said}")
    return UpstreamError(SERVICE, _WORDS.get(code, f"the call failed with {code.name}"))


_SAID: Mapping[grpc.StatusCode, type[SlipwayError]] = {
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: ConflictError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
}
_WORDS: Mapping[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAUTHENTICATED: "it does not accept the token of this deployment",
    grpc.StatusCode.PERMISSION_DENIED: "it does not accept the token of this deployment",
    grpc.StatusCode.UNIMPLEMENTED: "it has not Slipway's native API: it is another orchestrator",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "its answer is too large, or it takes no more calls",
}
