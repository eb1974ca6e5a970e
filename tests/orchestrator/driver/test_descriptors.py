"""Artifacts and calls by descriptors that travel along: no protoc, names that nodes declare differently, pieces."""

from __future__ import annotations

import json

import pytest

from orchestrator.driver import pipeline_folder
from shared import protobuf
from shared.errors import InvalidRequestError
from shared.orchestration import pipeline_files
from shared.protobuf import Compiler, Problem
from shared.workflows import descriptors

NODE = 'syntax = "proto3"; message Empty {} message Item { %s } service S { rpc run(%s) returns (%s); }'


def described(driver, pipeline):
    """Put descriptors in the place of the protos, in pieces."""
    driver.lay(pipeline)
    folder = driver.folder / "pipeline"
    protos = {path.stem: path.read_bytes() for path in folder.glob("*.proto")}
    content = descriptors.described_set(Compiler().compile(protos, list(protos)))
    for path in folder.glob("*.proto"):
        path.unlink()
    half = len(content) // 2
    (folder / "pipeline.binpb.000").write_bytes(content[:half])
    (folder / "pipeline.binpb.001").write_bytes(content[half:])
    return content


def test_a_call_needs_no_protoc(driver, pipeline, monkeypatch):
    pipeline.op("src", "us", "source", count=2).op("snk", "uu", "sink").edge("src", "snk")
    described(driver, pipeline)
    monkeypatch.setattr(protobuf.Compiler, "compile", None)

    ends = [f"--target=127.0.0.1:{pipeline.host.port}", f"--out=snk.run={driver.folder}/out.binpb"]
    assert driver.on_pipeline("call", "--node=src", "--operation=run", *ends) == 0
    assert driver.items("out.binpb") == [1, 2]


def test_an_artifact_is_read_as_json_lines(driver, pipeline):
    pipeline.op("src", "us", "source", count=2).op("snk", "uu", "sink").edge("src", "snk")
    described(driver, pipeline)
    file = driver.artifact("a.binpb", [1, 300])

    assert driver.on_pipeline("decode", "--type=Item", str(file)) == 0
    assert [json.loads(line) for line in driver.out.splitlines()] == [{"id": "1"}, {"id": "300"}]


def test_one_name_with_two_meanings_needs_the_node(driver, pipeline):
    pipeline.op("src", "uu", "source", proto=NODE % ("string id = 1;", "Empty", "Item"))
    pipeline.op("map", "uu", "echo", proto=NODE % ("int64 id = 1; int64 more = 2;", "Item", "Item"))
    described(driver, pipeline)
    file = driver.artifact("a.binpb", [5])

    assert driver.on_pipeline("decode", "--type=Item", str(file)) == 2
    assert "declare" in driver.reason
    assert driver.on_pipeline("decode", "--type=map:Item", str(file)) == 0
    assert driver.out == '{"id": "5"}\n'


def test_an_artifact_of_another_type_is_said_to_be(driver, pipeline):
    pipeline.op("src", "us", "source", count=2).op("snk", "uu", "sink").edge("src", "snk")
    described(driver, pipeline)
    (driver.folder / "a.binpb").write_bytes(b"\x02\xff\xff")

    assert driver.on_pipeline("decode", "--type=Item", f"{driver.folder}/a.binpb") == 2
    assert driver.reason.startswith("a.binpb: expected messages t")
    assert driver.on_pipeline("decode", "--type=Other", f"{driver.folder}/a.binpb") == 2
    assert 'found "Other"' in driver.reason


def test_a_node_without_descriptors_has_a_problem_and_a_broken_set_is_refused(driver, pipeline):
    pipeline.op("src", "us", "source", count=2)
    content = described(driver, pipeline)

    assert isinstance(pipeline_folder.of_set(content, ["other"])["other"], Problem)
    with pytest.raises(InvalidRequestError, match="FileDescriptorSet"):
        pipeline_folder.of_set(b"\xff", ["src"])


def test_missing_pieces_are_noticed(driver, pipeline):
    pipeline.op("src", "us", "source", count=2)
    described(driver, pipeline)
    (driver.folder / "pipeline" / "pipeline.binpb.000").unlink()

    assert driver.on_pipeline("run") == 2
    assert pipeline_files.BLUEPRINT in driver.reason
