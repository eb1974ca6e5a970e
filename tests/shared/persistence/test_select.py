"""Which persistence the environment names, and what it must not name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from support.cds_server import PASSWORD, USER, CdsServer
from support.marketplace import SUDOKU, SUDOKU_OWNER

from shared import settings
from shared.errors import SettingsError
from shared.persistence.acumos import AcumosPersistence
from shared.persistence.select import (
    AcumosPlace,
    FolderPlace,
    PersistenceSettings,
    Place,
    S3Place,
    open_persistence,
    open_stored,
)
from shared.persistence.stored import StoredSolutions
from shared.principal import LOCAL_OPERATOR
from shared.solution import Ids

ROOT = Path(__file__).parents[3]
NEXUS = "http://nexus:8081/repository/models"


def load(environ: Mapping[str, str]) -> PersistenceSettings:
    return settings.load(PersistenceSettings, environ)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("acumos:http://cds-service:8000/ccds", AcumosPlace("http://cds-service:8000/ccds/")),
        ("acumos:https://cds.example.org/ccds/", AcumosPlace("https://cds.example.org:443/ccds/")),
        ("s3://solutions", S3Place("solutions", "")),
        ("s3://solutions/", S3Place("solutions", "")),
        ("s3://my.solutions-1/a/b/", S3Place("my.solutions-1", "a/b")),
        ("folder:/var/lib/slipway", FolderPlace(Path("/var/lib/slipway"))),
        ("folder:stored here", FolderPlace(Path("stored here"))),
    ],
)
def test_a_place_is_read(text: str, place: Place) -> None:
    assert load({"SLIPWAY_PERSISTENCE": text, "SLIPWAY_NEXUS_URL": NEXUS}).place == place


@pytest.mark.parametrize(
    "text",
    [
        "http://cds:8000/ccds",
        "acumos:",
        "acumos:cds:8000",
        "acumos:http://ccds:SECRET@cds:8000/ccds",
        "acumos:http://cds/ccds?SECRET",
        "s3:solutions",
        "s3://",
        "s3:///prefix",
        "s3://Solutions/x",
        "s3://solutions/../x",
        "s3://solutions//x",
        "folder:",
        "ftp://SECRET",
        "folder",
    ],
)
def test_a_place_of_another_form_stops_the_start_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match="SLIPWAY_PERSISTENCE: expected ") as caught:
        load({"SLIPWAY_PERSISTENCE": text, "SLIPWAY_NEXUS_URL": NEXUS})

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, "SLIPWAY_PERSISTENCE"),
        ({"SLIPWAY_PERSISTENCE": "acumos:http://cds/ccds"}, "SLIPWAY_NEXUS_URL"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_CDS_USER": "ccds"}, "SLIPWAY_CDS_USER"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_NEXUS_PASSWORD": "SECRET"}, "SLIPWAY_NEXUS_USER"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_NEXUS_URL": "nexus"}, "SLIPWAY_NEXUS_URL"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_PERSISTENCE_ACCESS": "open"}, "SLIPWAY_PERSISTENCE_ACCESS"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_S3_ENDPOINT": "minio:9000"}, "SLIPWAY_S3_ENDPOINT"),
        ({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_CA_FILE": "/no/such/file"}, "SLIPWAY_CA_FILE"),
    ],
)
def test_what_does_not_go_together_stops_the_start(environ: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        load(environ)

    assert "SECRET" not in str(caught.value)


def test_a_file_of_authorities_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")

    found = load({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_CA_FILE": str(tmp_path / "ca.pem")})

    assert found.ca_file == tmp_path / "ca.pem"


def test_passwords_are_masked() -> None:
    found = load({"SLIPWAY_PERSISTENCE": "folder:x", "SLIPWAY_CDS_USER": "ccds", "SLIPWAY_CDS_PASSWORD": "CANARY"})

    assert ("CANARY" in repr(found), found.cds_password is not None) == (False, True)


def test_a_marketplace_is_opened_with_its_credentials(marketplace: CdsServer) -> None:
    environ = {
        "SLIPWAY_PERSISTENCE": f"acumos:{marketplace.cds_url}",
        "SLIPWAY_CDS_USER": USER,
        "SLIPWAY_CDS_PASSWORD": PASSWORD,
        "SLIPWAY_NEXUS_URL": marketplace.nexus_url,
        "SLIPWAY_NEXUS_USER": USER,
        "SLIPWAY_NEXUS_PASSWORD": PASSWORD,
    }
    persistence = open_persistence(load(environ))
    assert isinstance(persistence, AcumosPersistence)

    with closing(persistence):
        assert len(persistence.load(SUDOKU, SUDOKU_OWNER).protos) == 3


def test_a_folder_is_opened(tmp_path: Path) -> None:
    persistence = open_persistence(load({"SLIPWAY_PERSISTENCE": f"folder:{tmp_path}"}))
    ids = Ids.parse("sol-1", "rev-1")
    folder = tmp_path / "sol-1" / "rev-1"
    folder.mkdir(parents=True)
    (folder / "blueprint.json").write_text("{}")

    assert persistence.load(ids, LOCAL_OPERATOR).blueprint == b"{}"


def test_a_bucket_is_opened_without_being_asked() -> None:
    environ = {"SLIPWAY_PERSISTENCE": "s3://solutions/x", "SLIPWAY_S3_ENDPOINT": "http://127.0.0.1:9"}

    with closing(open_stored(load(environ))) as persistence:
        assert isinstance(persistence, StoredSolutions)


def test_a_marketplace_cannot_be_written_to() -> None:
    with pytest.raises(SettingsError, match="found a marketplace"):
        open_stored(load({"SLIPWAY_PERSISTENCE": "acumos:http://cds/ccds", "SLIPWAY_NEXUS_URL": NEXUS}))


def test_reading_the_settings_imports_no_client() -> None:
    code = (
        "import sys, shared.persistence.select as s; from pathlib import Path;"
        "s.open_persistence(s.PersistenceSettings(s.FolderPlace(Path('x'))));"
        "print([name for name in ('requests', 'urllib3', 'boto3') if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert ran.stdout == "[]\n"
