"""What a persistence service asks before it has the protos."""

import json

import pytest
from support.blueprints import document, folder, node

from shared.blueprint import proto_uris


def ask(source: object) -> dict[str, str]:
    return dict(proto_uris(json.dumps(source).encode()))


def test_every_node_of_the_author_has_one() -> None:
    source = document(node("A", proto_uri="org/a.proto"), node("b", node_type="DataBroker", proto_uri="org/b.proto"))

    assert ask(source) == {"A": "org/a.proto", "b": "org/b.proto"}


@pytest.mark.parametrize("node_type", ["Splitter", "collator", "Probe"])
def test_what_the_orchestrator_does_itself_has_none(node_type: str) -> None:
    assert ask(document(node("a", node_type=node_type))) == {}


def test_a_shared_folder_has_none() -> None:
    assert ask(document(folder("/data"), node("a"))) == {"a": "org/a.proto"}


@pytest.mark.parametrize("uri", ["", None, 5, ["x"]])
def test_a_node_without_a_uri_has_none(uri: object) -> None:
    assert ask(document(node("a", proto_uri=uri))) == {}


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_node_without_a_name_has_none(name: object) -> None:
    assert ask(document(node("a") | {"container_name": name})) == {}


def test_of_two_nodes_with_one_name_the_first_counts() -> None:
    assert ask(document(node("a", proto_uri="1"), node("a", proto_uri="2"))) == {"a": "1"}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"{}", b'{"nodes": 1}', b'{"nodes": [1]}', b"\xff", b"[" * 10**5]
)
def test_what_cannot_be_read_has_none(data: bytes) -> None:
    assert proto_uris(data) == {}


def test_a_leading_comment_is_passed_over() -> None:
    assert proto_uris(b"/* x */" + json.dumps(document(node("a"))).encode()) == {"a": "org/a.proto"}
