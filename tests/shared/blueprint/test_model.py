"""A solution without a blueprint."""

import pytest
from support.blueprints import found

from shared import blueprint
from shared.blueprint import Parsed
from shared.solution import Attachments, Ids, RevisionId, Role, SharedFolder, Solution, SolutionFiles, SolutionId


def parse(name: str = "EntityRecognizer", image: str = "example/ner:1", **files: object) -> Parsed:
    given = {"protos": {"ner": b"message A {}"}, **files}
    return blueprint.parse(SolutionFiles(name=name, model_image=image, **given))  # type: ignore[arg-type]


def made(parsed: Parsed) -> Solution:
    assert parsed.solution is not None
    return parsed.solution


def test_a_model_has_one_node_with_the_name_of_the_solution() -> None:
    solution = made(parse())

    (node,) = solution.nodes
    assert (node.name, node.container_name, node.image) == ("entityrecognizer", "EntityRecognizer", "example/ner:1")
    assert (node.role, node.node_type, node.operations) == (Role.WORKLOAD, "MLModel", ())
    assert (solution.name, solution.is_pipeline, solution.edges, solution.document) == (
        "EntityRecognizer",
        False,
        (),
        {},
    )


def test_operations_that_are_not_known_are_no_finding() -> None:
    assert found(parse()) == [("note", "container-renamed", "name")]
    assert found(parse("recogniser")) == []


def test_what_comes_with_the_files_is_carried_along() -> None:
    ids = Ids(SolutionId("s"), RevisionId("r"))
    attachments = Attachments(icon=b"icon")

    solution = made(parse(ids=ids, attachments=attachments, version="2", shared_folder_paths=("/data/shared",)))

    assert (solution.ids, solution.attachments, solution.version) == (ids, attachments, "2")
    assert solution.shared_folders == (SharedFolder(1, "/data/shared"),)


@pytest.mark.parametrize("stem", ["EntityRecognizer", "entityrecognizer", "ner"])
def test_a_model_takes_the_only_proto_whatever_its_name(stem: str) -> None:
    assert made(parse(protos={stem: b"message A {}"})).protos == {"entityrecognizer": b"message A {}"}


def test_a_model_takes_the_proto_of_its_name_before_others() -> None:
    parsed = parse("ner", protos={"ner": b"A", "other": b"B"})

    assert made(parsed).protos == {"ner": b"A"}
    assert found(parsed) == [("note", "proto-unused", "microservice/other.proto")]


def test_a_model_takes_the_proto_that_no_other_imports() -> None:
    protos = {"ner": b'import "types.proto";', "types": b""}

    assert made(parse("model", protos=protos)).protos == {"model": protos["ner"], "types": b""}


def test_several_protos_of_which_none_is_the_models_are_a_warning() -> None:
    parsed = parse("model", protos={"one": b"", "two": b""})

    assert found(parsed) == [
        ("warning", "proto-missing", "microservice"),
        ("note", "proto-unused", "microservice/one.proto"),
        ("note", "proto-unused", "microservice/two.proto"),
    ]
    assert made(parsed).protos == {}


def test_a_missing_proto_is_a_warning() -> None:
    assert found(parse("model", protos={})) == [("warning", "proto-missing", "microservice")]


def test_a_proto_that_is_no_text_is_an_error_and_not_missing() -> None:
    assert found(parse("model", protos={"ner": b"\xff"})) == [("error", "proto-encoding", "microservice/ner.proto")]


@pytest.mark.parametrize("image", ["", "not an image", "http://"])
def test_a_model_without_an_image_is_an_error(image: str) -> None:
    parsed = parse("model", image)

    assert found(parsed) == [("error", "image-invalid", "image")]
    assert made(parsed).nodes[0].image is None


def test_the_image_of_a_model_is_mended_with_a_warning() -> None:
    parsed = parse("model", "https://registry.example/ner:1")

    assert found(parsed) == [("warning", "image-mended", "image")]
    assert made(parsed).nodes[0].image == "registry.example/ner:1"


def test_a_model_without_a_name_is_called_model() -> None:
    parsed = parse("")

    assert found(parsed) == [("warning", "name-missing", "name")]
    assert (made(parsed).name, made(parsed).nodes[0].name) == ("model", "model")


def test_a_name_that_cannot_be_shown_is_an_error() -> None:
    parsed = parse("a\nb")

    assert ("error", "text-unshowable", "name") in found(parsed)
    assert made(parsed).name == "a\ufffdb"
