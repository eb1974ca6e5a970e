"""Whoever may see a solution learns that only its revision is wrong; nobody else learns anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cds_server import CdsServer
from support.marketplace import open_acumos, publish_pipeline

from shared.errors import NotFoundError
from shared.persistence.folder import FolderStore
from shared.persistence.stored import StoredSolutions
from shared.principal import Principal
from shared.solution import Ids

ADA = Principal("ada@example.org", user_id="ada")
EVE = Principal("eve@example.org", user_id="eve")
KNOWN = Ids.parse("s", "r1")
WRONG = Ids.parse("s", "r2")


@pytest.fixture
def stored(tmp_path: Path) -> StoredSolutions:
    solutions = StoredSolutions(FolderStore(tmp_path))
    model = {"model.json": b'{"name": "one", "image": "registry.example.org/one:1"}'}
    solutions.add(KNOWN, model, owner=ADA.id, name="one", public=False, created="2026-01-01T00:00:00Z")
    return solutions


@pytest.mark.parametrize(
    ("principal", "ids", "kind"),
    [
        pytest.param(ADA, WRONG, "UnknownRevisionError", id="her own solution"),
        pytest.param(EVE, WRONG, "NotFoundError", id="a stranger's solution"),
        pytest.param(ADA, Ids.parse("t", "r1"), "NotFoundError", id="no such solution"),
    ],
)
def test_stored_solutions(stored: StoredSolutions, principal: Principal, ids: Ids, kind: str):
    with pytest.raises(NotFoundError) as caught:
        stored.load(ids, principal)

    assert type(caught.value).__name__ == kind


@pytest.mark.parametrize(("principal", "kind"), [(ADA, "UnknownRevisionError"), (EVE, "NotFoundError")])
def test_a_marketplace(principal: Principal, kind: str):
    with CdsServer() as server:
        publish_pipeline(server, KNOWN, "org/a.proto", owner="ada")
        persistence = open_acumos(server)

        with pytest.raises(NotFoundError) as caught:
            persistence.load(WRONG, principal)
        persistence.close()

    assert type(caught.value).__name__ == kind
