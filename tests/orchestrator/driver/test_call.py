"""One operation between artifacts: every kind of operation, what an artifact holds, and every way to fail."""

from __future__ import annotations

import pytest
from support.node_host import item, varint


@pytest.mark.parametrize("kind", ["uu", "us", "su", "ss"])
def test_each_kind_of_operation_is_called_with_what_the_artifact_holds(driver, pipeline, kind):
    pipeline.op("src", "us", "source", count=3).op("map", kind, "echo").op("snk", "uu", "sink").edge(
        "src", "map", "snk"
    )
    given = driver.artifact("in.binpb", [1, 2, 3])

    status = driver.call(pipeline, "map", f"--in=src.run={given}", f"--out=snk.run={driver.folder}/out.binpb")

    assert status == 0
    assert driver.items("out.binpb") == ([6] if kind == "su" else [1, 2, 3])


def test_a_source_is_called_until_its_data_end(driver, pipeline):
    pipeline.op("src", "uu", "source", count=4).op("snk", "uu", "sink").edge("src", "snk")

    assert driver.call(pipeline, "src", f"--out=snk.run={driver.folder}/out.binpb") == 0
    assert driver.items("out.binpb") == [1, 2, 3, 4]
    assert driver.logs[-1] | {"event": "call_finished", "written": {"snk.run": 4}} == driver.logs[-1]


def test_a_source_is_called_as_often_as_asked(driver, pipeline):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")

    assert driver.call(pipeline, "src", "--iterations=2", f"--out=snk.run={driver.folder}/out.binpb") == 0
    assert driver.items("out.binpb") == [1, 2]


def test_artifacts_of_several_edges_are_taken_in_the_order_of_the_command_line(driver, pipeline):
    pipeline.op("one", "us", "source", count=1).op("two", "us", "source", count=1).op("snk", "uu", "sink")
    pipeline.edge("one", "snk").edge("two", "snk")
    first, second = driver.artifact("b.binpb", range(201, 400)), driver.artifact("a.binpb", [1, 2])

    assert driver.call(pipeline, "snk", f"--in=two.run={first}", f"--in=one.run={second}") == 0
    assert pipeline.received("snk") == [*range(201, 400), 1, 2]


def test_a_copying_splitter_needs_no_target(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).internal("split", "Splitter", splitter_type="Copy-based")
    pipeline.op("one", "uu", "sink").op("two", "uu", "sink").edge("src", "split", "one").edge("split", "two")
    given = driver.artifact("in.binpb", [7, 8])
    out = [f"--out={name}.run={driver.folder}/{name}.binpb" for name in ("one", "two")]

    assert driver.call(pipeline, "split", f"--in=src.run={given}", *out) == 0
    assert (driver.items("one.binpb"), driver.items("two.binpb")) == ([7, 8], [7, 8])


def test_a_collator_joins_the_nth_message_of_every_edge_and_tells_what_found_no_partner(driver, pipeline):
    together = "message Empty {} message Item { int64 id = 1; } message Pair { repeated Item items = 1; }"
    proto = f'syntax = "proto3"; package c; {together} service Snk {{ rpc run(Pair) returns (Empty); }}'
    pipeline.op("one", "us", "source", count=1).op("two", "us", "source", count=1)
    pipeline.internal("join", "Collator", collator_type="Array-based")
    pipeline.op("snk", "uu", "sink", takes="Pair", proto=proto)
    pipeline.edge("one", "join").edge("two", "join").edge("join", "snk")
    # What a source writes on an edge into a collator is what the collator joins.
    assert driver.call(pipeline, "one", f"--out=join.run={driver.folder}/one.binpb") == 0
    many = driver.folder / "many.binpb"
    many.write_bytes((driver.folder / "one.binpb").read_bytes() * 300)
    few = driver.folder / "few.binpb"
    few.write_bytes((driver.folder / "one.binpb").read_bytes() * 150)

    files = [f"--in=one.run={many}", f"--in=two.run={few}", f"--out=snk.run={driver.folder}/out.binpb"]
    assert driver.call(pipeline, "join", *files) == 0

    assert driver.messages("out.binpb") == [b"\x0a\x02\x08\x01\x0a\x02\x08\x01"] * 150
    assert (driver.logs[-1]["read"], driver.logs[-1]["unread"]) == (450, 150)


def test_the_digest_depends_on_the_messages_alone(driver, pipeline):
    pipeline.op("src", "uu", "source", count=9).op("snk", "uu", "sink").edge("src", "snk")
    digests = []
    for number, calls in enumerate((2, 2, 3)):
        out = f"--out=snk.run={driver.folder}/{number}.binpb"
        pipeline.behaviours[pipeline.paths["src"]] = {"kind": "uu", "do": "fixed", "hex": "0801"}
        driver.call(pipeline, "src", f"--iterations={calls}", out, f"--digest={driver.folder}/digest")
        digests.append((driver.folder / "digest").read_text())

    assert len(digests[0]) == 32
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_the_digest_also_depends_on_what_is_named(driver, pipeline):
    pipeline.op("src", "uu", "source", count=9).op("snk", "uu", "sink").edge("src", "snk")
    pipeline.behaviours[pipeline.paths["src"]] = {"kind": "uu", "do": "fixed", "hex": "0801"}
    digests = []
    for named in ([], ["--digest-with=LEVEL=1"], ["--digest-with=LEVEL=2"], ["--digest-with=LEVEL=2"]):
        out = f"--out=snk.run={driver.folder}/{len(digests)}.binpb"
        driver.call(pipeline, "src", "--iterations=1", out, f"--digest={driver.folder}/digest", *named)
        digests.append((driver.folder / "digest").read_text())

    assert len(set(digests[:3])) == 3
    assert digests[2] == digests[3]


def test_a_call_that_fails_for_now_is_made_again(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink", fail_calls=[1], code="ABORTED")
    pipeline.edge("src", "snk")
    given = driver.artifact("in.binpb", [1])
    pipeline.behaviours[pipeline.paths["snk"]]["fail_calls"] = [pipeline.calls("snk") + 1]

    assert driver.call(pipeline, "snk", f"--in=src.run={given}") == 0
    assert driver.logs[-1]["retries"] == 1


def test_a_poison_message_fails_in_words_and_leaves_no_artifact(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("map", "uu", "echo", fail_ids=[2]).op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")
    given = driver.artifact("in.binpb", [1, 2, 3])

    status = driver.call(pipeline, "map", f"--in=src.run={given}", f"--out=snk.run={driver.folder}/out/o.binpb")

    assert (status, driver.reason) == (1, "map.run: UNKNOWN: poison")
    assert list((driver.folder / "out").iterdir()) == []


def test_the_deadline_has_a_status_of_its_own(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink", delay=30).edge("src", "snk")
    given = driver.artifact("in.binpb", [1])

    assert driver.call(pipeline, "snk", f"--in=src.run={given}", "--timeout=0.3") == 3
    assert driver.reason == "the call did not end within 0.3 s"


def test_a_target_that_never_answers_is_named(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink").edge("src", "snk")
    given = driver.artifact("in.binpb", [1])

    assert driver.call(pipeline, "snk", "--target=127.0.0.1:1", "--wait=0.2", f"--in=src.run={given}") == 1
    assert driver.reason.startswith("127.0.0.1:1 did not answer within 0.2 s")


@pytest.mark.parametrize("content", [b"\x05abc", b"\xff", b"\x80" * 11])
def test_a_broken_artifact_is_refused(driver, pipeline, content):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink").edge("src", "snk")
    (driver.folder / "in.binpb").write_bytes(content)

    assert driver.call(pipeline, "snk", f"--in=src.run={driver.folder}/in.binpb") == 2
    assert driver.reason.startswith("in.binpb: ")


def test_every_edge_needs_its_file(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink").edge("src", "snk")

    assert driver.call(pipeline, "snk") == 2
    assert driver.reason == "--in: expected a file for every edge, found none for src.run"


def test_an_unknown_edge_is_refused_with_those_there_are(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("snk", "uu", "sink").edge("src", "snk")

    assert driver.call(pipeline, "snk", "--in=other.run=x") == 2
    assert driver.reason == '--in: expected one of src.run, input, found "other.run"'


def test_an_operation_that_no_edge_leads_into_takes_messages_of_the_user(driver, pipeline):
    pipeline.op("map", "uu", "echo").op("src", "us", "source", count=1)
    given = driver.artifact("in.binpb", [4, 5])

    assert driver.call(pipeline, "map", f"--in=input={given}", f"--out=output={driver.folder}/out.binpb") == 0
    assert driver.items("out.binpb") == [4, 5]


def test_an_operation_in_a_cycle_is_refused(driver, pipeline):
    pipeline.op("src", "us", "source", count=1).op("loop", "us", "countdown").edge("src", "loop", "loop")
    given = driver.artifact("in.binpb", [1])
    files = [f"--in=src.run={given}", f"--in=loop.run={given}", f"--out=loop.run={driver.folder}/out.binpb"]

    assert driver.call(pipeline, "loop", *files) == 1
    assert driver.reason == "loop.run is in a cycle: it can only be run with the whole graph"


def test_messages_that_do_not_fit_are_refused_before_any_call(driver, pipeline):
    other = 'syntax = "proto3"; package z; message Empty {} message Item { string id = 1; } '
    pipeline.op("src", "us", "source", count=1)
    pipeline.op("snk", "uu", "sink", proto=other + "service Snk { rpc run(Item) returns (Empty); }").edge("src", "snk")

    assert driver.call(pipeline, "snk", f"--in=src.run={driver.folder}/x") == 1
    assert "src.run -> snk.run" in driver.reason


@pytest.mark.parametrize("length", [1, 20_000])
def test_a_full_disk_is_the_reason_in_the_last_line(driver, pipeline, length):
    pipeline.op("src", "us", "source", count=1).internal("split", "Splitter", splitter_type="Copy-based")
    pipeline.op("snk", "uu", "sink").edge("src", "split", "snk")
    message = item(1, b"x" * length)
    (driver.folder / "in.binpb").write_bytes(varint(len(message)) + message)
    (driver.folder / ".out.binpb.part").symlink_to("/dev/full")

    files = [f"--in=src.run={driver.folder}/in.binpb", f"--out=snk.run={driver.folder}/out.binpb"]
    assert driver.call(pipeline, "split", *files) == 1

    assert driver.logs[-1]["code"] == "run_failed"
    assert driver.reason == f"{driver.folder}/out.binpb: cannot be written: No space left on device"
