"""CDS and Nexus as deployers see them: the shapes of the recordings, and the real client over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.blueprints import PROTO, document, node
from support.catalog import ADA, CDS, EVE, OPERATOR, PNG, model, pipeline, put, served

from services.catalog.claims import derived_id
from shared import blueprint
from shared.errors import NotFoundError, UpstreamError
from shared.outbound import Upstream
from shared.persistence.acumos import AcumosPersistence
from shared.principal import ANONYMOUS, Principal
from shared.settings import Secret
from shared.solution import Ids
from shared.solution_folder import from_files

AUTH = CDS


def asked(client: FlaskClient, path: str) -> Any:
    response = client.get(path, auth=AUTH)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.json


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / "corpus" / "persistence" / name).read_text())["response"]["jsonBody"]


@pytest.fixture
def persistence(app: Flask) -> Iterator[AcumosPersistence]:
    """Open the client of every deployer on the catalog, over HTTP."""
    with served(app) as url:
        credentials = (CDS[0], Secret(CDS[1]))
        found = AcumosPersistence(
            Upstream("cds", f"{url}/ccds", credentials=credentials),
            Upstream("nexus", f"{url}/nexus", credentials=credentials),
            access="check",
        )
        yield found
        found.close()


def test_a_solution_has_every_key_of_a_recorded_one(client: FlaskClient, test_data: Path) -> None:
    put(client, "s", "r", pipeline())

    found = asked(client, "/ccds/solution/s")

    assert found.keys() == recorded(test_data, "cds_composite_solution.json").keys()
    assert (found["solutionId"], found["name"], found["toolkitTypeCode"]) == ("s", "sample", "CP")


def test_an_artifact_has_every_key_of_a_recorded_one(client: FlaskClient, test_data: Path) -> None:
    put(client, "s", "r", model())

    image, proto = asked(client, "/ccds/revision/r/artifact")

    assert image.keys() == proto.keys() == recorded(test_data, "cds_simple_solution_artifact.json")[0].keys()
    assert (image["artifactTypeCode"], image["uri"], image["size"], image["version"]) == (
        "DI",
        "registry.example/sentiment:1",
        -1,
        "3",
    )
    assert proto["artifactTypeCode"] == "MI"


def test_a_model_is_no_composite(client: FlaskClient) -> None:
    put(client, "s", "r", model())

    assert asked(client, "/ccds/solution/s")["toolkitTypeCode"] != "CP"


@pytest.mark.parametrize(
    ("path", "nothing"),
    [
        ("/ccds/solution/unknown", None),
        ("/ccds/solution/unknown/pic", None),
        ("/ccds/solution/unknown/revision", []),
        ("/ccds/solution/unknown/revision/r", None),
        ("/ccds/revision/unknown/artifact", []),
        ("/ccds/revision/unknown/catalog/public/descr", None),
        ("/ccds/catalog/solution/unknown", []),
        ("/ccds/user/unknown", None),
    ],
)
def test_what_is_unknown_is_null_and_no_error(client: FlaskClient, path: str, nothing: object) -> None:
    assert asked(client, path) == nothing


def test_the_newest_revision_speaks_for_the_solution(client: FlaskClient) -> None:
    put(client, "s", "r1", {**pipeline(), "solution_icon.png": PNG})
    renamed = json.dumps(document(node("first"), name="renamed")).encode()
    put(client, "s", "r2", {**pipeline("first"), "blueprint.json": renamed})

    assert asked(client, "/ccds/solution/s")["name"] == "renamed"
    assert client.get("/ccds/solution/s/pic", auth=AUTH).data == PNG


def test_revisions_are_listed_for_several_solutions(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline())
    put(client, "s", "r2", pipeline("first"))
    put(client, "t", "r3", model())

    found = asked(client, "/ccds/solution/s,t,u/revision")

    assert [(r["solutionId"], r["revisionId"], r["version"]) for r in found] == [
        ("s", "r2", "1.0"),
        ("s", "r1", "1.0"),
        ("t", "r3", "3"),
    ]
    assert asked(client, "/ccds/solution/t/revision/r3") == found[2]
    assert asked(client, "/ccds/solution/s/revision/r3") is None


def test_too_many_solutions_in_one_question_are_refused(client: FlaskClient) -> None:
    ids = ",".join(f"s{n}" for n in range(101))

    assert client.get(f"/ccds/solution/{ids}/revision", auth=AUTH).status_code == 400


def test_only_public_solutions_stand_in_the_public_catalog(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline(), public=True)
    put(client, "t", "r2", pipeline())

    (catalog,) = asked(client, "/ccds/catalog/solution/s")
    assert (catalog["catalogId"], catalog["accessTypeCode"]) == ("public", "PB")
    assert asked(client, "/ccds/catalog/solution/t") == []


def test_a_description_belongs_to_the_public_catalog(client: FlaskClient) -> None:
    put(client, "s", "r1", {**pipeline(), "solution_description.html": b"<p>What it does</p>"}, public=True)

    assert asked(client, "/ccds/revision/r1/catalog/public/descr")["description"] == "<p>What it does</p>"
    assert asked(client, "/ccds/revision/r1/catalog/other/descr") is None


def test_the_owner_is_a_user(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline())

    found = asked(client, f"/ccds/user/{asked(client, '/ccds/solution/s')['userId']}")

    assert (found["userId"], found["email"], found["loginName"]) == (derived_id(ADA), ADA, ADA)


def test_nexus_has_what_the_artifacts_name(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first"))
    (artifact,) = asked(client, "/ccds/revision/r1/artifact")

    text = client.get(f"/nexus/{artifact['uri']}", auth=AUTH)

    assert text.content_type == "application/json"
    assert len(text.data) == artifact["size"]
    proto = client.get(f"/nexus/{json.loads(text.data)['nodes'][0]['proto_uri']}", auth=AUTH)
    assert (proto.data, proto.content_type) == (PROTO, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "org/acumos/s/r1/none",
        "org/acumos/s/r1/none.proto",
        "org/acumos/s/r1/microservice/none.proto",
        "org/acumos/s/other/blueprint.json",
        "org/acumos/s",
        "org/acumos/s/r1/../r1/blueprint.json",
        "org/acumos/s/r1/content-x/blueprint.json",
    ],
)
def test_nexus_has_nothing_else(client: FlaskClient, uri: str) -> None:
    put(client, "s", "r1", pipeline("first"))

    assert client.get(f"/nexus/{uri}", auth=AUTH).status_code == 404


@pytest.mark.parametrize("auth", [None, (CDS[0], "wrong"), ("wrong", CDS[1]), ("", ""), ("ä", "ü")])
@pytest.mark.parametrize(
    "path", ["/ccds/solution/s", "/ccds/revision/r1/artifact", "/nexus/", "/nexus/org/acumos/s/r1/x"]
)
def test_without_the_password_nobody_learns_anything(
    client: FlaskClient, path: str, auth: tuple[str, str] | None
) -> None:
    put(client, "s", "r1", pipeline())

    response = client.get(path, auth=auth)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert response.json is not None
    assert response.json["detail"] == "the user and password of a deployer are required"


def test_a_token_is_no_password(client: FlaskClient) -> None:
    assert client.get("/ccds/solution/s", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("bad", ["..", "a%2Fb", "-x", "x" * 64, "٣", "a%00b", "a b"])
def test_an_id_of_another_form_is_refused(client: FlaskClient, bad: str) -> None:
    for path in (f"/ccds/solution/{bad}", f"/ccds/revision/{bad}/artifact", f"/ccds/catalog/solution/{bad}"):
        assert client.get(path, auth=AUTH).status_code in {400, 404}


def test_a_deployer_loads_what_was_uploaded(client: FlaskClient, persistence: AcumosPersistence) -> None:
    files = {
        **pipeline("first", "second"),
        "solution_icon.png": PNG,
        "solution_description.html": b"<p>What it does</p>",
        "source_system_url.txt": b"https://market.example/s",
    }
    put(client, "s", "r1", files, public=True)

    found = persistence.load(Ids.parse("s", "r1"), Principal(ADA))

    assert (found.name, found.protos) == ("sample", {"first": PROTO, "second": PROTO})
    assert found.attachments.icon == PNG
    assert found.attachments.description == "<p>What it does</p>"
    assert found.attachments.source_url == "https://market.example/s"


def test_a_deployer_loads_a_model(client: FlaskClient, persistence: AcumosPersistence) -> None:
    put(client, "s", "r1", model())

    found = persistence.load(Ids.parse("s", "r1"), Principal(ADA))

    assert (found.name, found.version, found.model_image) == ("sentiment", "3", "registry.example/sentiment:1")
    assert found.protos == {"sentiment": PROTO}


@pytest.mark.parametrize(
    "name", ["ai4eu-graphene--sudoku-stream", "cloudferro--sudoku-tutorial", "cloudferro--news-training-pi"]
)
def test_a_real_pipeline_is_the_same_through_the_catalog(
    client: FlaskClient, persistence: AcumosPersistence, test_data: Path, name: str
) -> None:
    folder = test_data / "corpus" / "solutions" / name
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    put(client, name, f"{name}-1", files)

    directly = blueprint.parse(from_files(files)).solution
    loaded = blueprint.parse(persistence.load(Ids.parse(name, f"{name}-1"), Principal(ADA))).solution

    assert directly is not None
    assert loaded is not None
    assert [(n.name, n.image, n.operations) for n in loaded.nodes] == [
        (n.name, n.image, n.operations) for n in directly.nodes
    ]
    assert (loaded.edges, loaded.protos, loaded.shared_folders) == (
        directly.edges,
        directly.protos,
        directly.shared_folders,
    )


@pytest.mark.parametrize("principal", [Principal(EVE), ANONYMOUS])
def test_a_deployer_gives_nobody_a_private_solution(
    client: FlaskClient, persistence: AcumosPersistence, principal: Principal
) -> None:
    put(client, "s", "r1", pipeline())

    with pytest.raises(NotFoundError):
        persistence.load(Ids.parse("s", "r1"), principal)


@pytest.mark.parametrize("principal", [Principal(EVE), ANONYMOUS, Principal(OPERATOR, is_operator=True)])
def test_a_deployer_gives_everybody_a_public_solution(
    client: FlaskClient, persistence: AcumosPersistence, principal: Principal
) -> None:
    put(client, "s", "r1", pipeline("first"), public=True)

    assert persistence.load(Ids.parse("s", "r1"), principal).protos == {"first": PROTO}


def test_no_revision_is_loaded_as_one_of_another_solution(client: FlaskClient, persistence: AcumosPersistence) -> None:
    put(client, "public", "r1", pipeline(), public=True, principal=EVE)
    put(client, "private", "r2", pipeline())

    with pytest.raises(NotFoundError):
        persistence.load(Ids.parse("public", "r2"), Principal(EVE))


def test_a_blueprint_that_names_a_stranger_s_proto_does_not_get_it(
    client: FlaskClient, persistence: AcumosPersistence
) -> None:
    put(client, "private", "r1", pipeline("secret"))
    thief = document(node("thief", proto_uri="org/acumos/private/r1/microservice/secret.proto"))
    put(client, "mine", "r2", {"blueprint.json": json.dumps(thief).encode()}, principal=EVE)

    assert persistence.load(Ids.parse("mine", "r2"), Principal(EVE)).protos == {}


def test_a_deployer_is_ready_with_the_password_and_not_without(app: Flask, persistence: AcumosPersistence) -> None:
    persistence.check()

    with served(app) as url:
        stranger = AcumosPersistence(Upstream("cds", f"{url}/ccds"), Upstream("nexus", f"{url}/nexus"), access="check")
        with pytest.raises(UpstreamError, match="refused_us"):
            stranger.check()
        stranger.close()
