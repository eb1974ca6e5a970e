"""Secrets stay where they are: on every route and in every failure, in answers as in logs."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from flask.testing import FlaskClient
from support import catalog
from support.catalog import ADA, CDS, EVE, SECRET, pipeline, put, sign_in, token
from support.tokens import encode

from services.catalog.app import create_app, deployer_clients
from services.catalog.settings import DeployerPlace
from shared import telemetry

PLACES = (DeployerPlace("tiny", "http://127.0.0.1:1/"),)


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Collect what is logged, in the form that it has in operation."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    telemetry.configure_logs(level="debug", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    settings = catalog.settings(tmp_path, deployers=PLACES)
    return create_app(settings, deployers=deployer_clients(settings)).test_client()


def tour(client: FlaskClient, given: str) -> str:
    """Call everything with a token and the deployers' password; return all answers, headers included."""
    headers = {"Authorization": f"Bearer {given}", "Accept": "text/html"}
    put(client, "s", "r1", pipeline(), public=True)
    sign_in(client)
    field = client.get("/").text.partition('csrf_token" value="')[2].partition('"')[0]
    answers = [
        client.get("/v1/solutions", headers=headers),
        client.get("/v1/solutions/s/revisions/r1", headers=headers),
        client.get("/v1/solutions/none/revisions/r1", headers=headers),
        client.put("/v1/solutions/s/revisions/r1", data=b"x", headers=headers),
        client.get(f"/?token={given}"),
        client.get(f"/session?code={given}", headers=headers),
        client.post("/sign-in", data={"token": f"{given}x"}),
        client.post("/solutions/s/r1/bundles/tiny", data={"csrf_token": field}, headers=headers),
        client.get("/solutions/s/r1"),
        client.get("/ccds/solution/s", auth=CDS),
        client.get("/nexus/none", auth=CDS),
        client.get("/ccds/solution/s", auth=(CDS[0], CDS[1] + "x")),
    ]
    assert {answer.status_code for answer in answers} >= {200, 401, 404, 415, 502}
    return "".join(f"{answer.headers}{answer.text}" for answer in answers)


def test_no_answer_and_no_log_line_holds_a_secret(client: FlaskClient, logs: io.StringIO) -> None:
    given = token()

    told = tour(client, given) + logs.getvalue()

    basic = encode(":".join(CDS).encode())
    secrets = {
        "token": given,
        "signature": given.rpartition(".")[2],
        "secret": SECRET,
        "password": CDS[1],
        "basic": basic,
    }
    assert [name for name, secret in secrets.items() if secret in told.replace(f"token={given}", "")] == []


def test_the_log_names_nobody(client: FlaskClient, logs: io.StringIO) -> None:
    tour(client, token(EVE))

    assert ADA not in logs.getvalue()
    assert EVE not in logs.getvalue()


def test_a_failing_store_is_told_without_its_place(client: FlaskClient, tmp_path: Path, logs: io.StringIO) -> None:
    put(client, "s", "r1", pipeline(), public=True)
    (tmp_path / "store" / "s" / "r1" / "record.json").chmod(0)
    record = tmp_path / "store" / "s" / "r1" / "record.json"
    record.unlink()
    record.write_bytes(b"{}")

    answers = [client.get("/solutions/s/r1"), client.get("/ccds/solution/s", auth=CDS)]

    assert [answer.status_code for answer in answers] == [502, 502]
    assert all(str(tmp_path) not in answer.text for answer in answers)
    assert "request_failed" in logs.getvalue()


def test_one_damaged_solution_hides_no_other(client: FlaskClient, tmp_path: Path) -> None:
    put(client, "broken", "r1", pipeline(), public=True)
    put(client, "sound", "r2", pipeline(), public=True)
    record = tmp_path / "store" / "broken" / "r1" / "record.json"
    record.unlink()
    record.write_bytes(b"{}")

    page = client.get("/")

    assert page.status_code == 200
    assert "/solutions/sound/r2" in page.text
