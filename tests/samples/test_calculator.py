"""Splitter and collator at work: the four nodes around them, moved by hand as the orchestrator will."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def adder(start_node) -> Iterator:
    with start_node("calculator/adder") as node:
        yield node


@pytest.fixture(scope="module")
def multiplier(start_node) -> Iterator:
    with start_node("calculator/multiplier") as node:
        yield node


def test_the_adder_computes_the_sum(adder) -> None:
    result = adder.call("add", adder.message("Pair", number=3, left=20, right=22))

    assert (result.number, result.operation, result.value) == (3, "sum", 42.0)


def test_the_multiplier_computes_the_product(multiplier) -> None:
    result = multiplier.call("multiply", multiplier.message("Pair", number=3, left=6, right=7))

    assert (result.number, result.operation, result.value) == (3, "product", 42.0)


def test_infinite_values_do_not_break_the_log(adder) -> None:
    adder.call("add", adder.message("Pair", number=99, left=float("inf"), right=1))

    assert adder.wait_for("pair_computed", number=99)["value"] == "inf"


def test_the_source_says_out_of_range_once_and_then_draws_the_same_again(start_node) -> None:
    with start_node("calculator/numbers", COUNT=2) as numbers:
        empty = numbers.message("Empty")

        drawn = [numbers.call("draw", empty) for _ in range(2)]
        with pytest.raises(grpc.RpcError) as end:
            numbers.call("draw", empty)
        again = [numbers.call("draw", empty) for _ in range(2)]

    assert [pair.number for pair in drawn] == [1, 2]
    assert end.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert [str(pair) for pair in again] == [str(pair) for pair in drawn]


def test_a_count_of_zero_has_no_end(start_node) -> None:
    with start_node("calculator/numbers", COUNT=0) as numbers:
        drawn = [numbers.call("draw", numbers.message("Empty")).number for _ in range(30)]

    assert drawn == list(range(1, 31))


@pytest.fixture(scope="module")
def printer(start_node) -> Iterator:
    with start_node("calculator/printer") as node:
        yield node


def test_collated_results_are_logged_together(printer, adder, multiplier) -> None:
    results = [
        adder.call("add", adder.message("Pair", number=1, left=2, right=3)),
        multiplier.call("multiply", multiplier.message("Pair", number=1, left=2, right=3)),
    ]
    collated = printer.message("Results")
    for result in results:
        collated.results.add().ParseFromString(result.SerializeToString())
    printer.call("show", collated)

    assert printer.wait_for("results_shown", numbers=[1])["values"] == {"sum": 5.0, "product": 6.0}


def test_text_from_outside_cannot_forge_a_line_of_the_log(printer) -> None:
    hostile = 'x\n{"event": "forged"}\r\x1b[2J'
    printer.call("show", printer.message("Results", results=[{"number": 2, "operation": hostile, "value": 1.0}]))

    assert printer.wait_for("results_shown", numbers=[2])["values"] == {hostile: 1.0}
    assert printer.logged("forged") == []
