"""Decides after a failed call whether, and when, to try again."""

from __future__ import annotations

import random
import time

import grpc
import grpc.aio

from orchestrator.policies import OperationPolicy

FIRST_DELAY_SECONDS = 0.05
LONGEST_DELAY_SECONDS = 5.0
_TRANSIENT = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,  # by the node: it is shutting down
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
_RESET_FORMS = ("RST_STREAM", "Stream removed", "No status received")
END_OF_DATA = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OUT_OF_RANGE}


class GaveUpError(Exception):
    """No further try is worth it; the message says what the node answered last."""


def describe(failure: grpc.aio.AioRpcError) -> str:
    """Show a failure on one line, without the node's traceback."""
    details = (failure.details() or "").strip().splitlines()
    # It is shown on terminals: what a node says must not move their cursors.
    text = "".join(sign if sign.isprintable() else "?" for sign in details[0][:300]) if details else ""
    return f"{failure.code().name}: {text}" if text else failure.code().name


class Tries:
    """The tries of one message, or of one stream until it makes progress."""

    def __init__(self, policy: OperationPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._rounds = 0
        self._unreachable_since: float | None = None

    def delay(self, failure: grpc.aio.AioRpcError) -> float:
        """Return the seconds to wait before the next try.

        Raises:
            GaveUpError: the failure is final, or there have been enough tries.
        """
        if _is_connection(failure):
            self._check_patience(failure)
        else:
            self._failures += 1
            if not _is_transient(failure) or self._failures > self._policy.retries:
                raise GaveUpError(describe(failure))
        self._rounds += 1
        longest: float = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(self._rounds, 16))
        return longest * random.uniform(0.5, 1)  # noqa: S311 spreads the load, hides nothing

    def _check_patience(self, failure: grpc.aio.AioRpcError) -> None:
        now = time.monotonic()
        if self._unreachable_since is None:
            self._unreachable_since = now
        if now - self._unreachable_since >= self._policy.patience_seconds:
            raise GaveUpError(f"unreachable for {self._policy.patience_seconds:g} s: {describe(failure)}")


def _is_connection(failure: grpc.aio.AioRpcError) -> bool:
    return failure.code() is grpc.StatusCode.UNAVAILABLE or _was_reset(failure)


def _was_reset(failure: grpc.aio.AioRpcError) -> bool:
    # A node that dies in the midst of a call is told by the transport, or the proxy before it, in one of these forms.
    details = failure.details() or ""
    is_internal = failure.code() in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
    return is_internal and any(form in details for form in _RESET_FORMS)


def _is_transient(failure: grpc.aio.AioRpcError) -> bool:
    if failure.code() is grpc.StatusCode.INTERNAL:
        # What grpcio says of a stream whose write failed, whatever the node's true status was.
        return (failure.details() or "").startswith("Internal error from Core")
    # A message beyond the receiver's limit is answered with RESOURCE_EXHAUSTED too, and stays too large.
    return failure.code() in _TRANSIENT and "larger than max" not in (failure.details() or "")
