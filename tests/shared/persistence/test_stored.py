"""Solutions in a store: who sees them, what may be added, what an interruption leaves.

What depends on how a store behaves is shown for each kind of store, the rest in a folder.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.errors import (
    ConflictError,
    InvalidRequestError,
    InvalidSolutionError,
    NotFoundError,
    SlipwayError,
    TooLargeError,
    UpstreamError,
)
from shared.persistence.folder import FolderStore
from shared.persistence.store import Store
from shared.persistence.stored import StoredSolutions
from shared.principal import ANONYMOUS, LOCAL_OPERATOR, Principal
from shared.solution import Ids

IDS = Ids.parse("sol-1", "rev-1")
OTHER = Ids.parse("sol-1", "rev-2")
ANN = Principal("ann@example.org")
BOB = Principal("bob@example.org")
PIPELINE = {
    "blueprint.json": b'{"name": "chain", "nodes": []}',
    "microservice/detector.proto": b'syntax = "proto3";',
    "solution_icon.png": b"\x89PNG",
}


@pytest.fixture
def solutions(store: Store) -> StoredSolutions:
    return StoredSolutions(store)


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path)


@pytest.fixture
def in_folder(folder_store: Store) -> StoredSolutions:
    return StoredSolutions(folder_store)


def add(solutions: StoredSolutions, files: dict[str, bytes] = PIPELINE, ids: Ids = IDS, **changes: Any) -> bool:
    about = {"owner": ANN.id, "name": "a chain", "public": False, "created": "2026-01-02T03:04:05Z", **changes}
    return solutions.add(ids, files, **about)


def lay(store: Store, files: dict[str, bytes] = PIPELINE, folder: str = "sol-1/rev-1/") -> None:
    """Do what an operator does who copies files into the store."""
    store.put_all({folder + path: data for path, data in files.items()})


def is_hidden(solutions: StoredSolutions, principal: Principal, ids: Ids = IDS) -> bool:
    with pytest.raises(NotFoundError) as caught:
        solutions.load(ids, principal)
    return str(caught.value) == f"solution {ids.solution_id}, revision {ids.revision_id}: not found"


def test_what_was_added_is_loaded(solutions: StoredSolutions) -> None:
    assert add(solutions)

    files = solutions.load(IDS, ANN)

    assert (files.name, files.blueprint, dict(files.protos), files.attachments.icon, files.ids) == (
        "a chain",
        PIPELINE["blueprint.json"],
        {"detector": b'syntax = "proto3";'},
        b"\x89PNG",
        IDS,
    )


def test_the_files_come_back_as_they_were_added(solutions: StoredSolutions) -> None:
    odd = {**PIPELINE, "record.json": b"mine", "größe/a b.txt": b"", "content-x/y": b"y"}
    add(solutions, odd)

    assert solutions.files(IDS) == odd


def test_the_record_tells_everything(in_folder: StoredSolutions) -> None:
    add(in_folder, {"blueprint.json": b"{}"}, public=True)

    record = in_folder.record(IDS)

    assert record is not None
    assert json.loads(record.to_json()) == {
        "formatVersion": 1,
        "solutionId": "sol-1",
        "revisionId": "rev-1",
        "name": "a chain",
        "owner": "ann@example.org",
        "public": True,
        "created": "2026-01-02T03:04:05Z",
        "files": {
            "blueprint.json": {
                "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "size": 2,
            }
        },
    }


@pytest.mark.parametrize("principal", [ANN, LOCAL_OPERATOR])
def test_owner_and_operators_may_load(in_folder: StoredSolutions, principal: Principal) -> None:
    add(in_folder)

    assert in_folder.load(IDS, principal).blueprint is not None


@pytest.mark.parametrize("principal", [BOB, ANONYMOUS, Principal("Ann@example.org"), Principal("", user_id=ANN.id)])
def test_others_may_not_load(in_folder: StoredSolutions, principal: Principal) -> None:
    add(in_folder)

    assert is_hidden(in_folder, principal)


@pytest.mark.parametrize("principal", [BOB, ANONYMOUS])
def test_everybody_may_load_what_is_public(in_folder: StoredSolutions, principal: Principal) -> None:
    add(in_folder, public=True)

    assert in_folder.load(IDS, principal).blueprint is not None


def test_what_does_not_exist_reads_like_what_is_hidden(solutions: StoredSolutions) -> None:
    add(solutions)

    assert is_hidden(solutions, BOB)
    assert is_hidden(solutions, BOB, OTHER)
    assert is_hidden(solutions, LOCAL_OPERATOR, OTHER)
    assert solutions.record(OTHER) is None


def test_the_same_again_changes_nothing(solutions: StoredSolutions) -> None:
    add(solutions)

    assert add(solutions, created="2027-01-01T00:00:00Z") is False
    assert solutions.solutions()[0].created == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    "change",
    [
        {"files": {**PIPELINE, "blueprint.json": b"{}"}},
        {"files": {**PIPELINE, "more.txt": b""}},
        {"files": {"blueprint.json": PIPELINE["blueprint.json"]}},
        {"owner": BOB.id},
        {"public": True},
        {"name": "another"},
    ],
)
def test_a_revision_never_changes(in_folder: StoredSolutions, change: dict[str, Any]) -> None:
    add(in_folder)

    with pytest.raises(ConflictError, match="expected new ids or the same content"):
        add(in_folder, **change)

    assert (in_folder.files(IDS), in_folder.load(IDS, ANN).name) == (PIPELINE, "a chain")


def test_of_different_uploads_at_once_one_wins_whole(solutions: StoredSolutions) -> None:
    def upload(number: int) -> bool:
        files = {"blueprint.json": b'{"n": %d}' % number, f"microservice/{number}.proto": b"%d" % number}
        try:
            return add(solutions, files, owner=f"user-{number}@example.org")
        except ConflictError:
            return False

    with ThreadPoolExecutor(6) as threads:
        created = list(threads.map(upload, range(6)))

    winner = created.index(True)
    assert created.count(True) == 1
    assert solutions.files(IDS) == {
        "blueprint.json": b'{"n": %d}' % winner,
        f"microservice/{winner}.proto": b"%d" % winner,
    }


def test_of_the_same_uploads_at_once_one_created_it(solutions: StoredSolutions) -> None:
    with ThreadPoolExecutor(6) as threads:
        created = list(threads.map(lambda _: add(solutions), range(6)))

    assert sorted(created) == [False] * 5 + [True]


class Interrupted(Exception):  # noqa: N818 - an event, not an error of the product
    """Stands for the process being killed."""


class Dying:
    """A store whose process dies at the k-th write."""

    def __init__(self, store: Store, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_new(self, key: str, data: bytes) -> bool:
        if self._left == 0:
            raise Interrupted
        self._left -= 1
        return self._store.put_new(key, data)

    def put_all(self, files: dict[str, bytes]) -> None:
        for key, data in files.items():
            self.put_new(key, data)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_an_upload_that_dies_is_invisible_and_in_nobodys_way(store: Store, writes: int) -> None:
    with pytest.raises(Interrupted):
        add(StoredSolutions(Dying(store, writes)))
    solutions = StoredSolutions(store)

    assert (is_hidden(solutions, LOCAL_OPERATOR), solutions.solutions()) == (True, ())

    other = {"blueprint.json": b'{"name": "other"}'}
    assert add(solutions, other, owner=BOB.id)
    assert solutions.files(IDS) == other


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_an_upload_that_died_can_be_repeated(store: Store, writes: int) -> None:
    with pytest.raises(Interrupted):
        add(StoredSolutions(Dying(store, writes)))
    solutions = StoredSolutions(store)

    assert (add(solutions), solutions.files(IDS)) == (True, PIPELINE)


@pytest.mark.parametrize("principal", [ANN, BOB, LOCAL_OPERATOR])
def test_files_laid_by_hand_are_for_everybody_with_a_token(folder_store: Store, principal: Principal) -> None:
    lay(folder_store)

    files = StoredSolutions(folder_store).load(IDS, principal)

    assert (files.blueprint, list(files.protos)) == (PIPELINE["blueprint.json"], ["detector"])


def test_files_laid_by_hand_are_not_for_visitors_without_a_token(store: Store) -> None:
    lay(store)

    assert is_hidden(StoredSolutions(store), ANONYMOUS)


def test_a_folder_laid_by_hand_that_holds_a_linked_folder_is_not_half_loaded(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    lay(store)
    (tmp_path / "sol-1" / "rev-1" / "more").symlink_to("microservice")

    with pytest.raises(UpstreamError, match="unreadable: not everything that is listed is a file"):
        StoredSolutions(store).load(IDS, ANN)


def test_files_laid_by_hand_are_not_replaced_by_an_upload(store: Store) -> None:
    lay(store)

    with pytest.raises(ConflictError):
        add(StoredSolutions(store))


def test_files_laid_by_hand_that_are_no_solution_are_told_apart(folder_store: Store) -> None:
    lay(folder_store, {"notes.txt": b"hello"})

    with pytest.raises(InvalidSolutionError) as caught:
        StoredSolutions(folder_store).load(IDS, ANN)

    (finding,) = caught.value.findings
    assert (finding.code, '"notes.txt"' in finding.found) == ("solution-unreadable", True)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a\\b", "", ".", "a\nb"])
def test_a_path_that_leads_elsewhere_is_not_stored(in_folder: StoredSolutions, folder_store: Store, path: str) -> None:
    with pytest.raises(InvalidRequestError):
        add(in_folder, {**PIPELINE, path: b"x"})

    assert folder_store.keys("") == {}


def test_too_many_files_are_not_stored(in_folder: StoredSolutions) -> None:
    with pytest.raises(TooLargeError, match="expected at most 6064 files, found 6065"):
        add(in_folder, {str(number): b"" for number in range(6065)})


def test_too_many_bytes_are_not_stored(in_folder: StoredSolutions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.persistence.stored.MOST_BYTES", 9)

    with pytest.raises(TooLargeError, match="expected at most 9 bytes, found 10"):
        add(in_folder, {"a": b"12345", "b": b"12345"})


def test_too_many_bytes_laid_by_hand_are_not_loaded(folder_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.persistence.stored.MOST_BYTES", 9)
    lay(folder_store, {"blueprint.json": b"1234567890"})

    with pytest.raises(TooLargeError):
        StoredSolutions(folder_store).load(IDS, ANN)


def test_all_revisions_are_listed_in_order(store: Store) -> None:
    solutions = StoredSolutions(store)
    add(solutions, ids=OTHER, name="second")
    add(solutions, ids=IDS, name="first", public=True)
    lay(store, folder="a-laid/rev/")
    store.put_all({"not/enough": b"", "alone": b"", ".hidden/rev/blueprint.json": b"{}", "x y/rev/a": b"1"})

    listed = [(record.ids.solution_id, record.name, record.owner, record.public) for record in solutions.solutions()]

    assert listed == [
        ("a-laid", "a-laid", None, False),
        ("sol-1", "first", "ann@example.org", True),
        ("sol-1", "second", "ann@example.org", False),
    ]


DAMAGED = [
    b"",
    b"no json",
    b"[]",
    b'{"formatVersion": 1}',
    b'{"a":' * 50_000,
    b'{"formatVersion": 2, "solutionId": "sol-1", "revisionId": "rev-1", "name": "", "owner": "a", "public": true, "created": "", "files": {}}',
    b'{"formatVersion": 1, "solutionId": "../x", "revisionId": "rev-1", "name": "", "owner": "a", "public": true, "created": "", "files": {}}',
    b'{"formatVersion": 1, "solutionId": "sol-1", "revisionId": "rev-1", "name": "", "owner": "a", "public": true, "created": "", "files": {"../x": {"sha256": "", "size": 1}}}',
    b'{"formatVersion": 1, "solutionId": "sol-1", "revisionId": "rev-1", "name": "", "owner": null, "public": true, "created": "", "files": {}}',
]


@pytest.mark.parametrize("record", DAMAGED)
def test_a_damaged_record_is_told_and_hides_no_others(folder_store: Store, record: bytes) -> None:
    folder_store.put_new("sol-1/rev-1/record.json", record)
    solutions = StoredSolutions(folder_store)
    add(solutions, ids=OTHER)

    with pytest.raises(UpstreamError, match="damaged: the record "):
        solutions.load(IDS, ANN)
    assert [found.ids for found in solutions.solutions()] == [OTHER]


def test_a_record_of_other_ids_is_none_of_these(folder_store: Store) -> None:
    solutions = StoredSolutions(folder_store)
    add(solutions, ids=OTHER)
    record = folder_store.get("sol-1/rev-2/record.json", most_bytes=10_000) or b""
    folder_store.put_new("sol-1/rev-1/record.json", record)

    assert (is_hidden(solutions, ANN), [found.ids for found in solutions.solutions()]) == (True, [OTHER])
    with pytest.raises(ConflictError, match="another case"):
        add(solutions)


def test_content_that_was_changed_is_noticed(store: Store) -> None:
    solutions = StoredSolutions(store)
    add(solutions, ids=OTHER)
    content = next(key for key in store.keys("sol-1/rev-2/") if key.endswith("/blueprint.json"))
    store.put_new(content.replace("rev-2", "rev-1"), b'{"name": "CHAIN", "nodes": []}')
    add(solutions)

    with pytest.raises(UpstreamError, match="damaged: 1 files are not what their record says"):
        solutions.load(IDS, ANN)


def test_files_of_an_unknown_revision_are_not_found(in_folder: StoredSolutions) -> None:
    with pytest.raises(NotFoundError):
        in_folder.files(IDS)


def test_a_store_that_works_is_ready(solutions: StoredSolutions) -> None:
    add(solutions)

    solutions.check()

    assert solutions.record(IDS) is not None


def test_closing_closes_the_store() -> None:
    closed = []

    class Closing:
        def close(self) -> None:
            closed.append("store")

    StoredSolutions(Closing()).close()

    assert closed == ["store"]


def test_an_error_of_the_store_reaches_the_caller(folder_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UpstreamError("store", "down")

    monkeypatch.setattr(folder_store, "get", fail)

    with pytest.raises(SlipwayError, match="store: down"):
        StoredSolutions(folder_store).load(IDS, ANN)
