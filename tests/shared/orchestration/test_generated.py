"""The generated code is what the protos say, in a form that old protobuf runtimes accept."""

from __future__ import annotations

import pytest

from shared.orchestration import regenerate
from shared.orchestration.generated import orchestrator_pb2


@pytest.fixture(scope="module")
def generated() -> dict[str, bytes]:
    return regenerate.generate()


def test_the_committed_code_is_what_the_protos_generate(generated):
    folder = regenerate.FOLDER / "generated"

    committed = {path.name: path.read_bytes() for path in folder.glob("*_pb2*")}

    assert committed == generated


def test_the_generated_code_asks_for_no_version_of_the_protobuf_runtime(generated):
    assert [name for name, content in generated.items() if b"runtime_version" in content] == []


def test_graphenes_service_has_no_package_and_its_five_methods(generated):
    stub = generated["orchestrator_pb2_grpc.py"].decode()

    assert [line.strip(' ",') for line in stub.splitlines() if '"/Orchestrator/' in line] == [
        "/Orchestrator/initialize",
        "/Orchestrator/run",
        "/Orchestrator/observe",
        "/Orchestrator/get_status",
        "/Orchestrator/stop_orchestration",
    ]


def test_the_numbers_of_graphenes_fields_never_change():
    messages = orchestrator_pb2.DESCRIPTOR.message_types_by_name
    numbers = {name: {f.name: f.number for f in message.fields} for name, message in messages.items()}

    assert numbers == {
        "OrchestrationConfiguration": {
            "blueprint": 1,
            "dockerinfo": 2,
            "protofiles": 3,
            "queuesize": 4,
            "iterations": 5,
        },
        "OrchestrationStatus": {"success": 1, "code": 2, "message": 3, "active_threads": 4},
        "OrchestrationObservationConfiguration": {"name_regex": 1, "component_regex": 2},
        "OrchestrationEvent": {"run": 1, "name": 2, "component": 3, "detail": 4},
        "RunLabel": {"label": 1},
    }
