"""A marketplace that plays the recordings, and a persistence on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cds_server import CdsServer
from support.marketplace import ENTITY_PROTO_PATH, MADE_ENTITY_PROTO, open_acumos

from shared.persistence.acumos import AcumosPersistence


@pytest.fixture
def recordings(test_data: Path) -> Path:
    """Folder with the recorded answers."""
    return test_data / "corpus" / "persistence"


@pytest.fixture
def marketplace(recordings: Path) -> Iterator[CdsServer]:
    """Play the recordings, and the one body that they lack."""
    with CdsServer().replay(recordings) as server:
        server.add(ENTITY_PROTO_PATH, MADE_ENTITY_PROTO)
        yield server


@pytest.fixture
def empty_marketplace() -> Iterator[CdsServer]:
    """Offer a marketplace where nothing is published yet."""
    with CdsServer() as server:
        yield server


@pytest.fixture
def acumos(marketplace: CdsServer) -> Iterator[AcumosPersistence]:
    """Open a persistence that checks the access itself, on the recordings."""
    persistence = open_acumos(marketplace)
    yield persistence
    persistence.close()


@pytest.fixture
def empty_acumos(empty_marketplace: CdsServer) -> Iterator[AcumosPersistence]:
    """Open a persistence that checks the access itself, where nothing is published yet."""
    persistence = open_acumos(empty_marketplace)
    yield persistence
    persistence.close()
