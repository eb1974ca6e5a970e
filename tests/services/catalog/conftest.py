"""The catalog on an empty folder, asked without a network."""

from __future__ import annotations

import os
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


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """Make the application."""
    return create_app(catalog.settings(tmp_path))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a caller of it."""
    return app.test_client()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Open the store that the application uses as well."""
    (tmp_path / "store").mkdir(exist_ok=True)
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
