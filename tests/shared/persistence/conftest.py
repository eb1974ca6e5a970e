"""A marketplace that plays the recordings, and a persistence on it."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer
from support.cds_server import CdsServer
from support.marketplace import ENTITY_PROTO_PATH, MADE_ENTITY_PROTO, open_acumos

from shared.persistence.acumos import AcumosPersistence
from shared.persistence.folder import FolderStore
from shared.persistence.s3 import S3Store
from shared.persistence.store import Store


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


def one_put_at_a_time(environ: pytest.MonkeyPatch) -> None:
    """Let one writer win as with any real S3: moto looks for `If-None-Match` first and puts later, with no lock."""
    put, lock = S3Response.put_object, threading.Lock()

    def put_alone(response: S3Response) -> Any:
        with lock:
            return put(response)

    environ.setattr(S3Response, "put_object", put_alone)


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Run a server that speaks the S3 protocol, with credentials for it in the environment."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("AWS_ACCESS_KEY_ID", "made-for-tests")
        environ.setenv("AWS_SECRET_ACCESS_KEY", "made-for-tests")
        environ.setenv("AWS_CONFIG_FILE", os.devnull)
        environ.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        one_put_at_a_time(environ)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def s3_bucket(s3_url: str) -> Iterator[S3Store]:
    """Make a bucket."""
    store = S3Store("solutions", "", endpoint_url=s3_url)
    store._made().create_bucket(Bucket="solutions")
    yield store
    store.close()


@pytest.fixture
def s3_store(s3_bucket: S3Store) -> S3Store:
    """Offer an empty prefix of the bucket; all tests share a client, because making one takes boto3 a while."""
    s3_bucket._prefix = f"tests/{uuid.uuid4()}/"
    return s3_bucket


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Offer an empty store of each kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "root")
    found: S3Store = request.getfixturevalue("s3_store")
    return found
