"""The files of all revisions, each content once."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.runtime.kubernetes import history
from playground.runtime.kubernetes.history import Pack
from playground.runtime.kubernetes.record import KeptPack, KeptRevision

FILES = st.dictionaries(st.text(min_size=1, max_size=4), st.binary(max_size=6), max_size=6)


def revision(number: int, *packs: str) -> KeptRevision:
    return KeptRevision(number, None, None, f"d{number}", 0.0, packs)


@settings(max_examples=40, deadline=None)
@given(st.lists(FILES, min_size=1, max_size=5))
def test_what_is_packed_comes_out_whatever_came_before(revisions: list[dict[str, bytes]]) -> None:
    stored: dict[str, bytes] = {}
    former: tuple[str, ...] = ()
    kept = []
    for files in revisions:
        pack, used = history.packed(files, former, stored.__getitem__)
        stored[pack.id] = pack.data
        former = (pack.id, *used)
        kept.append(former)

    assert [history.unpacked(packs, stored.__getitem__) for packs in kept] == revisions


def test_a_content_that_was_stored_is_not_stored_again() -> None:
    large = os.urandom(50_000)
    first, _ = history.packed({"a": large, "b": b"1"}, (), {}.__getitem__)

    second, used = history.packed({"renamed": large, "b": b"2"}, (first.id,), {first.id: first.data}.__getitem__)

    assert used == [first.id]
    assert len(second.data) < 1000


def test_the_same_files_are_the_same_pack() -> None:
    one, _ = history.packed({"a": b"1", "b": b"2"}, (), {}.__getitem__)
    other, _ = history.packed({"b": b"2", "a": b"1"}, (), {}.__getitem__)

    assert one == other


def test_a_revision_of_many_packs_is_stored_whole_again() -> None:
    pack, used = history.packed({"a": b"1"}, tuple("12345678"), {}.__getitem__)

    assert used == []
    assert history.unpacked((pack.id,), {pack.id: pack.data}.__getitem__) == {"a": b"1"}


def test_a_large_pack_is_cut_into_pieces_that_fit_an_object() -> None:
    pieces = Pack("x", b"x" * 2_000_000).pieces

    assert [len(piece) for piece in pieces] == [921_600, 921_600, 156_800]


@pytest.mark.parametrize("data", [b"", b"nonsense", history.packed({"a": b"1"}, (), {}.__getitem__)[0].data[:-3]])
def test_a_damaged_pack_is_no_files(data: bytes) -> None:
    with pytest.raises(ValueError, match="pack"):
        history.unpacked(("x",), {"x": data}.__getitem__)


def test_a_missing_content_is_no_files() -> None:
    first, _ = history.packed({"a": b"1"}, (), {}.__getitem__)
    second, _ = history.packed({"a": b"1", "b": b"2"}, (first.id,), {first.id: first.data}.__getitem__)

    with pytest.raises(ValueError, match="none of its packs"):
        history.unpacked((second.id,), {second.id: second.data}.__getitem__)


def test_at_most_32_revisions_are_kept() -> None:
    revisions = [revision(number, "p") for number in range(1, 41)]

    kept, packs = history.kept(revisions, {"p": KeptPack(10, 1), "old": KeptPack(10, 1)}, current=40)

    assert [one.number for one in kept] == list(range(9, 41))
    assert packs == {"p": KeptPack(10, 1)}


def test_at_most_8_mib_are_kept_and_the_current_revision_always() -> None:
    revisions = [revision(number, f"p{number}") for number in range(1, 6)]
    packs = {f"p{number}": KeptPack(3 << 20, 4) for number in range(1, 6)}

    kept, left = history.kept(revisions, packs, current=1)

    assert [one.number for one in kept] == [1, 5]
    assert sorted(left) == ["p1", "p5"]


def test_what_lies_outside_of_the_cluster_does_not_count() -> None:
    revisions = [revision(number, f"p{number}") for number in range(1, 4)]

    kept, _ = history.kept(revisions, {f"p{number}": KeptPack(50 << 20, 0) for number in range(1, 4)}, current=3)

    assert [one.number for one in kept] == [1, 2, 3]
