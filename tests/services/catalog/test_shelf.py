"""The shelf: who may put what there, who may see it, and how much of it stays in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.catalog import model, pipeline

from services.catalog import shelf as module
from services.catalog.shelf import Shelf, Summary
from shared.errors import ConflictError, ForbiddenError, InvalidRequestError, InvalidSolutionError, NotFoundError
from shared.persistence.folder import FolderStore
from shared.principal import ANONYMOUS, Principal
from shared.solution import Ids, RevisionId, SolutionId

ADA, EVE = Principal("ada@example.org"), Principal("eve@example.org")
OPERATOR = Principal("root@example.org", is_operator=True)
IDS = Ids.parse("s", "r1")


def add(shelf: Shelf, ids: Ids = IDS, principal: Principal = ADA, *, public: bool = False, **files: bytes) -> bool:
    content = files or pipeline("first", "second")
    return shelf.add(ids, content, principal, public=public, created=f"2026-01-01T00:00:{len(ids.revision_id):02}Z")


def lay(store: FolderStore, ids: Ids, files: dict[str, bytes]) -> None:
    store.put_all({f"{ids.solution_id}/{ids.revision_id}/{path}": data for path, data in files.items()})


def test_the_same_again_changes_nothing(shelf: Shelf) -> None:
    assert add(shelf) is True
    assert add(shelf) is False


def test_other_content_under_the_same_ids_is_a_conflict(shelf: Shelf) -> None:
    add(shelf)

    with pytest.raises(ConflictError):
        add(shelf, **pipeline("third"))


def test_a_stranger_cannot_add_to_a_solution(shelf: Shelf) -> None:
    add(shelf)

    with pytest.raises(ForbiddenError):
        add(shelf, Ids.parse("s", "r2"), EVE)


def test_an_operator_adds_in_the_owner_s_name(shelf: Shelf) -> None:
    add(shelf)
    add(shelf, Ids.parse("s", "r2"), OPERATOR)

    assert shelf.record(Ids.parse("s", "r2"), ADA).owner == "ada@example.org"


def test_what_an_operator_has_laid_by_hand_is_not_taken_over(shelf: Shelf, store: FolderStore) -> None:
    lay(store, IDS, pipeline("first"))

    with pytest.raises(ForbiddenError, match="belongs to the operator"):
        add(shelf, Ids.parse("s", "r2"), EVE)


def test_no_ids_are_taken_by_what_is_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidSolutionError):
        add(shelf, readme=b"hello")
    with pytest.raises(InvalidRequestError):
        add(shelf, **{**pipeline("first"), "a\\b": b""})

    assert shelf.claims.solution(SolutionId("s")) is None


@pytest.mark.parametrize("principal", [EVE, ANONYMOUS])
def test_a_private_revision_is_unknown_to_others(shelf: Shelf, principal: Principal) -> None:
    add(shelf)

    with pytest.raises(NotFoundError):
        shelf.record(IDS, principal)
    assert shelf.records(principal) == []


def test_a_public_revision_is_seen_by_everybody(shelf: Shelf) -> None:
    add(shelf, public=True)

    assert [record.ids for record in shelf.records(ANONYMOUS)] == [IDS]


def test_the_newest_stands_first(shelf: Shelf) -> None:
    add(shelf)
    add(shelf, Ids.parse("s", "r10"))

    assert [r.ids.revision_id for r in shelf.records(ADA)] == ["r10", "r1"]
    assert [r.ids.revision_id for r in shelf.of_solution(SolutionId("s"))] == ["r10", "r1"]


def test_a_revision_is_found_by_its_id_alone(shelf: Shelf, store: FolderStore) -> None:
    add(shelf)
    lay(store, Ids.parse("laid", "by-hand"), pipeline("first"))
    lay(store, Ids.parse("laid", "twice"), pipeline("first"))
    lay(store, Ids.parse("laid-too", "twice"), pipeline("first"))

    found = [shelf.of_revision(RevisionId(name)) for name in ("r1", "by-hand", "unknown")]

    assert [record.ids.solution_id if record else None for record in found] == ["s", "laid", None]
    with pytest.raises(ConflictError, match="say which in Slipway-Solution-Id"):
        shelf.of_revision(RevisionId("twice"))


def test_revisions_laid_by_hand_are_listed_and_may_change(shelf: Shelf, store: FolderStore, tmp_path: Path) -> None:
    lay(store, IDS, pipeline("first"))
    record = shelf.record(IDS, ADA)
    assert [r.ids for r in shelf.of_solution(SolutionId("s"))] == [IDS]
    assert len(shelf.revision(record).solution.nodes) == 1

    (tmp_path / "store" / "s" / "r1" / "blueprint.json").write_bytes(pipeline("first", "second")["blueprint.json"])

    assert len(shelf.revision(record).solution.nodes) == 2


def test_a_summary_says_what_a_list_needs(shelf: Shelf) -> None:
    add(shelf, **model())

    assert shelf.summary(shelf.record(IDS, ADA)) == Summary("3", nodes=1, edges=0, errors=0, warnings=0, notes=0)


def test_a_revision_that_cannot_be_read_has_no_summary(shelf: Shelf, store: FolderStore) -> None:
    lay(store, IDS, {"blueprint.json": b"{"})

    assert shelf.summary(shelf.record(IDS, ADA)) is None


def test_what_was_read_is_kept_within_bounds(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shelf)
    add(shelf, Ids.parse("s", "r2"))
    first, second = shelf.record(IDS, ADA), shelf.record(Ids.parse("s", "r2"), ADA)
    kept = shelf.revision(first)
    assert shelf.revision(first) is kept

    monkeypatch.setattr(module, "MOST_KEPT_BYTES", kept.weight)
    shelf.revision(second)

    assert shelf.revision(first) is not kept


def test_the_shelf_works_on_s3_as_well(s3_shelf: Shelf) -> None:
    add(s3_shelf, public=True)

    assert add(s3_shelf, public=True) is False
    assert [record.ids for record in s3_shelf.of_solution(SolutionId("s"))] == [IDS]
    assert s3_shelf.claims.solutions_of(RevisionId("r1")) == ["s"]
