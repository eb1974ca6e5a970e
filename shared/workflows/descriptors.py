"""The protos of a solution as one FileDescriptorSet, `pipeline.binpb`: who reads messages needs no protoc.

Nodes may declare the same names differently. So the files of a node lie under its name: `NODE/main.proto` is its own,
`NODE/…` what that imports; only Google's well-known files are there once, under their own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.findings import Finding, Findings, quoted, warning
from shared.solution import Solution
from shared.workflows.described import Described

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from shared.protobuf import Compiler, Descriptors

_GOOGLE = "google/protobuf/"


def describe(solution: Solution) -> Described:
    """Compile the protos of the nodes. Runs protoc, once for the same protos: the one thing in a build that is not pure."""
    wanted = tuple(node.name for node in solution.workloads if node.name in solution.protos)
    return _described(tuple(solution.protos.items()), wanted) if wanted else Described(b"", Findings())


@lru_cache(maxsize=16)
def _described(protos: tuple[tuple[str, bytes], ...], wanted: tuple[str, ...]) -> Described:
    from shared.protobuf import Descriptors  # noqa: PLC0415 - who only lists deployers needs no protoc

    results = _compiler().compile(dict(protos), wanted)
    found = {name: result for name, result in results.items() if isinstance(result, Descriptors)}
    problems = {name: result.text for name, result in results.items() if not isinstance(result, Descriptors)}
    return Described(described_set(found), Findings(tuple(_problem(name, text) for name, text in problems.items())))


def described_set(compiled: Mapping[str, Descriptors]) -> bytes:
    """Return the set of these nodes; the same bytes for the same protos."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet  # noqa: PLC0415 - as above

    files: dict[str, FileDescriptorProto] = {}
    for node, descriptors in compiled.items():
        for file in descriptors.files:
            moved = _moved(file, node)
            files.setdefault(moved.name, moved)
    return FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True) if files else b""


@lru_cache(maxsize=1)
def _compiler() -> Compiler:
    from shared.protobuf import Compiler  # noqa: PLC0415 - as above

    return Compiler()


def _moved(file: FileDescriptorProto, node: str) -> FileDescriptorProto:
    """Return a file under the name of its node, and its imports with it."""
    if file.name.startswith(_GOOGLE):
        return file
    made = type(file).FromString(file.SerializeToString())
    made.name = f"{node}/{file.name}"
    made.dependency[:] = [name if name.startswith(_GOOGLE) else f"{node}/{name}" for name in file.dependency]
    return made


def _problem(node: str, text: str) -> Finding:
    return warning(
        "proto-not-compiled",
        f"microservice/{node}.proto",
        expected="a proto that protoc takes",
        found=quoted(text, limit=300),
        hint="its operations cannot be called, and its messages not be read",
    )
