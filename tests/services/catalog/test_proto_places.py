"""Moving `proto_uri`: exactly these values, and not a byte beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from services.catalog.proto_places import moved
from shared.blueprint.uris import proto_uris


def to_ours(name: str, _is_named: bool) -> str | None:  # noqa: FBT001 - the form of `Place`
    return f"ours/{name}.proto"


def only_named(name: str, is_named: bool) -> str | None:  # noqa: FBT001
    return f"ours/{name}.proto" if is_named else None


def test_a_place_is_replaced_and_everything_else_stays_as_it_was() -> None:
    text = b'{ "name":"a\\/b",\t"nodes" : [ {"proto_uri" : "org\\/x.proto" ,"n":1.50e+1,\r\n "container_name":"x"} ]}\n'

    assert moved(text, to_ours) == text.replace(b'"org\\/x.proto"', b'"ours/x.proto"')


def test_a_node_without_a_place_gets_one() -> None:
    assert json.loads(moved(b'{"nodes": [{"container_name": "x"}]}', to_ours))["nodes"] == [
        {"proto_uri": "ours/x.proto", "container_name": "x"}
    ]


@pytest.mark.parametrize("empty", [b'""', b"null"])
def test_an_empty_place_is_none(empty: bytes) -> None:
    text = b'{"nodes": [{"container_name": "x", "proto_uri": %s}]}' % empty

    assert moved(text, only_named) == text
    assert b'"ours/x.proto"' in moved(text, to_ours)


def test_a_node_that_is_left_alone_keeps_its_place() -> None:
    text = b'{"nodes": [{"container_name": "x", "proto_uri": "a.proto"}]}'

    assert moved(text, lambda _name, _named: None) == text


def test_only_nodes_at_the_top_are_meant() -> None:
    text = b'{"proto_uri": "a", "x": {"nodes": [{"proto_uri": "b"}]}, "nodes": [{"inner": [{"proto_uri": "c"}]}, []]}'

    assert moved(text, only_named) == text


def test_a_key_that_stands_twice_is_replaced_twice() -> None:
    text = b'{"nodes": [{"container_name": "x", "proto_uri": "a", "proto_uri": "b"}]}'

    assert moved(text, to_ours).count(b'"ours/x.proto"') == 2


def test_an_escaped_key_is_the_same_key() -> None:
    text = b'{"nodes": [{"container_name": "x", "proto\\u005furi": "a"}]}'

    assert json.loads(moved(text, to_ours))["nodes"][0]["proto_uri"] == "ours/x.proto"


def test_a_value_that_is_no_text_is_left_to_the_parser() -> None:
    text = b'{"nodes": [{"container_name": "x", "proto_uri": 5}]}'

    assert moved(text, to_ours) == text


def test_a_comment_before_the_blueprint_is_no_blueprint() -> None:
    text = b'/* {"nodes": [{"proto_uri": "a"}]} */ {"nodes": [{"container_name": "x", "proto_uri": "b"}]}'

    assert moved(text, to_ours) == text.replace(b'"b"', b'"ours/x.proto"')


def test_a_byte_order_mark_stays() -> None:
    assert moved(b'\xef\xbb\xbf{"nodes": [{"container_name": "x"}]}', to_ours).startswith(b"\xef\xbb\xbf{")


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b'"unfinished', b"{]}[", b"nodes", b'{"nodes": [{"container_name": ']
)
def test_what_is_no_json_comes_back_as_it_is(text: bytes) -> None:
    assert moved(text, to_ours) == text


_keys = st.sampled_from(["container_name", "proto_uri", "nodes", "node_type", "x", "ä\\"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)
_nodes = st.dictionaries(_keys, _values, max_size=4)


@given(st.lists(_nodes | _values, max_size=4), st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 2}]))
@settings(max_examples=60, deadline=None)
def test_a_deployer_finds_no_place_but_ours_and_nothing_else_changes(
    nodes: list[object], style: dict[str, Any]
) -> None:
    text = json.dumps({"nodes": nodes, "rest": nodes}, **style).encode()

    changed = moved(text, only_named)

    assert all(uri.startswith("ours/") for uri in proto_uris(changed).values())
    before, after = json.loads(text), json.loads(changed)
    assert after["rest"] == before["rest"]
    assert [_without_place(n) for n in after["nodes"]] == [_without_place(n) for n in before["nodes"]]


def _without_place(node: object) -> object:
    return {key: value for key, value in node.items() if key != "proto_uri"} if isinstance(node, dict) else node


def test_two_megabytes_of_nodes_are_moved_quickly() -> None:
    nodes = [{"container_name": f"n{n}", "proto_uri": "a", "x": "y" * 4000} for n in range(500)]

    text = json.dumps({"nodes": nodes}).encode()

    with within(0.5):
        changed = moved(text, to_ours)

    assert json.loads(changed)["nodes"][499]["proto_uri"] == "ours/n499.proto"
