"""What of this package a bundle carries: the client's scripts and Graphene's proto, under Graphene's paths."""

from __future__ import annotations

from importlib.resources import files

_PACKAGE = "shared.orchestration"
_FILES = {
    "orchestrator_client/orchestrator_client.py": "scripts/orchestrator_client.py",
    "orchestrator_client/orchestrator_pb2.py": "generated/orchestrator_pb2.py",
    "orchestrator_client/orchestrator_pb2_grpc.py": "generated/orchestrator_pb2_grpc.py",
    "orchestrator_client/status_client.py": "scripts/status_client.py",
    "protobuf/orchestrator.proto": "protos/orchestrator.proto",
}
"""Path in the bundle → path in this package."""


def client_files() -> dict[str, bytes]:
    """Return the files by their path in a bundle; the same bytes on every call."""
    folder = files(_PACKAGE)
    return {path: folder.joinpath(source).read_bytes() for path, source in _FILES.items()}
