"""Whatever the bytes are: findings within a second, never an exception; and what is emitted means the same."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.blueprints import document, edges, found, link, node, operation, operations, parse
from support.timing import within

from shared import blueprint
from shared.blueprint import Parsed
from shared.solution import SolutionFiles

MIB = 1 << 20
ODD = (
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    " ",
    "true",
    "a",
    "A",
    "mountVolume",
    "SharedFolder",
    "Splitter",
    "orchestrator",
    "/data/shared",
    "\0",
    "\u202e",
    "\ud800",
    "x" * 600,
    "${HOME}",
    [],
    [[]],
    [None],
    {},
    {"container_name": "a"},
    {"operation_signature": {"operation_name": "process"}},
    {"depends_on": [{"name": "a"}]},
)


def timed(data: bytes) -> Parsed:
    with within(seconds=1):
        return blueprint.parse(SolutionFiles(name="", blueprint=data))


def repeated(pattern: str, size: int = 2 * MIB) -> str:
    return ",".join([pattern] * (size // (len(pattern) + 1)))


def test_a_blueprint_of_just_two_mebibytes_is_read() -> None:
    data = json.dumps(document(node("a"))).encode()
    padded = data + b" " * (2 * MIB - len(data))

    assert timed(padded).solution is not None
    assert [finding.code for finding in timed(padded + b" ").findings] == ["json-too-large"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 100_000, "json-too-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json-too-deep"),
        (b'{"nodes": ' + b"[" * 50 + b"]" * 50 + b"}", "json-too-deep"),
        (b"[" + b"[]," * 600_000 + b"[]]", "json-too-large"),
        (b" " * (50 * MIB), "json-too-large"),
        (b'"' * (2 * MIB), "json-invalid"),
        (b'{"' + b'\\"' * (MIB - 10), "json-invalid"),
        (b"\\" * (2 * MIB), "json-invalid"),
        (b"/*" * MIB, "json-invalid"),
        (b"/**/" * (MIB // 2), "json-invalid"),
        (b"[1" + b"0" * (2 * MIB - 10) + b"]", "json-number"),
        (b"\0" * MIB, "json-invalid"),
        (b"\xff" * MIB, "json-encoding"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bytes_that_cost_others_dearly_are_one_quick_finding(data: bytes, code: str) -> None:
    parsed = timed(data)

    assert parsed.solution is None
    assert parsed.findings.items[0].code == code


def test_fifty_levels_are_read() -> None:
    deep = json.dumps(document(node("a"), deep=0)).replace('"deep": 0', '"deep": ' + "[" * 49 + "]" * 49).encode()

    assert timed(deep).solution is not None


CONNECTED = (
    '{"nodes": [{"container_name": "a", "operation_signature_list": '
    '[{"operation_signature": {"operation_name": "p"}, "connected_to": [%s]}]}]}'
)


@pytest.mark.parametrize(
    "template",
    [
        '{"nodes": [%s]}',
        '{"nodes": [{"container_name": "a", "operation_signature_list": [%s]}]}',
        CONNECTED,
        '{"nodes": [{"container_name": "a", "depends_on": [%s]}]}',
        '{"nodes": [{"container_name": "a"}], "input_ports": [%s]}',
        '{"nodes": [{"container_name": "a", "depends_on": []}], "input_operation_signatures": [%s]}',
        '{"nodes": [{"container_name": "a"}], "training_clients": [%s]}',
        '{"nodes": [{"container_name": "a"}], "x": [%s, NaN]}',
    ],
)
@pytest.mark.parametrize("pattern", ["1", "{}", '{"container_name": 1}'])
def test_lists_of_a_hundred_thousand_are_answered_in_time(template: str, pattern: str) -> None:
    parsed = timed((template % repeated(pattern, 210_000)).encode())

    assert len(parsed.findings) <= 201
    assert "json-too-large" not in {finding.code for finding in parsed.findings}
    assert parsed.findings.errors


def test_the_number_of_nodes_is_limited() -> None:
    parsed = parse(document(*(node(f"n{number}") for number in range(501))))

    assert found(parsed)[0] == ("error", "too-many-nodes", "$.nodes")
    assert parsed.solution is not None
    assert len(parsed.solution.nodes) == 500


def test_500_nodes_are_read() -> None:
    parsed = parse(document(*(node(f"n{number}") for number in range(500))))

    assert found(parsed) == []


def test_the_number_of_operations_is_limited() -> None:
    nodes = [node(f"n{number}", *(operation(f"p{count}") for count in range(51))) for number in range(99)]

    parsed = parse(document(*nodes))

    assert found(parsed)[0] == ("error", "too-many-operations", "$.nodes[98].operation_signature_list")


def test_the_number_of_edges_is_limited() -> None:
    targets = [f"n{number}.process" for number in range(101)]

    parsed = parse(document(*(node(f"n{number}", operation("process", *targets)) for number in range(101))))

    first = "$.nodes[49].operation_signature_list[0].connected_to"
    assert found(parsed)[0] == ("error", "too-many-edges", first)
    assert parsed.solution is not None
    assert len(parsed.solution.edges) == 5000


def test_hostile_names_are_shown_escaped() -> None:
    parsed = parse(document(node("\x1b[2J\n---\nkind: ClusterRole", operation("\u202e"))), protos={})

    assert all(str(finding).isprintable() and str(finding).isascii() for finding in parsed.findings)


def places(value: Any, above: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) for everything in a JSON value."""
    if above is not None:
        yield above, key
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for inner_key, inner in list(entries):
        yield from places(inner, value, inner_key)


def mutated(source: Any, chance: random.Random) -> Any:
    value = copy.deepcopy(source)
    for _ in range(chance.randint(1, 4)):
        above, key = chance.choice(list(places(value)))
        change = chance.randrange(4)
        if change == 0:
            del above[key]
        elif change == 1:
            above[key] = copy.deepcopy(chance.choice(ODD))
        elif change == 2:
            above[key] = copy.deepcopy(chance.choice(list(places(source)))[0])
        elif isinstance(above, list):
            above.insert(chance.randrange(len(above) + 1), copy.deepcopy(above[key]))
        else:
            above[f"{key}2"] = copy.deepcopy(above[key])
    return value


SAMPLE = document(
    node("/data/shared", operation("provideFolder", "a.mountVolume"), node_type="SharedFolder"),
    node("a", operation("mountVolume"), operation("process", "Split.process", "a.process")),
    node(
        "Split", operation("process", "b-b.process"), node_type="Splitter", image="", splitter_map={"map_outputs": []}
    ),
    node("b-b", data_broker_map={"script": "x"}),
    {"container_name": "old", "image": "x:1", "depends_on": [{"name": "a", "operation_signature": {"operation": "q"}}]},
    input_ports=[link("a")],
    input_operation_signatures=[{"operation": "start"}],
    probeIndicator=[{"value": "true"}],
    training_clients=[],
)


def assert_means_the_same(parsed: Parsed) -> None:
    """Check that an emitted document without errors parses back to itself."""
    first = parsed.solution
    if first is None or parsed.findings.errors:
        return
    again = blueprint.parse(
        SolutionFiles(
            name=first.name,
            blueprint=blueprint.emit(first),
            protos=first.protos,
            shared_folder_paths=tuple(folder.mount_path for folder in first.shared_folders),
        )
    )
    assert again.solution is not None
    assert not again.findings.errors
    assert again.solution.document == first.document
    assert [n.name for n in again.solution.nodes] == [n.name for n in first.nodes]
    assert operations(again.solution) == operations(first)
    assert edges(again.solution) == edges(first)
    assert [n.image for n in again.solution.nodes] == [n.image for n in first.nodes]
    assert again.solution.shared_folders == first.shared_folders
    assert again.solution.protos == first.protos
    assert again.solution.probe == first.probe


@given(st.integers(min_value=0))
@settings(max_examples=250, deadline=None)
def test_a_mutated_blueprint_is_answered_and_keeps_its_meaning(seed: int) -> None:
    source = mutated(SAMPLE, random.Random(seed))  # noqa: S311 - nothing is kept secret with it

    parsed = timed(json.dumps(source).encode())

    assert parsed.solution is not None or parsed.findings.errors
    assert_means_the_same(parsed)


@pytest.fixture(scope="module")
def real(test_data: Path) -> list[Any]:
    paths = sorted((test_data / "corpus" / "solutions").glob("*/blueprint.json"))
    return [json.loads(path.read_bytes()) for path in paths]


def test_mutated_real_blueprints_are_answered_and_keep_their_meaning(real: list[Any]) -> None:
    for seed in range(250):
        chance = random.Random(seed)  # noqa: S311 - nothing is kept secret with it

        parsed = timed(json.dumps(mutated(chance.choice(real), chance)).encode())

        assert parsed.solution is not None or parsed.findings.errors
        assert_means_the_same(parsed)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_answered(data: bytes) -> None:
    parsed = timed(data)

    assert parsed.findings.errors
    assert blueprint.proto_uris(data) == {}


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_blueprint_with_damaged_bytes_is_answered(seed: int, damage: bytes) -> None:
    data = bytearray(json.dumps(SAMPLE).encode())
    start = seed % len(data)
    data[start : start + len(damage)] = damage

    parsed = timed(bytes(data))

    assert parsed.solution is not None or parsed.findings.errors
    assert_means_the_same(parsed)
