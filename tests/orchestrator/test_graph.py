"""Whatever is wrong with a pipeline is found before it runs, all at once."""

from __future__ import annotations

import json
import resource

import pytest
from support.pipelines import Host, Pipeline

from orchestrator.addresses import HostRule
from orchestrator.pipeline import Configuration, prepare
from orchestrator.plan import Part
from shared.errors import InvalidSolutionError
from shared.protobuf import Compiler


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(Host(None, 1))


def planned(configuration: Configuration, rule: HostRule | None = None):
    return prepare(configuration, rule or HostRule(), Compiler())


def errors(configuration: Configuration, rule: HostRule | None = None) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSolutionError) as problem:
        planned(configuration, rule)
    return [(finding.code, finding.found) for finding in problem.value.findings.errors]


def entry(name: str, port: int) -> dict[str, object]:
    return {"container_name": name, "ip_address": "localhost", "port": port}


def simple(pipeline: Pipeline) -> Pipeline:
    return pipeline.op("src", "uu", "source").op("snk", "su", "sink").edge("src", "snk")


def test_path_and_kind_of_an_operation_come_from_its_descriptor(pipeline):
    plan = planned(simple(pipeline).configuration()).plan

    source, sink = plan.operations
    assert (source.path, source.part, source.address) == (f"/{pipeline.package}.Src/run", Part.SOURCE, "127.0.0.1:1")
    assert (sink.part, sink.input_stream, sink.is_trigger) == (Part.CALL, True, False)


def test_a_google_empty_makes_a_source_too(pipeline):
    simple(pipeline)
    pipeline.nodes["src"]["proto"] = f"""syntax = "proto3"; package {pipeline.package};
import "google/protobuf/empty.proto"; message Item {{ int64 id = 1; bytes payload = 2; }}
service Src {{ rpc run(google.protobuf.Empty) returns (Item); }}"""

    assert planned(pipeline.configuration()).plan.operations[0].part is Part.SOURCE


def test_several_services_of_one_proto_are_told_apart(pipeline):
    simple(pipeline)
    proto = f"""syntax = "proto3"; package {pipeline.package}; message Empty {{}} message Item {{ int64 id = 1; bytes payload = 2; }}
message Other {{}} service First {{ rpc run(Other) returns (Item); }} service Second {{ rpc run(Empty) returns (Item); }}"""
    pipeline.nodes["src"]["proto"] = proto

    assert planned(pipeline.configuration()).plan.operations[0].path == f"/{pipeline.package}.Second/run"


def test_an_unknown_operation_is_an_error_that_shows_what_there_is(pipeline):
    simple(pipeline).nodes["src"]["proto"] = 'syntax = "proto3"; message E {} service S { rpc go(E) returns (E); }'

    assert errors(pipeline.configuration()) == [("operation-unknown", "/S/go")]


def test_a_stream_flag_that_disagrees_is_an_error(pipeline):
    configuration = simple(pipeline).configuration()
    text = configuration.blueprint.replace(b'"input_message_stream": true', b'"input_message_stream": false')

    found = errors(Configuration(text, configuration.dockerinfo, configuration.protos))

    assert found == [("stream-differs", "false")]


def test_an_old_blueprint_without_stream_flags_takes_them_from_the_proto(pipeline):
    configuration = simple(pipeline).configuration()
    text = configuration.blueprint.replace(b', "input_message_stream": true', b"").replace(
        b', "output_message_stream": false', b""
    )

    plan = planned(Configuration(text, configuration.dockerinfo, configuration.protos)).plan

    assert plan.operations[1].input_stream is True


def test_messages_that_do_not_fit_are_an_error_that_shows_both_sides(pipeline):
    simple(pipeline).nodes["snk"]["messages"] = "message Item { string name = 1; }"

    ((code, found),) = errors(pipeline.configuration())

    assert code == "messages-incompatible"
    assert "int64 id = 1 against string name = 1" in found


def test_messages_that_only_differ_are_a_warning(pipeline):
    simple(pipeline).nodes["snk"]["messages"] = "message Item { int64 id = 1; }"

    found = planned(pipeline.configuration()).findings

    assert [(f.severity, f.code) for f in found if f.severity != "note"] == [("warning", "messages-differ")]


@pytest.mark.parametrize(
    ("dockerinfo", "codes"),
    [
        ("{", ["dockerinfo-invalid", "address-missing", "address-missing"]),
        ("[" * 100_000, ["dockerinfo-invalid", "address-missing", "address-missing"]),
        (
            '{"docker_info_list": [{"container_name": "src", "ip_address": "localhost", "port": "1"}]}',
            ["address-missing"],
        ),
        (
            json.dumps({"docker_info_list": [entry("src", 1), entry("SRC", 1), entry("snk", 0)]}),
            ["dockerinfo-duplicate", "dockerinfo-entry", "address-missing"],
        ),
    ],
)
def test_what_is_wrong_with_dockerinfo_is_told(pipeline, dockerinfo, codes):
    configuration = simple(pipeline).configuration()

    found = errors(Configuration(configuration.blueprint, dockerinfo, configuration.protos))

    assert [code for code, _ in found] == codes


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "example.org", "10.0.0.1", "other.elsewhere", "src.elsewhere.svc", "::1"]
)
def test_in_a_cluster_only_services_of_the_own_namespace_are_called(host):
    assert HostRule(namespace="mine").target(host) is None


@pytest.mark.parametrize("host", ["src", "SRC", "src.mine", "src.mine.svc", "src.mine.svc.cluster.local"])
def test_a_service_is_called_by_its_full_name(host):
    assert HostRule(namespace="mine").target(host) == "src.mine.svc"


@pytest.mark.parametrize(
    ("host", "target"), [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("nas", None)]
)
def test_outside_a_cluster_only_this_machine_is_called(host, target):
    assert HostRule().target(host) == target


def test_an_operator_may_allow_further_hosts():
    assert HostRule(allowed=frozenset({"nas"})).target("NAS") == "nas"
    assert HostRule(allowed=frozenset({"*"})).target("anything") == "anything"


def test_an_unknown_policy_is_an_error(pipeline):
    simple(pipeline).orchestration = {
        "operations": {"src.run": {"retires": 3}, "gone.run": {}},
        "edges": {"x -> y": {}},
    }

    assert [code for code, _ in errors(pipeline.configuration())] == [
        "policy-invalid",
        "policy-unknown",
        "policy-unknown",
    ]


def test_a_proto_that_does_not_compile_is_told_with_its_line(pipeline):
    simple(pipeline).nodes["src"]["proto"] = 'syntax = "proto3"; message {'

    ((code, found),) = errors(pipeline.configuration())

    assert code == "proto-invalid"
    assert found.startswith("main.proto:1:28: Expected message name.")


def test_imports_of_siblings_are_found(pipeline):
    simple(pipeline).files["types/common.proto"] = (
        'syntax = "proto3"; package c; message Item { int64 id = 1; bytes payload = 2; }'
    )
    pipeline.nodes["src"][
        "proto"
    ] = f"""syntax = "proto3"; package {pipeline.package}; import "types/common.proto"; message Empty {{}}
service Src {{ rpc run(Empty) returns (c.Item); }}"""

    assert planned(pipeline.configuration()).plan.operations[0].output.full_name == "c.Item"


def test_a_cycle_is_closed_by_one_edge(pipeline):
    pipeline.op("src", "uu", "source").op("a", "uu", "echo").op("b", "uu", "echo").edge("src", "a", "b", "a")

    plan = planned(pipeline.configuration()).plan

    assert [plan.edge_name(edge) for edge in plan.edges if edge.closes_cycle] == ["b.run -> a.run"]
    assert plan.groups == ((0,), (1, 2))


def test_a_pipeline_of_300_nodes_is_planned_quickly(pipeline):
    pipeline.op("n0", "uu", "source")
    for number in range(1, 300):
        pipeline.op(f"n{number}", "uu", "echo").edge(f"n{number - 1}", f"n{number}")
        pipeline.nodes[f"n{number}"]["messages"] += f" message Own{number} {{}}"
    configuration = pipeline.configuration()

    before = cpu_seconds()
    planned(configuration)

    # CPU time, because tests share their machine; on a quiet one it is about the time that passes.
    assert cpu_seconds() - before < 0.6


def cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def test_every_real_pipeline_with_protos_is_planned_or_told_precisely(test_data):
    outcomes = {}
    for folder in sorted((test_data / "corpus" / "solutions").iterdir()):
        protos = {path.name: path.read_bytes() for path in folder.glob("microservice/*.proto")}
        if not protos:
            continue
        entries = [
            {"container_name": name.removesuffix(".proto"), "ip_address": "localhost", "port": 1} for name in protos
        ]
        blueprint = (folder / "blueprint.json").read_bytes()
        configuration = Configuration(blueprint, json.dumps({"docker_info_list": entries}), protos)
        outcomes[folder.name] = len(planned(configuration).plan.edges)

    assert outcomes == {
        "ai4eu-graphene--sudoku-stream": 4,
        "cloudferro--news-training-pi": 1,
        "cloudferro--sudoku-tutorial": 4,
    }
