"""Whatever an author writes into a proto, the messages arrive: paths come from descriptors, payloads stay bytes."""

from __future__ import annotations

import pytest
from support.pipelines import Pipeline, completed

SAME = "message Empty {} message Item { int64 id = 1; bytes payload = 2; }"


def source_and_sink(pipeline: Pipeline, *, path: str = "", takes: str = "Item") -> Pipeline:
    pipeline.op("src", "us", "source", count=3).op("snk", "uu", "sink", takes=takes).edge("src", "snk")
    if path:
        behaviour = pipeline.behaviours.pop(pipeline.paths["snk"])
        pipeline.paths["snk"] = path
        pipeline.behaviours[path] = behaviour
    return pipeline


PROTO2 = "message Empty {} message Item { optional int64 id = 1; optional bytes payload = 2; }"
GOOGLE = 'import "google/protobuf/empty.proto"; message Item { int64 id = 1; bytes payload = 2; }'
RECURSIVE = "message Empty {} message Item { int64 id = 1; Item inner = 3; bytes payload = 2; }"
RUN = "service S { rpc run(Item) returns (Empty); }"


@pytest.mark.parametrize(
    ("path", "proto"),
    [
        ("/NoPackage@/run", f'syntax = "proto3"; {SAME} {RUN.replace("S", "NoPackage@")}'),
        ("/a.b@.S/run", f'syntax = "proto3"; package a.b@; {SAME} service S{{rpc run(Item)returns(Empty){{}}}}'),
        ("/c@.S/run", f'syntax = "proto2"; package c@; {PROTO2} {RUN}'),
        ("/d@.S/run", f'edition = "2023"; package d@; {SAME} {RUN}'),
        (
            "/e@.S/run",
            f'syntax = "proto3"; package e@; enum T {{ Z = 0; }} {SAME} message M {{ map<string, T> m = 1; }} {RUN}',
        ),
        ("/f@.S/run", f'syntax = "proto3"; package f@; {SAME} service A {{ rpc other(Item) returns (Empty); }} {RUN}'),
        ("/g@.S/run", f'syntax = "proto3"; package g@; {GOOGLE} {RUN.replace("Empty", "google.protobuf.Empty")}'),
        (
            "/h@.S/run",
            f'syntax = "proto3"; package h@; import "x.proto"; message Empty {{}} {RUN.replace("Item", "c.Item")}',
        ),
        ("/i@.S/run", f'syntax = "proto3"; package i@; {RECURSIVE} {RUN}'),
    ],
    ids=[
        "no package",
        "no spaces",
        "proto2",
        "edition",
        "enum, map",
        "two services",
        "well-known",
        "import",
        "recursive",
    ],
)
def test_every_form_of_a_proto_gets_its_messages(pipeline, tmp_path, path, proto):
    number = pipeline.package[1:]
    source_and_sink(pipeline, path=path.replace("@", number))
    pipeline.nodes["snk"]["proto"] = proto.replace("@", number)
    item = "message Item { int64 id = 1; bytes payload = 2; }"
    pipeline.files["x.proto"] = f'syntax = "proto3"; package c; {item}'

    run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("completed", "")
    assert pipeline.received("snk") == [1, 2, 3]


def test_same_named_messages_may_differ_between_nodes(pipeline, tmp_path):
    source_and_sink(pipeline)
    pipeline.nodes["snk"]["messages"] = "message Item { int64 id = 1; bytes payload = 2; string note = 9; }"

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [1, 2, 3]


def test_two_containers_of_one_proto_are_two_nodes(pipeline, tmp_path):
    proto = f'syntax = "proto3"; package {pipeline.package}; {SAME} service Twin {{ rpc run(Item) returns (Item); }}'
    pipeline.op("src", "us", "source", count=4).op("one", "uu", "echo", proto=proto).op(
        "two", "uu", "echo", proto=proto
    )
    for name in ("one", "two"):
        pipeline.behaviours.pop(pipeline.paths[name])
        pipeline.paths[name] = f"/{pipeline.package}.Twin/run"
    pipeline.behaviours[f"/{pipeline.package}.Twin/run"] = {"kind": "uu", "do": "echo"}
    pipeline.edge("src", "one", "two")

    completed(pipeline, tmp_path)

    assert sorted(pipeline.received("one")) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_chain_of_empty_operations_is_a_chain_of_triggers(pipeline, tmp_path):
    pipeline.op("a", "uu", "source").op("b", "uu", "sink", takes="Empty").op("c", "uu", "sink", takes="Empty")
    pipeline.nodes["a"]["operations"]["run"]["gives"] = "Empty"
    pipeline.behaviours[pipeline.paths["a"]] = {"kind": "uu", "do": "sink"}
    pipeline.edge("a", "b", "c")

    completed(pipeline, tmp_path, iterations=3)

    assert [pipeline.calls(name) for name in "abc"] == [3, 3, 3]


def test_a_trigger_may_be_a_stream(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3).op("t", "ss", "echo", takes="Empty").op("snk", "uu", "sink")
    pipeline.edge("src", "t", "snk")

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [0, 0, 0]
