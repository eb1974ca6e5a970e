"""The catalog on an empty folder, asked without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from moto.server import ThreadedMotoServer
from support import catalog

from services.catalog.app import create_app
from services.catalog.shelf import Shelf
from shared.persistence.folder import FolderStore
from shared.persistence.s3 import S3Store


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what is logged, for pytest to show when a test fails."""
    yield
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Path]:
    """Make one application for all tests: its routes and templates take longer to prepare than most tests to run."""
    folder = tmp_path_factory.mktemp("catalog")
    return create_app(catalog.settings(folder, changes_per_minute=0)), folder / "store"


@pytest.fixture
def store_folder(shared_app: tuple[Flask, Path]) -> Path:
    """Empty the folder that the application keeps everything in."""
    for entry in shared_app[1].iterdir():
        shutil.rmtree(entry)
    return shared_app[1]


@pytest.fixture
def app(shared_app: tuple[Flask, Path], store_folder: Path) -> Flask:
    """Return the application, its store empty."""
    assert not any(store_folder.iterdir())
    return shared_app[0]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a caller of it."""
    return app.test_client()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Open a store in an empty folder."""
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def shelf(store: FolderStore) -> Shelf:
    """Make a shelf on that store."""
    return Shelf(store)


@pytest.fixture
def s3_shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Make a shelf in a bucket of a server that speaks the S3 protocol."""
    for name, value in {"ACCESS_KEY_ID": "made-for-tests", "SECRET_ACCESS_KEY": "made-for-tests"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    client.create_bucket(Bucket="solutions")
    client.close()
    shelf = Shelf(S3Store("solutions", "catalog", endpoint_url=url))
    yield shelf
    shelf.close()
    server.stop()
