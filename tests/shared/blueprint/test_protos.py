"""Which proto belongs to which node, and which siblings travel along."""

import pytest
from support.blueprints import document, found, node, parse
from support.timing import within

A = b"message A {}"
B = b"message B {}"


def protos_of(*names: str, **files: bytes) -> tuple[dict[str, bytes], list[tuple[str, str, str]]]:
    parsed = parse(document(*map(node, names)), protos=files)
    assert parsed.solution is not None
    return dict(parsed.solution.protos), [entry for entry in found(parsed) if "proto" in entry[1]]


def test_a_node_takes_the_proto_of_its_container_name() -> None:
    assert protos_of("a", "b", a=A, b=B) == ({"a": A, "b": B}, [])


def test_a_node_takes_the_proto_that_differs_only_in_case() -> None:
    assert protos_of("MyModel", mymodel=A) == ({"mymodel": A}, [])


def test_the_exact_container_name_comes_before_another_case() -> None:
    assert protos_of("MyModel", MyModel=A, mymodel=B)[0] == {"mymodel": A}


def test_a_node_takes_the_proto_of_its_new_name() -> None:
    assert protos_of("My Model", **{"my-model-e84ac3f6": A}) == ({"my-model-e84ac3f6": A}, [])


def test_a_proto_travels_under_the_name_of_its_node() -> None:
    assert protos_of("My Model", **{"My Model": A}) == ({"my-model-e84ac3f6": A}, [])


def test_a_missing_proto_is_a_warning() -> None:
    assert protos_of("a", "b", b=B) == ({"b": B}, [("warning", "proto-missing", "$.nodes[0].proto_uri")])


def test_a_missing_proto_of_a_rest_node_is_a_note() -> None:
    parsed = parse(document(node("a", node_type="REST")), protos={})

    assert found(parsed) == [("note", "proto-missing", "$.nodes[0].proto_uri")]


@pytest.mark.parametrize("node_type", ["Splitter", "Collator", "Probe"])
def test_what_the_orchestrator_does_itself_needs_no_proto(node_type: str) -> None:
    assert found(parse(document(node("a", node_type=node_type, image="")), protos={})) == []


def test_siblings_that_are_imported_travel_along_and_theirs_too() -> None:
    files = {
        "a": b'syntax = "proto3";\nimport "types.proto";\nimport "google/protobuf/empty.proto";',
        "types": b"import public 'deep.proto';",
        "deep": b'import "types.proto"; import "absent.proto";',
        "other": b"",
    }

    protos, noted = protos_of("a", **files)

    assert sorted(protos) == ["a", "deep", "types"]
    assert noted == [("note", "proto-unused", "microservice/other.proto")]


def test_a_sibling_that_is_imported_from_a_folder_travels_along() -> None:
    importing = b'import "common/v1/types.proto"; import "google/protobuf/empty.proto";'

    protos, noted = protos_of("a", a=importing, types=b'import "./deep.proto";', deep=B, empty=B)

    assert sorted(protos) == ["a", "deep", "types"]
    assert noted == [("note", "proto-unused", "microservice/empty.proto")]


def test_the_proto_of_a_renamed_node_stays_importable_by_its_old_name() -> None:
    importing = b'import "Types.proto";'

    assert protos_of("a", "Types", a=importing, Types=B)[0] == {"a": importing, "types": B, "Types": B}


def test_a_sibling_whose_stem_is_the_name_of_a_node_is_noted() -> None:
    protos, noted = protos_of("Types", "a", a=b'import "types.proto";', Types=A, types=B)

    assert protos == {"types": A, "a": b'import "types.proto";'}
    assert noted == [("note", "proto-unused", "microservice/types.proto")]


def test_a_file_that_nobody_wants_is_noted() -> None:
    assert protos_of("a", a=A, **{"odd name": B}) == (
        {"a": A},
        [("note", "proto-unused", 'microservice/"odd name.proto"')],
    )


def test_a_stem_that_is_no_file_name_is_never_taken_as_a_sibling() -> None:
    protos, _ = protos_of("a", a=b'import "../x.proto"; import "b/x.proto";', **{"../x": B, "b/x": B})

    assert sorted(protos) == ["a"]


def test_a_proto_that_is_no_text_is_an_error_and_not_missing() -> None:
    assert protos_of("a", a=b"message \xff") == ({}, [("error", "proto-encoding", "microservice/a.proto")])


def test_the_size_of_a_proto_is_limited() -> None:
    assert protos_of("a", a=b" " * (256 * 1024)) == ({"a": b" " * (256 * 1024)}, [])
    assert protos_of("a", a=b" " * (256 * 1024 + 1)) == ({}, [("error", "proto-too-large", "microservice/a.proto")])


def test_the_size_of_all_protos_together_is_limited() -> None:
    files = {f"n{number}": b" " * (256 * 1024) for number in range(65)}

    assert protos_of(*files, **files) == ({}, [("error", "protos-too-large", "microservice")])


@pytest.mark.parametrize(
    "text",
    [
        b"import " * 37_000,
        b"import" + b" " * 250_000,
        b"\n" * 250_000,
        b'import "' * 32_000,
        b'import "' + b"a/" * 120_000,
    ],
)
def test_imports_are_found_in_linear_time(text: bytes) -> None:
    with within(seconds=0.5):
        protos, _ = protos_of("a", a=text, other=b"")

    assert protos == {"a": text}
