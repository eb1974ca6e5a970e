"""From bytes to one JSON object: encodings, comments, and what is no blueprint at all."""

import json

import pytest
from support.blueprints import document, found, node, parse, solution

from shared.blueprint import parse as parse_files
from shared.solution import SolutionFiles

SMALL = document(node("a"))


def test_a_leading_comment_is_passed_over_and_noted() -> None:
    parsed = parse(
        b'/* Licence: "Apache" [2.0] */\n/* more */\n' + json.dumps(SMALL).encode(), protos={"a": b"message A {}"}
    )

    assert parsed.solution is not None
    assert found(parsed) == [("note", "json-comment", "$")]


def test_a_byte_order_mark_and_escaped_slashes_are_no_finding() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(SMALL).replace("/", "\\/").encode()

    parsed = parse(data, protos={"a": b""})

    assert found(parsed) == []
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].image == "registry.example/model:1"


def test_keys_come_in_any_order() -> None:
    turned = {key: SMALL[key] for key in ("version", "nodes", "name")}
    turned["nodes"] = [dict(reversed(SMALL["nodes"][0].items()))]

    assert solution(turned).nodes == solution(SMALL).nodes


@pytest.mark.parametrize(
    ("data", "code", "described"),
    [
        (b"", "json-invalid", "an empty file"),
        (b" \n", "json-invalid", "an empty file"),
        (b"nodes: []", "json-invalid", "at line 1, column 1: expecting value"),
        (b'{"nodes": [}', "json-invalid", "at line 1, column 12: expecting value"),
        (b'{"nodes": []} x', "json-invalid", "at line 1, column 15: more text after the end"),
        (b'{"name": "a\nb"}', "json-invalid", "at line 1, column 12: invalid control character at"),
        (b"/* only", "json-invalid", "at line 1, column 1: expecting value"),
        ('{"name": "ü"}'.encode("latin-1"), "json-encoding", "byte 0xfc at offset 10"),
        ('{"name": "a"}'.encode("utf-16"), "json-encoding", "byte 0xff at offset 0"),
        (b"[]", "wrong-type", "a list"),
        (b'"text"', "wrong-type", 'text "text"'),
        (b"null", "wrong-type", "null"),
        (b"17", "wrong-type", "17"),
    ],
)
def test_what_is_no_json_object_is_one_error_without_a_solution(data: bytes, code: str, described: str) -> None:
    parsed = parse(data, protos={})

    assert parsed.solution is None
    assert [(finding.code, finding.path, finding.found) for finding in parsed.findings] == [(code, "$", described)]


@pytest.mark.parametrize("nodes", [None, [], "nodes", {"a": 1}, [1, None], [{}]])
def test_without_a_node_there_is_no_solution(nodes: object) -> None:
    parsed = parse(json.dumps({"name": "a", "nodes": nodes}).encode(), protos={})

    assert parsed.solution is None
    assert ("error", "no-nodes", "$.nodes") in found(parsed)


def test_files_without_blueprint_and_image_are_an_error() -> None:
    parsed = parse_files(SolutionFiles(name="a"))

    assert parsed.solution is None
    assert found(parsed) == [("error", "solution-empty", "$")]


def test_a_key_that_stands_twice_is_an_error_and_the_last_one_is_read() -> None:
    data = json.dumps(SMALL).replace('"name": "sample"', '"name": "first", "name": "second"').encode()

    parsed = parse(data, protos={"a": b""})

    assert found(parsed) == [("error", "json-duplicate-key", "$.name")]
    assert parsed.solution is not None
    assert parsed.solution.name == "second"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_a_number_that_json_cannot_hold_is_an_error_at_its_path(number: str) -> None:
    data = json.dumps(SMALL).replace('"1.0"', f'"1.0", "more": [0, {{"x": {number}}}]').encode()

    parsed = parse(data, protos={"a": b""})

    assert found(parsed) == [("error", "json-number", "$.more[1].x")]


def test_half_a_surrogate_pair_is_an_error_at_its_path() -> None:
    data = json.dumps(document(node("a\ud800"))).encode()

    parsed = parse(data, protos={})

    assert parsed.findings.errors[0].code == "json-surrogate"
    assert parsed.findings.errors[0].path == "$.nodes[0].container_name"
