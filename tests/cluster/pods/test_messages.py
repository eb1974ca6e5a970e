"""The messages of every sample's pipeline reach its sink through the orchestrator's pod, and are the right ones."""

from __future__ import annotations

from support.running import Running

ACCOUNTS = ("state", "entered", "delivered", "dead_lettered", "dropped", "undelivered")


def accounts(running: Running) -> tuple[object, ...]:
    """Return what the orchestrator counted when its first run had ended."""
    ended = running.eventually("orchestrator", "run_finished")[0]
    return tuple(ended[name] for name in ACCOUNTS)


def test_the_calculators_results_reach_the_printer_in_pairs(calculator: Running) -> None:
    shown = calculator.eventually("printer", "results_shown", 10)

    assert [(each["numbers"], each["values"]["sum"], each["values"]["product"]) for each in shown[:10]] == [
        ([1], 91, 1314),
        ([2], 107, 882),
        ([3], 49, 528),
        ([4], 162, 6272),
        ([5], 119, 3538),
        ([6], 133, 4116),
        ([7], 40, 351),
        ([8], 67, 252),
        ([9], 106, 2800),
        ([10], 176, 7644),
    ]


def test_the_orchestrator_accounts_for_every_message_of_the_calculator(calculator: Running) -> None:
    counted = accounts(calculator)

    # For each of ten pairs: into the Splitter, to both nodes, from both to the Collator, and to the printer.
    assert counted == ("completed", 60, 60, 0, 0, 0)


def test_readings_reach_the_dashboard_in_their_order(sensor_stream: Running) -> None:
    shown = sensor_stream.eventually("dashboard", "reading_shown", 20)

    assert [each["number"] for each in shown[:20]] == [*range(1, 21)]


def test_the_readings_are_one_stream_while_it_lasts(sensor_stream: Running) -> None:
    sensor_stream.eventually("dashboard", "reading_shown", 20)

    opened = sensor_stream.events("sensor", "stream_opened")
    ended = sensor_stream.events("sensor", "stream_closed") + sensor_stream.events("detector", "stream_ended")

    assert len(opened) == 1
    assert ended == []


def test_the_code_is_broken_by_messages_that_go_round(code_breaker: Running) -> None:
    (broken,) = code_breaker.eventually("player", "code_broken")
    proposed = once(code_breaker, "player", "guess_proposed")

    assert (broken["code"], broken["guesses"]) == ("2718", len(proposed))
    assert len(proposed) > 3
    assert proposed[-1] == "2718"


def test_both_judges_get_every_guess_and_the_player_learns_from_both(code_breaker: Running) -> None:
    code_breaker.eventually("player", "code_broken")
    proposed = once(code_breaker, "player", "guess_proposed")

    judged = [once(code_breaker, judge, "guess_judged") for judge in ("place-judge", "digit-judge")]
    learned = {(each["code"], each["aspect"]) for each in code_breaker.events("player", "verdict_learned")}

    assert judged == [proposed, proposed]
    assert learned == {(code, aspect) for code in proposed for aspect in ("ASPECT_PLACES", "ASPECT_DIGITS")}


def once(running: Running, node: str, name: str) -> list[str]:
    """Return the codes of these events; the player repeats a guess when a judge takes too long to start."""
    return list(dict.fromkeys(each["code"] for each in running.events(node, name)))


def test_words_are_counted_in_every_text(word_count: Running) -> None:
    reported = word_count.eventually("reporter", "report_written", 4)

    assert [(each["name"], each["words"], each["total"]) for each in reported[:4]] == [
        ("texts/001.txt", 54, 54),
        ("texts/002.txt", 61, 115),
        ("texts/003.txt", 38, 153),
        ("texts/004.txt", 39, 192),
    ]


def test_the_run_ends_when_the_last_word_is_counted(word_count: Running) -> None:
    counted = accounts(word_count)

    assert counted == ("completed", 8, 8, 0, 0, 0)


def test_a_job_completes_once(word_count: Running) -> None:
    status = word_count.kubectl("get", "job", "seed", "-o", "jsonpath={.status.succeeded} {.status.failed}")
    events = word_count.log("seed", kind="job")

    assert status == "1 "
    assert [(each["event"], each["characters"]) for each in events] == [("seed_written", 973)]
