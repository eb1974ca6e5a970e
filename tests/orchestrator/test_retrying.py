"""What is tried again, how often, and when it is given up."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from orchestrator import retrying
from orchestrator.policies import OperationPolicy
from orchestrator.retrying import GaveUpError, Tries

Code = grpc.StatusCode


def failure(code: grpc.StatusCode, details: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


def test_an_unreachable_node_is_tried_for_as_long_as_patience_lasts():
    tries = Tries(OperationPolicy(retries=0, patience_seconds=600))

    delays = [tries.delay(failure(Code.UNAVAILABLE)) for _ in range(30)]

    assert 0 < delays[0] <= 0.1
    assert 2.5 <= delays[-1] <= 5


def test_patience_ends():
    tries = Tries(OperationPolicy(patience_seconds=0))

    with pytest.raises(GaveUpError, match="unreachable for 0 s: UNAVAILABLE: gone"):
        tries.delay(failure(Code.UNAVAILABLE, "gone"))


@pytest.mark.parametrize("code", [Code.ABORTED, Code.CANCELLED, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED])
def test_a_transient_failure_is_tried_as_often_as_the_policy_says(code):
    tries = Tries(OperationPolicy(retries=2))
    tries.delay(failure(code))
    tries.delay(failure(code))

    with pytest.raises(GaveUpError, match=code.name):
        tries.delay(failure(code))


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.UNKNOWN, "Exception calling application"),
        (Code.INVALID_ARGUMENT, ""),
        (Code.UNIMPLEMENTED, "Method not found!"),
        (Code.NOT_FOUND, ""),
        (Code.INTERNAL, ""),
        (Code.RESOURCE_EXHAUSTED, "Received message larger than max (2 vs. 1)"),
    ],
)
def test_a_final_failure_is_not_tried_again(code, details):
    with pytest.raises(GaveUpError):
        Tries(OperationPolicy()).delay(failure(code, details))


@pytest.mark.parametrize(
    ("code", "details"), [(Code.INTERNAL, "Received RST_STREAM with error code 2"), (Code.UNKNOWN, "Stream removed")]
)
def test_a_connection_that_was_reset_counts_as_unreachable(code, details):
    tries = Tries(OperationPolicy(retries=0))

    assert tries.delay(failure(code, details)) > 0


def test_a_description_is_one_short_line():
    text = retrying.describe(failure(Code.UNKNOWN, "bad input\nTraceback (most recent call last)\n  secret"))

    assert text == "UNKNOWN: bad input"


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (Code.INTERNAL, "Stream removed (RST_STREAM (Received RST_STREAM with error code 2))"),
        (Code.UNKNOWN, "Stream removed (Data frame with END_STREAM flag received)"),
        (Code.UNKNOWN, "No status received"),
    ],
)
def test_what_the_transport_says_of_a_broken_stream_counts_as_unreachable(code, details):
    tries = Tries(OperationPolicy(retries=0, patience_seconds=600))

    assert tries.delay(failure(code, details)) > 0


def test_what_a_node_says_moves_no_cursor():
    shown = retrying.describe(failure(Code.INTERNAL, "\x1b[2Jall is well\x07, é\nTraceback: …"))

    assert shown == "INTERNAL: ?[2Jall is well?, é"
