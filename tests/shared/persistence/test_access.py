"""Who may load a solution of a marketplace; unknown and invisible must read the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from support.cds_server import CdsServer
from support.marketplace import ENTITY_RECOGNIZER, STRANGER, SUDOKU, SUDOKU_OWNER, open_acumos, publish_pipeline

from shared.errors import NotFoundError, UpstreamError
from shared.persistence.acumos import AcumosPersistence
from shared.principal import ANONYMOUS, LOCAL_OPERATOR, Principal
from shared.solution import Ids

IDS = Ids.parse("sol-1", "rev-1")
OWNER_PATH = f"/ccds/user/{SUDOKU_OWNER.user_id}"
CATALOGS_PATH = f"/ccds/catalog/solution/{SUDOKU.solution_id}"


@pytest.fixture
def trusting(marketplace: CdsServer) -> Iterator[AcumosPersistence]:
    """Open a persistence that trusts the portal."""
    with closing(open_acumos(marketplace, access="portal")) as persistence:
        yield persistence


def refusal(persistence: AcumosPersistence, ids: Ids, principal: Principal) -> str:
    with pytest.raises(NotFoundError) as caught:
        persistence.load(ids, principal)
    return str(caught.value)


def test_the_owner_may_by_user_id(acumos: AcumosPersistence) -> None:
    assert acumos.load(SUDOKU, SUDOKU_OWNER).name == "Sudoku Tutorial"


@pytest.mark.parametrize("email", ["ann@example.org", "Ann@Example.ORG"])
def test_the_owner_may_by_e_mail_in_any_case(acumos: AcumosPersistence, marketplace: CdsServer, email: str) -> None:
    marketplace.add(OWNER_PATH, {"email": "ann@example.org", "loginName": "ann"})

    assert acumos.load(SUDOKU, Principal(email)).name == "Sudoku Tutorial"


def test_an_operator_may(acumos: AcumosPersistence) -> None:
    assert acumos.load(SUDOKU, LOCAL_OPERATOR).name == "Sudoku Tutorial"


@pytest.mark.parametrize("code", ["PB", "pb"])
@pytest.mark.parametrize("principal", [STRANGER, ANONYMOUS])
def test_everybody_may_when_a_public_catalog_shows_it(
    acumos: AcumosPersistence, marketplace: CdsServer, principal: Principal, code: str
) -> None:
    marketplace.add(CATALOGS_PATH, [{"catalogId": "c-1", "accessTypeCode": "RS"}, {"accessTypeCode": code}])

    assert acumos.load(SUDOKU, principal).name == "Sudoku Tutorial"


@pytest.mark.parametrize(
    "catalogs", [[], [{"catalogId": "c-1"}], [{"catalogId": "c-1", "accessTypeCode": "RS"}], [{"accessTypeCode": None}]]
)
def test_a_stranger_may_not_when_no_public_catalog_shows_it(
    acumos: AcumosPersistence, marketplace: CdsServer, catalogs: list[object]
) -> None:
    marketplace.add(CATALOGS_PATH, catalogs)

    assert refusal(acumos, SUDOKU, STRANGER).endswith(": not found")


@pytest.mark.parametrize(
    "user", [None, {}, {"email": None}, {"email": ""}, {"email": "ann@example.org"}, {"loginName": "bob@example.org"}]
)
def test_another_e_mail_is_a_stranger(acumos: AcumosPersistence, marketplace: CdsServer, user: object) -> None:
    marketplace.add(OWNER_PATH, user)

    assert refusal(acumos, SUDOKU, Principal("bob@example.org")).endswith(": not found")


@pytest.mark.parametrize(
    "lookalike", ["\N{KELVIN SIGN}im@example.org", "kim@example.org\n", " kim@example.org", "kim@example.org\0"]
)
def test_a_lookalike_of_the_owner_is_a_stranger(
    acumos: AcumosPersistence, marketplace: CdsServer, lookalike: str
) -> None:
    marketplace.add(OWNER_PATH, {"email": "kim@example.org"})

    assert refusal(acumos, SUDOKU, Principal(lookalike)).endswith(": not found")


def test_a_solution_without_an_owner_belongs_to_nobody(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS, owner="")

    assert refusal(empty_acumos, IDS, Principal("bob@example.org", user_id="")).endswith(": not found")


def test_unknown_and_invisible_read_the_same(acumos: AcumosPersistence) -> None:
    unknown = Ids.parse("11111111-94cb-4969-93c3-a95be53c05d2", SUDOKU.revision_id)

    invisible = refusal(acumos, SUDOKU, STRANGER)

    assert refusal(acumos, unknown, STRANGER).replace(unknown.solution_id, SUDOKU.solution_id) == invisible


@pytest.mark.parametrize(
    "path",
    [
        "/ccds/revision/rev-1/artifact",
        "/ccds/solution/sol-1/revision/rev-1",
        "/nexus/org/acumos/sol-1/rev-1/BLUEPRINT/1/BLUEPRINT-1.json",
    ],
)
@pytest.mark.parametrize("status", [404, 500])
def test_what_is_wrong_with_an_invisible_solution_is_not_told(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, path: str, status: int
) -> None:
    publish_pipeline(empty_marketplace, IDS, owner="somebody")
    empty_marketplace.add(path, b"", status=status)

    assert refusal(empty_acumos, IDS, STRANGER) == "solution sol-1, revision rev-1: not found"


def test_a_failure_to_learn_who_may_is_no_permission(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    marketplace.add(CATALOGS_PATH, b"", status=500)

    with pytest.raises(UpstreamError, match="server_error"):
        acumos.load(SUDOKU, STRANGER)


def test_a_trusted_portal_has_decided(trusting: AcumosPersistence) -> None:
    assert trusting.load(SUDOKU, STRANGER).name == "Sudoku Tutorial"


def test_a_visitor_without_a_token_came_through_no_portal(trusting: AcumosPersistence) -> None:
    assert refusal(trusting, SUDOKU, ANONYMOUS).endswith(": not found")


@pytest.mark.parametrize("relation", [None, {}, {"solutionId": None}])
def test_a_revision_of_another_solution_is_refused_by_its_paths(
    acumos: AcumosPersistence, marketplace: CdsServer, relation: object
) -> None:
    mixed = Ids.parse(SUDOKU.solution_id, ENTITY_RECOGNIZER.revision_id)
    marketplace.add(f"/ccds/solution/{mixed.solution_id}/revision/{mixed.revision_id}", relation)

    assert refusal(acumos, mixed, SUDOKU_OWNER).endswith(": not found")


def test_a_revision_of_another_solution_is_refused_by_what_the_service_says(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS)
    empty_marketplace.add("/ccds/solution/sol-1/revision/rev-1", {"solutionId": "sol-2"})

    assert refusal(empty_acumos, IDS, LOCAL_OPERATOR).endswith(": not found")


def test_a_service_that_cannot_relate_the_two_is_no_permission(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS)
    empty_marketplace.add("/ccds/solution/sol-1/revision/rev-1", b"", status=500)

    with pytest.raises(UpstreamError, match="server_error"):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


@pytest.mark.parametrize("status", [200, 404])
def test_a_service_without_that_route_loads_all_the_same(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, status: int
) -> None:
    publish_pipeline(empty_marketplace, IDS)
    empty_marketplace.add("/ccds/solution/sol-1/revision/rev-1", None, status=status)

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).name == "a chain"
