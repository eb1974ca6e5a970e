"""What every persistence promises, shown for each: a marketplace over HTTP, S3 over HTTP, and a folder.

The same solutions are published in each, from the recordings; each must give back the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from support.cds_server import CdsServer
from support.marketplace import ENTITY_RECOGNIZER, MADE_ENTITY_PROTO, NEWS_TRAINING, SUDOKU, open_acumos

from shared.blueprint.parsing import parse
from shared.errors import NotFoundError
from shared.persistence.folder import FolderStore
from shared.persistence.interface import Persistence
from shared.persistence.s3 import S3Store
from shared.persistence.store import Store
from shared.persistence.stored import StoredSolutions
from shared.principal import ANONYMOUS, LOCAL_OPERATOR, Principal
from shared.solution import Attachments, Ids, SolutionFiles

ANN = Principal("ann@example.org", user_id="user-ann")
ANN_BY_E_MAIL = Principal("ann@example.org")
BOB = Principal("bob@example.org", user_id="user-bob")


class Place(Protocol):
    """A persistence, and a way to publish in it what belongs to Ann."""

    persistence: Persistence

    def publish(self, files: SolutionFiles, *, public: bool = False) -> None: ...


class Marketplace:
    """CDS and Nexus."""

    def __init__(self, server: CdsServer, persistence: Persistence) -> None:
        self._server = server
        self.persistence = persistence

    def publish(self, files: SolutionFiles, *, public: bool = False) -> None:
        assert files.ids
        solution_id, revision_id = files.ids.solution_id, files.ids.revision_id
        base = f"org/acumos/{solution_id}"
        protos = {stem: f"{base}/{stem}/1.0.0/{stem}-1.0.0.proto" for stem in files.protos}
        if files.blueprint is not None:
            document = json.loads(files.blueprint)
            protos = {node["container_name"]: node["proto_uri"] for node in document["nodes"]}
            artifacts = [("CD", "cdump", f"{base}/cdump.json"), ("BP", "BluePrint", f"{base}/blueprint.json")]
            self._server.add(f"/nexus/{base}/blueprint.json", files.blueprint)
        else:
            artifacts = [("MI", f"{stem}.proto", uri) for stem, uri in protos.items()]
            artifacts.append(("DI", "image", files.model_image or ""))
        for stem, proto in files.protos.items():
            self._server.add(f"/nexus/{protos[stem]}", proto)
        toolkit = "MN" if files.blueprint is None else "CP"
        self._server.publish(solution_id, revision_id, artifacts, name=files.name, toolkit=toolkit, owner="user-ann")
        self._server.add("/ccds/user/user-ann", {"userId": "user-ann", "email": "ann@example.org"})
        catalog = {"catalogId": "c-1", "accessTypeCode": "PB" if public else "RS"}
        self._server.add(f"/ccds/catalog/solution/{solution_id}", [catalog])
        self._attach(files, f"/ccds/solution/{solution_id}", f"/ccds/revision/{revision_id}/catalog/c-1/descr")

    def _attach(self, files: SolutionFiles, solution: str, description: str) -> None:
        if files.attachments.icon:
            self._server.add(f"{solution}/pic", files.attachments.icon, content_type="image/png")
        if files.attachments.description:
            self._server.add(description, {"description": files.attachments.description})
        if files.attachments.source_url:
            about = json.loads(self._server.answer_now(solution).body)
            self._server.add(solution, {**about, "origin": files.attachments.source_url})


class Stored:
    """A folder or a bucket."""

    def __init__(self, store: Store) -> None:
        self.persistence = StoredSolutions(store)

    def publish(self, files: SolutionFiles, *, public: bool = False) -> None:
        assert files.ids
        model = {"name": files.name, "image": files.model_image, "version": files.version}
        attachments = files.attachments
        content = {
            "blueprint.json": files.blueprint,
            "model.json": json.dumps(model).encode() if files.blueprint is None else None,
            **{f"microservice/{stem}.proto": proto for stem, proto in files.protos.items()},
            "solution_icon.png": attachments.icon,
            "solution_description.html": (attachments.description or "").encode() or None,
            "source_system_url.txt": (attachments.source_url or "").encode() or None,
        }
        self.persistence.add(
            files.ids,
            {path: data for path, data in content.items() if data is not None},
            owner=ANN.id,
            name=files.name,
            public=public,
            created="2026-01-01T00:00:00Z",
        )


@pytest.fixture(params=["acumos", "s3", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "acumos":
        with CdsServer() as server, closing(open_acumos(server)) as persistence:
            yield Marketplace(server, persistence)
    elif request.param == "s3":
        store: S3Store = request.getfixturevalue("s3_store")
        yield Stored(store)
    else:
        yield Stored(FolderStore(tmp_path))


def recorded(recordings: Path, name: str) -> bytes:
    response = json.loads((recordings / f"nexus_{name}.json").read_text(encoding="utf-8"))["response"]
    return response["body"].encode() if "body" in response else json.dumps(response["jsonBody"]).encode()


@pytest.fixture
def pipeline(recordings: Path) -> SolutionFiles:
    return SolutionFiles(
        name="Sudoku Tutorial",
        blueprint=recorded(recordings, "sudoku_blueprint"),
        protos={
            "aspsolver-clingo-oneshot1": recorded(recordings, "sudoku_proto_1"),
            "sudoku-tutorial-design-evaluator1": recorded(recordings, "sudoku_proto_2"),
            "sudoku-tutorial-gui1": recorded(recordings, "sudoku_proto_3"),
        },
        ids=SUDOKU,
    )


@pytest.fixture
def shared_folder_pipeline(recordings: Path) -> SolutionFiles:
    return SolutionFiles(
        name="news-training-pipeline",
        blueprint=recorded(recordings, "shared_folder_blueprint"),
        protos={
            "tensorboard1": recorded(recordings, "shared_folder_proto_1"),
            "newstrainer1": recorded(recordings, "shared_folder_proto_2"),
            "news-classifier1": recorded(recordings, "shared_folder_proto_3"),
        },
        ids=NEWS_TRAINING,
    )


@pytest.fixture
def model() -> SolutionFiles:
    return SolutionFiles(
        name="EntityRecognizer",
        model_image="hub.cc-asp.fraunhofer.de/ai4media-public/named-entity-recognition-flair:1.0.0",
        protos={"ner": MADE_ENTITY_PROTO},
        ids=ENTITY_RECOGNIZER,
        version="1.0.0",
    )


@pytest.mark.parametrize("kind", ["pipeline", "shared_folder_pipeline", "model"])
def test_what_was_published_comes_back(place: Place, kind: str, request: pytest.FixtureRequest) -> None:
    published: SolutionFiles = request.getfixturevalue(kind)
    place.publish(published)
    assert published.ids

    assert place.persistence.load(published.ids, ANN) == published


def test_a_pipeline_is_read_without_an_error(place: Place, pipeline: SolutionFiles) -> None:
    place.publish(pipeline)

    parsed = parse(place.persistence.load(SUDOKU, ANN))

    assert parsed.solution is not None
    assert (len(parsed.solution.nodes), len(parsed.solution.protos), parsed.findings.errors) == (3, 3, ())


def test_a_pipeline_with_a_shared_folder_is_read_without_an_error(
    place: Place, shared_folder_pipeline: SolutionFiles
) -> None:
    place.publish(shared_folder_pipeline)

    parsed = parse(place.persistence.load(NEWS_TRAINING, ANN))

    assert parsed.solution is not None
    assert [folder.mount_path for folder in parsed.solution.shared_folders] == ["/data/shared"]
    assert parsed.findings.errors == ()


def test_a_model_is_read_without_an_error(place: Place, model: SolutionFiles) -> None:
    place.publish(model)

    parsed = parse(place.persistence.load(ENTITY_RECOGNIZER, ANN))

    assert parsed.solution is not None
    assert (parsed.solution.is_pipeline, parsed.findings.errors) == (False, ())


def test_attachments_come_back(place: Place, pipeline: SolutionFiles) -> None:
    attachments = Attachments(b"\x89PNG", "<p>What it does ü</p>", "https://market.example.org/sudoku")
    place.publish(replace(pipeline, attachments=attachments))

    assert place.persistence.load(SUDOKU, ANN).attachments == attachments


@pytest.mark.parametrize("principal", [ANN, ANN_BY_E_MAIL, LOCAL_OPERATOR])
def test_the_owner_and_operators_may_load(place: Place, pipeline: SolutionFiles, principal: Principal) -> None:
    place.publish(pipeline)

    assert place.persistence.load(SUDOKU, principal).name == "Sudoku Tutorial"


@pytest.mark.parametrize("principal", [BOB, ANONYMOUS])
def test_everybody_may_load_what_is_public(place: Place, pipeline: SolutionFiles, principal: Principal) -> None:
    place.publish(pipeline, public=True)

    assert place.persistence.load(SUDOKU, principal).name == "Sudoku Tutorial"


@pytest.mark.parametrize("principal", [BOB, ANONYMOUS])
def test_what_belongs_to_another_reads_like_what_does_not_exist(
    place: Place, pipeline: SolutionFiles, principal: Principal
) -> None:
    place.publish(pipeline)

    with pytest.raises(NotFoundError) as invisible:
        place.persistence.load(SUDOKU, principal)
    with pytest.raises(NotFoundError) as unknown:
        place.persistence.load(ENTITY_RECOGNIZER, principal)

    told = str(invisible.value), str(unknown.value)
    assert told == (
        f"solution {SUDOKU.solution_id}, revision {SUDOKU.revision_id}: not found",
        f"solution {ENTITY_RECOGNIZER.solution_id}, revision {ENTITY_RECOGNIZER.revision_id}: not found",
    )


def test_one_solution_does_not_open_the_revision_of_another(
    place: Place, pipeline: SolutionFiles, model: SolutionFiles
) -> None:
    place.publish(pipeline)
    place.publish(model)

    with pytest.raises(NotFoundError):
        place.persistence.load(Ids(SUDOKU.solution_id, ENTITY_RECOGNIZER.revision_id), ANN)


def test_a_place_that_works_is_ready(place: Place, pipeline: SolutionFiles) -> None:
    place.publish(pipeline)

    place.persistence.check()

    assert place.persistence.load(SUDOKU, ANN) == pipeline
