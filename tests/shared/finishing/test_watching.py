"""Events of `kubectl get --watch`, and when to ask about workloads while we wait."""

from __future__ import annotations

import json

from shared.finishing.waiting import Questions
from shared.finishing.watching import watch_events

POD = {"metadata": {"name": "a-1", "annotations": {"text": "}\n{"}}}


def test_events_are_read_one_by_one_however_kubectl_prints_them():
    compact = json.dumps({"type": "ADDED", "object": POD}) + "\n"
    spread = json.dumps({"type": "DELETED", "object": POD}, indent=4) + "\n"

    assert list(watch_events((compact + spread).splitlines(keepends=True))) == [("ADDED", POD), ("DELETED", POD)]


def test_an_event_that_was_cut_off_is_no_event():
    cut = json.dumps({"type": "ADDED", "object": POD}, indent=4).splitlines(keepends=True)[:-1]

    assert list(watch_events(cut)) == []


def asked(*looks: tuple[float, bool], workloads: int = 10) -> list[float]:
    """Return the seconds at which the workloads are asked about, from looks (second, is it promising)."""
    questions, found = Questions(0.0, workloads=workloads), []
    for now, promising in looks:
        if questions.is_due(now, promising=promising):
            questions.asked(now)
            found.append(now)
    return found


def test_while_nothing_promises_news_the_questions_get_rare():
    assert asked(*((float(second), False) for second in range(1, 300))) == [120.0]


def test_pods_that_look_ready_are_asked_about_soon_and_then_less_often():
    assert asked(*((float(second), True) for second in range(1, 30))) == [2.0, 4.0, 8.0, 16.0]


def test_many_workloads_are_given_time_to_settle():
    assert asked(*((float(second), True) for second in range(1, 15)), workloads=100) == [7.0]


def test_a_promise_that_was_broken_begins_anew():
    looks = [(1.0, True), (2.0, True), (3.0, False), (4.0, True), (5.0, True)]

    assert asked(*looks) == [2.0, 5.0]
