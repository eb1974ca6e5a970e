"""The folder `--pipeline` in, the solution and what its protos declare out: from descriptors that travel along, or by protoc.

`pipeline.binpb` is a FileDescriptorSet. Two nodes may declare one name differently, so every node gets a pool of its own
with the files that its root imports. A node's root is the file `<node>/main.proto`, `<node>.proto` or `<anything>/<node>.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from orchestrator.pipeline import stem
from shared import blueprint
from shared.errors import InvalidRequestError, InvalidSolutionError
from shared.findings import Finding, Findings
from shared.orchestration import pipeline_files
from shared.protobuf import Compiler, Descriptors, Problem
from shared.solution import Solution, SolutionFiles

DESCRIPTORS = "pipeline.binpb"
# What images, volumes and files beside the graph are like is no concern of a driver.
_FOREIGN = ("image-", "mount-", "proto-", "protos-", "attachment-", "training-")


@dataclass(frozen=True, slots=True)
class PipelineFolder:
    """What lies in the folder."""

    solution: Solution
    protos: Mapping[str, Descriptors | Problem]
    """By `Node.name`."""
    findings: tuple[Finding, ...]


def read(folder: Path) -> PipelineFolder:
    """Read the folder; protoc runs only where no descriptors travel along.

    Raises:
        InvalidRequestError: the folder or its descriptors cannot be read.
        InvalidSolutionError: the blueprint has errors.
    """
    files = _files(folder)
    protos = {stem(name): content for name, content in files.items() if name.endswith(".proto")}
    parsed = blueprint.parse(SolutionFiles(name="", blueprint=files[pipeline_files.BLUEPRINT], protos=protos))
    found = tuple(finding for finding in parsed.findings if not finding.code.startswith(_FOREIGN))
    if parsed.solution is None or Findings(found).errors:
        raise InvalidSolutionError(Findings(found))
    wanted = [node.name for node in parsed.solution.workloads if node.operations]
    if DESCRIPTORS in files:
        return PipelineFolder(parsed.solution, of_set(files[DESCRIPTORS], wanted), found)
    everything = {**protos, **parsed.solution.protos}
    compiled = Compiler().compile(everything, [name for name in wanted if name in everything])
    return PipelineFolder(parsed.solution, compiled, found)


def _files(folder: Path) -> dict[str, bytes]:
    try:
        files = pipeline_files.read(folder)
        inner = folder / "microservice"
        if inner.is_dir():
            files |= {path.name: path.read_bytes() for path in sorted(inner.glob("*.proto"))}
    except (OSError, ValueError) as problem:
        raise InvalidRequestError(
            f"--pipeline: expected a folder with {pipeline_files.BLUEPRINT}: {problem}"
        ) from problem
    if pipeline_files.BLUEPRINT not in files:
        found = ", ".join(sorted(files)[:5]) or "nothing"
        raise InvalidRequestError(f"--pipeline: expected {pipeline_files.BLUEPRINT} in the folder, found {found}")
    return files


def of_set(content: bytes, wanted: list[str]) -> dict[str, Descriptors | Problem]:
    """Return what each of the nodes declares, out of a serialised FileDescriptorSet.

    Raises:
        InvalidRequestError: it is none.
    """
    try:
        files = {file.name: file for file in FileDescriptorSet.FromString(content).file}
    except DecodeError as problem:
        raise InvalidRequestError(f"{DESCRIPTORS}: expected a FileDescriptorSet") from problem
    return {name: _of_node(name, files) for name in wanted}


def _of_node(name: str, files: Mapping[str, FileDescriptorProto]) -> Descriptors | Problem:
    root = next((path for path in _roots(name, files) if path in files), None)
    if root is None:
        return Problem(f"{DESCRIPTORS} has no file {name}.proto or {name}/main.proto")
    pool = DescriptorPool()
    try:
        for file in _with_imports(root, files, set()):
            pool.AddSerializedFile(file.SerializeToString())
        pool.FindFileByName(root)
    except (KeyError, TypeError) as problem:
        return Problem(f"{DESCRIPTORS}: the descriptors of {root} cannot be read: {problem}")
    return Descriptors(pool, root)


def _roots(name: str, files: Mapping[str, FileDescriptorProto]) -> Iterator[str]:
    yield f"{name}/main.proto"
    yield f"{name}.proto"
    yield f"{name}/{name}.proto"
    yield from (path for path in files if PurePosixPath(path).name == f"{name}.proto")


def _with_imports(root: str, files: Mapping[str, FileDescriptorProto], seen: set[str]) -> Iterator[FileDescriptorProto]:
    """Yield the files that `root` imports, then itself: a pool wants them in this order."""
    if root in seen:
        return
    seen.add(root)
    for imported in files[root].dependency:
        yield from _with_imports(imported, files, seen)
    yield files[root]
