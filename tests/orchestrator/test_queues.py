"""Queues are bounded by messages, by bytes and by a shared budget, and account for everything."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.budget import Budget
from orchestrator.inbox import Inbox
from orchestrator.queues import Bounds, EdgeQueue
from orchestrator.spill import DiskFullError, Spill


def queue(messages=3, size=100, overflow="wait", *, budget=None, spill=None, inbox=None) -> EdgeQueue:
    inbox = inbox or Inbox()
    edge = EdgeQueue("a -> b", inbox, Bounds(messages, size, overflow), budget or Budget(1000), spill)
    inbox.edges.append(edge)
    return edge


def taken(inbox: Inbox) -> list[bytes]:
    found = []
    while (item := inbox.take()) is not None:
        found.append(item[1])
        item[0].finish()
    return found


def test_a_full_queue_refuses_what_would_not_fit():
    edge = queue(messages=2)

    assert [edge.offer(b"x", None) for _ in range(3)] == [True, True, False]
    assert (len(edge), edge.entered) == (2, 2)


def test_an_empty_queue_takes_any_message():
    edge = queue(size=10, budget=Budget(10))

    assert edge.offer(b"x" * 1000, None) is True
    assert edge.offer(b"y", None) is False


def test_the_budget_is_shared_and_given_back():
    budget = Budget(10)
    first, second = queue(budget=budget), queue(budget=budget)
    first.offer(b"x" * 6, None)
    second.offer(b"x" * 6, None)

    assert second.offer(b"x", None) is False
    taken(first.inbox)
    assert second.offer(b"x", None) is True
    assert budget.used == 7


def test_who_waits_for_the_budget_goes_on_when_another_queue_gives_back():
    budget = Budget(10)
    first, second = queue(budget=budget), queue(budget=budget)

    async def scenario():
        first.offer(b"x" * 8, None)
        second.offer(b"x", None)
        waiting = asyncio.create_task(second.put(b"y" * 5, None))
        await asyncio.sleep(0)
        before = waiting.done()
        taken(first.inbox)
        await asyncio.wait_for(waiting, 1)
        return before

    assert asyncio.run(scenario()) is False
    assert taken(second.inbox) == [b"x", b"y" * 5]


def test_edges_are_merged_in_order_of_arrival():
    inbox = Inbox()
    one, two = queue(inbox=inbox), queue(inbox=inbox)
    for edge, message in ((one, b"1"), (two, b"2"), (one, b"3"), (one, b"4"), (two, b"5")):
        edge.offer(message, None)

    assert taken(inbox) == [b"1", b"2", b"3", b"4", b"5"]


def test_drop_oldest_keeps_the_newest_and_counts():
    edge = queue(messages=2, overflow="drop-oldest")
    for message in (b"1", b"2", b"3", b"4"):
        edge.offer(message, None)

    assert taken(edge.inbox) == [b"3", b"4"]
    assert (edge.entered, edge.account.dropped, edge.account.delivered, edge.account.undelivered) == (4, 2, 2, 0)


def test_drop_newest_keeps_the_oldest_and_counts():
    edge = queue(messages=2, overflow="drop-newest")

    assert all(edge.offer(message, None) for message in (b"1", b"2", b"3", b"4"))
    assert taken(edge.inbox) == [b"1", b"2"]
    assert (edge.entered, edge.account.dropped, edge.account.undelivered) == (4, 2, 0)


def test_a_spilling_queue_takes_everything_and_keeps_the_order(tmp_path):
    disk = Budget(1 << 20)
    edge = queue(messages=2, spill=Spill(tmp_path, disk))
    messages = [b"%d" % number for number in range(50)]

    assert all(edge.offer(message, None) for message in messages)
    assert (len(edge), edge.spilled) == (50, 48)
    assert taken(edge.inbox) == messages
    assert (disk.used, list(tmp_path.iterdir())) == (0, [])
    edge.close()


def test_a_full_disk_is_told(tmp_path):
    edge = queue(messages=1, spill=Spill(tmp_path, Budget(3)))
    edge.offer(b"xx", None)
    edge.offer(b"xx", None)

    with pytest.raises(DiskFullError, match="the disk budget of 3 bytes is used up"):
        edge.offer(b"xx", None)
    edge.close()


def test_what_is_put_back_comes_first_again():
    edge = queue()
    edge.offer(b"1", None)
    edge.offer(b"2", None)
    assert edge.inbox.take() == (edge, b"1", None)

    edge.written()
    edge.put_back(b"1", None)

    assert taken(edge.inbox) == [b"1", b"2"]
    assert edge.account.redelivered == 1


def test_a_pause_hands_nothing_out():
    edge = queue()
    edge.offer(b"1", None)
    edge.inbox.is_paused = True

    assert edge.inbox.take() is None
    assert edge.inbox.is_empty is False


def test_a_closed_queue_gives_its_bytes_back(tmp_path):
    budget, disk = Budget(100), Budget(100)
    edge = queue(messages=1, budget=budget, spill=Spill(tmp_path, disk))
    edge.offer(b"xx", None)
    edge.offer(b"yy", None)

    edge.close()

    assert (budget.used, disk.used, edge.account.undelivered) == (0, 0, 2)
