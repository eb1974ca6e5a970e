"""The application as a whole: it starts from settings, says what is missing, and refuses to start without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from support import catalog

from services.catalog import __main__ as program
from services.catalog.app import create_app, open_store
from shared.persistence.s3 import S3Store
from shared.persistence.select import S3Place


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_app(catalog.settings(tmp_path)).test_client()


def test_a_new_folder_is_made_and_ready(client: FlaskClient, tmp_path: Path) -> None:
    assert client.get("/readyz").json == {"status": "ready", "missing": {}, "notices": {}}
    assert (tmp_path / "store").is_dir()


def test_a_store_that_is_gone_is_missing(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "store").rmdir()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert list(response.json["missing"]) == ["store"]  # type: ignore[index]
    assert str(tmp_path) not in response.text


def test_a_worker_s_application_is_made_from_settings(tmp_path: Path) -> None:
    create = program.prepare(catalog.settings(tmp_path))

    assert create().test_client().get("/healthz").status_code == 200


def test_solutions_are_kept_in_s3_where_the_settings_say_so(tmp_path: Path) -> None:
    store = open_store(catalog.settings(tmp_path, store=S3Place("bucket", "prefix")))

    assert isinstance(store, S3Store)
    store.close()


@pytest.mark.parametrize("path", ["/", "/static/catalog.css", "/sign-in"])
def test_a_head_request_is_answered_without_a_body(client: FlaskClient, path: str) -> None:
    response = client.head(path)

    assert (response.status_code, response.data) == (200, b"")


def test_without_settings_the_service_does_not_start() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "services.catalog"], env={}, capture_output=True, text=True, check=False, timeout=60
    )

    assert run.returncode == 2
    assert "SLIPWAY_CATALOG_STORE: required" in run.stderr
    assert "Traceback" not in run.stderr
