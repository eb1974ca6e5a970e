"""The circle: a player, two judges, and the verdicts that lead to the next guess."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

pytestmark = pytest.mark.conformance

SECRET = "4714"


@pytest.fixture(scope="module")
def place_judge(start_node) -> Iterator:
    with start_node("code-breaker/place-judge", SECRET=SECRET) as node:
        yield node


@pytest.fixture(scope="module")
def digit_judge(start_node) -> Iterator:
    with start_node("code-breaker/digit-judge", SECRET=SECRET) as node:
        yield node


def propose(player):
    return player.call("propose", player.message("google.protobuf.Empty"))


def verdicts(judges, guess) -> list[bytes]:
    return [judge.call("judge", judge.message("Guess", **fields(guess))).SerializeToString() for judge in judges]


def fields(guess) -> dict[str, object]:
    return {"number": guess.number, "code": guess.code}


def learn(player, verdict: bytes) -> None:
    message = player.message("Verdict")
    message.ParseFromString(verdict)
    player.call("learn", message)


def play(player, judges) -> tuple[list[str], grpc.RpcError]:
    """Move messages along the edges until the source ends; return the guesses and the end."""
    guesses: list[str] = []
    while True:
        try:
            guess = propose(player)
        except grpc.RpcError as end:
            return guesses, end
        guesses.append(guess.code)
        for verdict in verdicts(judges, guess):
            learn(player, verdict)


@pytest.mark.parametrize(("code", "matches"), [("4714", 4), ("4444", 2), ("7144", 1), ("0000", 0)])
def test_the_place_judge_counts_digits_in_their_place(place_judge, code, matches) -> None:
    verdict = place_judge.call("judge", place_judge.message("Guess", number=1, code=code))

    assert (verdict.code, verdict.aspect, verdict.matches) == (code, 1, matches)


@pytest.mark.parametrize(("code", "matches"), [("4714", 4), ("4444", 2), ("7144", 4), ("0000", 0), ("1700", 2)])
def test_the_digit_judge_counts_digits_anywhere(digit_judge, code, matches) -> None:
    verdict = digit_judge.call("judge", digit_judge.message("Guess", number=1, code=code))

    assert (verdict.code, verdict.aspect, verdict.matches) == (code, 2, matches)


@pytest.mark.parametrize("code", ["", "123", "12345", "12a4", "١٢٣٤", "1234\n"])
def test_a_judge_refuses_what_is_no_code(place_judge, digit_judge, code) -> None:
    for judge in (place_judge, digit_judge):
        with pytest.raises(grpc.RpcError) as refusal:
            judge.call("judge", judge.message("Guess", number=1, code=code))

        assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_player_breaks_codes_says_not_found_once_and_plays_again(start_node, place_judge, digit_judge) -> None:
    with start_node("code-breaker/player", GAMES=2) as player:
        guesses, end = play(player, (place_judge, digit_judge))
        again = propose(player)

    first_game = guesses[: guesses.index(SECRET) + 1]
    assert len(first_game) == len(set(first_game)) <= 12
    assert guesses.count(SECRET) == 2
    assert guesses[-1] == SECRET
    assert end.code() is grpc.StatusCode.NOT_FOUND
    assert end.details().startswith(f"{SECRET} is the code, found with ")
    assert again.number == 1


def test_the_next_guess_waits_for_both_verdicts(start_node, place_judge, digit_judge) -> None:
    with start_node("code-breaker/player") as player, ThreadPoolExecutor(1) as pool:
        first = propose(player)
        by_place, by_digit = verdicts((place_judge, digit_judge), first)
        second = pool.submit(propose, player)
        player.wait_for("verdicts_awaited")
        learn(player, by_place)
        was_done = second.done()
        learn(player, by_digit)

        assert not was_done
        assert second.result().number == 2


@pytest.fixture(scope="module")
def impatient(start_node) -> Iterator:
    with start_node("code-breaker/player", PATIENCE_SECONDS=0.05) as node:
        yield node


def test_a_lost_verdict_makes_the_player_ask_again(impatient, place_judge) -> None:
    first = propose(impatient)
    learn(impatient, verdicts((place_judge,), first)[0])
    again = propose(impatient)

    assert (again.number, again.code) == (first.number, first.code)


def test_late_and_repeated_verdicts_change_nothing(impatient, place_judge, digit_judge) -> None:
    first = propose(impatient)
    told = verdicts((place_judge, digit_judge), first)
    for verdict in (*told, *told):
        learn(impatient, verdict)
    second = propose(impatient)
    for verdict in told:
        learn(impatient, verdict)
    third = propose(impatient)

    assert second.number == first.number + 1
    assert (third.number, third.code) == (second.number, second.code)


@pytest.mark.parametrize("aspect", [0, 99])
def test_an_unknown_aspect_is_refused(impatient, aspect) -> None:
    guess = propose(impatient)
    with pytest.raises(grpc.RpcError) as refusal:
        impatient.call("learn", impatient.message("Verdict", code=guess.code, aspect=aspect, matches=1))

    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_judges_that_contradict_each_other_are_reported(impatient) -> None:
    guess = propose(impatient)
    for aspect, matches in ((1, 3), (2, 0)):
        impatient.call("learn", impatient.message("Verdict", code=guess.code, aspect=aspect, matches=matches))
    with pytest.raises(grpc.RpcError) as problem:
        propose(impatient)

    assert problem.value.code() is grpc.StatusCode.FAILED_PRECONDITION
