"""What stands on the namespace of a deployment, and who may run next."""

from __future__ import annotations

import msgspec
import pytest

from playground.runtime.deployment import DeploymentId, Push
from playground.runtime.kept import Goal
from playground.runtime.kubernetes import reconciler, record, words
from playground.runtime.kubernetes.record import Emptying, KeptPack, KeptRevision, Record
from playground.runtime.kubernetes.records import Kept
from shared.findings import Findings, note
from shared.principal import Principal

PUSH = Push(Principal("u@example.org"), "A solution", None, "digest", {})


def made(**more: object) -> Record:
    revision = KeptRevision(1, None, None, "digest", 0.0, ("p",))
    return msgspec.structs.replace(record.new(PUSH), **{"current": 1, "revisions": (revision,), **more})


def kept(name: str, **more: object) -> Kept:
    return Kept(DeploymentId(name), made(**more), "1", is_ending=False)


def test_a_record_is_what_it_was() -> None:
    whole = record.noted(made(packs={"p": KeptPack(5, 1)}, emptying=Emptying({"data": "uid"})), "said\nso")

    assert record.decode(DeploymentId("x"), record.encode(whole)) == whole


def test_two_playgrounds_of_a_cluster_name_the_same_push_differently() -> None:
    pushed = Push(Principal("u@example.org"), "solution", None, "digest", {})
    names = [record.named(pushed, installation) for installation in ("playground", "staging", "staging")]

    assert names[0] == f"solution-{pushed.key}"
    assert names[1] == names[2]
    assert names[1] != names[0]
    assert {len(name) for name in names} == {len(names[0])}


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"key":1}', "null"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="record of x"):
        record.decode(DeploymentId("x"), text)


def test_the_largest_record_fits_an_annotation() -> None:
    revision = KeptRevision(1, "s" * 63, "r" * 63, "d" * 71, 1e9, tuple("p" * 20 for _ in range(8)), ("c" * 63,) * 4)
    largest = made(
        revisions=(revision,) * 32,
        packs={f"{number:020}": KeptPack(9 << 20, 10) for number in range(300)},
        findings=record.kept_findings(
            Findings(tuple(note("c", "p" * 300, expected="e" * 900, found=f"{n}" + "f" * 900) for n in range(99)))
        ),
        restarts={f"{number:052}": "2026-01-01T00:00:00.000000+00:00" for number in range(500)},
    )
    for number in range(99):
        largest = record.noted(largest, f"{number}" + "x" * 5000, node="n" * 52)

    assert len(record.encode(largest)) < 200_000


def test_a_new_wish_waits_for_a_turn_only_if_it_has_none() -> None:
    runs = record.wanted(made(admitted_at=5.0, failure="old"), Goal.RUN, "again")
    sleeps = record.wanted(runs, Goal.SLEEP, "sleeps")
    wakes = record.wanted(sleeps, Goal.RUN, "wakes")

    assert (runs.wish, runs.failure, runs.has_turn, runs.wants_turn) == (2, "", True, False)
    assert (sleeps.wish, sleeps.has_turn, sleeps.wants_turn) == (3, False, False)
    assert (wakes.wish, wakes.wants_turn, wakes.wants_since > runs.wants_since) == (4, True, True)


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ({"applied": 1}, False),
        ({}, False),
        ({"admitted_at": 1.0}, True),
        ({"admitted_at": 1.0, "applied": 1}, False),
        ({"goal": Goal.SLEEP}, True),
        ({"goal": Goal.GO, "applied": 1}, True),
        ({"current": 0}, False),
        ({"current": 0, "created_at": 0.0}, True),
        ({"emptying": Emptying({}), "has_objects": True, "applied": 1}, True),
        ({"emptying": Emptying({}), "applied": 1}, False),
    ],
)
def test_work_is_what_is_not_as_it_is_wanted(more: dict[str, object], *, needs: bool) -> None:
    assert reconciler.needs_work(kept("x", **more)) is needs


def test_the_queue_is_read_off_the_records() -> None:
    known = [
        kept("runs", admitted_at=3.0, served_at=3.0),
        kept("slept", goal=Goal.SLEEP, served_at=7.0),
        kept("waits", wants_since=4.0),
    ]

    assert list(reconciler.waiting_of(known)) == ["waits"]
    assert reconciler.running_of(known) == {"u@example.org": 1}
    assert reconciler.served_of(known) == {"u@example.org": 7000}


def test_an_owner_is_a_hash_in_a_label() -> None:
    assert words.owner_hash("u@example.org") == "73a810b64530ff7d"
