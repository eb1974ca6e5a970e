"""Claims: first come, first served, for every copy of the catalog."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.catalog.claims import Claims, derived_id
from shared.errors import ConflictError, ForbiddenError, UpstreamError
from shared.persistence.folder import FolderStore
from shared.principal import Principal
from shared.solution import Ids, RevisionId, SolutionId

ADA, EVE = Principal("ada@example.org"), Principal("eve@example.org")
OPERATOR = Principal("root@example.org", is_operator=True)


@pytest.fixture
def claims(store: FolderStore) -> Claims:
    return Claims(store)


def take(
    claims: Claims,
    solution: str,
    revision: str,
    principal: Principal = ADA,
    *,
    kind: str = "pipeline",
    public: bool = False,
) -> str:
    return claims.take(Ids.parse(solution, revision), principal, kind=kind, public=public)  # type: ignore[arg-type]


def test_a_solution_belongs_to_its_first_uploader(claims: Claims) -> None:
    assert take(claims, "s", "r1") == "ada@example.org"
    assert take(claims, "s", "r2") == "ada@example.org"

    with pytest.raises(ForbiddenError, match="solution s belongs to somebody else"):
        take(claims, "s", "r3", EVE)


def test_an_operator_adds_in_the_owner_s_name(claims: Claims) -> None:
    take(claims, "s", "r1")

    assert take(claims, "s", "r2", OPERATOR) == "ada@example.org"


def test_two_solutions_may_each_have_a_revision_of_one_id(claims: Claims) -> None:
    take(claims, "s", "r1")
    take(claims, "t", "r1", EVE)

    assert claims.solutions_of(RevisionId("r1")) == ["s", "t"]


def test_a_solution_stays_what_it_is(claims: Claims) -> None:
    take(claims, "s", "r1")

    with pytest.raises(ConflictError, match="expected a pipeline like its other revisions, found a model"):
        take(claims, "s", "r2", kind="model")


def test_all_revisions_of_a_solution_are_seen_by_the_same_people(claims: Claims) -> None:
    # CDS knows public solutions, not revisions: a private one among them would be open to everybody.
    take(claims, "s", "r1", public=True)

    with pytest.raises(ConflictError, match="expected a public revision like its others, found a private one"):
        take(claims, "s", "r2", public=False)


def test_the_revisions_of_a_solution_are_known(claims: Claims) -> None:
    take(claims, "s", "r2")
    take(claims, "s", "r1")
    take(claims, "st", "r3")

    assert claims.revisions(SolutionId("s")) == ["r1", "r2"]


def test_a_user_id_leads_back_to_its_owner(claims: Claims) -> None:
    take(claims, "s", "r1")

    assert claims.owner(derived_id("ada@example.org")) == "ada@example.org"


@pytest.mark.parametrize("unknown", ["", "../_solutions/s", "no-uuid", derived_id("eve@example.org")])
def test_an_unknown_user_id_leads_nowhere(claims: Claims, unknown: str) -> None:
    take(claims, "s", "r1")

    assert claims.owner(unknown) is None


def test_of_twenty_people_at_once_one_gets_the_solution(claims: Claims) -> None:
    def attempt(number: int) -> str:
        try:
            return take(claims, "s", f"r{number}", Principal(f"p{number}@example.org"))
        except ForbiddenError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        winners = {name for name in pool.map(attempt, range(20)) if name}

    claim = claims.solution(SolutionId("s"))
    assert claim is not None
    assert winners == {claim.owner}


class Forgetful(FolderStore):
    """A store that has what it is asked to take, and cannot give it."""

    def put_new(self, key: str, data: bytes) -> bool:
        super().put_new(key, data)
        return False

    def get(self, key: str, *, most_bytes: int) -> bytes | None:
        del key, most_bytes
        return None


def test_a_claim_that_vanishes_is_nobody_s(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="a claim vanished"):
        take(Claims(Forgetful(tmp_path)), "s", "r1")


def test_ids_that_differ_only_by_case_are_kept_apart_where_the_store_does_not(
    claims: Claims, store: FolderStore
) -> None:
    take(claims, "Sol", "r1")
    claim = store.get("_solutions/Sol", most_bytes=1000)
    assert claim is not None
    store.put_new("_solutions/sol", claim)  # what a file system without case would find

    with pytest.raises(ConflictError, match="differs from others by more than case"):
        take(claims, "sol", "r2")


def test_a_damaged_claim_gives_nothing_away_for_free(claims: Claims, store: FolderStore) -> None:
    store.put_new("_solutions/s", b"{}")

    with pytest.raises(UpstreamError, match="damaged"):
        take(claims, "s", "r1", EVE)
