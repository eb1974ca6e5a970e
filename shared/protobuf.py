"""A set of protos → descriptors. Every node gets a pool of its own, so that equal names with other content never meet.

protoc runs in a subprocess with limits (`protobuf_worker`); files lie under names of ours, and an import reaches a
sibling through a mapping of that one name: no name from outside becomes a path. Results are kept by content.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from shared import protobuf_imports, protobuf_worker
from shared.findings import quoted

PROTO_BYTES = 256 << 10
ALL_PROTOS_BYTES = 16 << 20
COMPILE_SECONDS = 30
_GOOGLE = f"-I{files('grpc_tools') / '_proto'}"
_KEPT = 1000
_PROCESSES = 2
_SHARED_FROM = 50
"""Protos from which a second process pays."""
_DESCRIPTOR_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of a service, as gRPC needs it."""

    path: str
    """`/package.Service/Method`"""
    input: Descriptor
    output: Descriptor
    input_stream: bool
    output_stream: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a proto has no descriptors."""

    text: str


@dataclass(frozen=True)
class Descriptors:
    """What one proto declares and imports, in a pool of its own."""

    _pool: DescriptorPool
    _own_file: str

    @cached_property
    def rpcs(self) -> tuple[Rpc, ...]:
        """Every method of every service of the file itself, not of its imports."""
        services = self._pool.FindFileByName(self._own_file).services_by_name.values()
        return tuple(_rpc(method) for service in services for method in service.methods)

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """Full names of the top-level messages of the file itself."""
        return tuple(m.full_name for m in self._pool.FindFileByName(self._own_file).message_types_by_name.values())

    @cached_property
    def files(self) -> tuple[FileDescriptorProto, ...]:
        """The file itself and all that it imports, by name, imports before what imports them."""
        found: dict[str, FileDescriptorProto] = {}
        _collect(self._pool.FindFileByName(self._own_file), found)
        return tuple(found.values())


def message_class(descriptor: Descriptor) -> type[Message]:
    """Return the class that reads and writes messages of this type."""
    return GetMessageClass(descriptor)


def _collect(file: FileDescriptor, found: dict[str, FileDescriptorProto]) -> None:
    for imported in file.dependencies:
        if imported.name not in found:
            _collect(imported, found)
    made = FileDescriptorProto()
    file.CopyToProto(made)
    found[file.name] = made


def _rpc(method: MethodDescriptor) -> Rpc:
    path = f"/{method.containing_service.full_name}/{method.name}"
    return Rpc(path, method.input_type, method.output_type, method.client_streaming, method.server_streaming)


class Compiler:
    """Compiles protos and remembers the results by content; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes | Problem] = OrderedDict()
        self._lock = threading.Lock()

    def compile(self, protos: Mapping[str, bytes], wanted: Iterable[str]) -> dict[str, Descriptors | Problem]:
        """Compile the protos of the stems `wanted`; an import names any stem in `protos`, by its file name.

        Never raises for what a proto contains: each stem has its descriptors or its problem.
        """
        texts, results = _texts(protos)
        spellings = {known.lower(): known for known in texts}
        jobs = {stem: _job(stem, texts, spellings) for stem in wanted if stem in texts}
        with self._lock:
            self._run({job.key: job for job in jobs.values() if job.key not in self._kept})
            for stem, job in jobs.items():
                self._kept.move_to_end(job.key)
                results[stem] = _descriptors(self._kept[job.key])
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return {stem: results.get(stem, Problem("there is no such proto")) for stem in wanted}

    def _run(self, jobs: Mapping[str, _Job]) -> None:
        for key, job in jobs.items():
            if job.missing:
                names = ", ".join(quoted(name) for name in job.missing)
                self._kept[key] = Problem(f"imports files that the solution does not have: {names}")
        ready = [job for job in jobs.values() if not job.missing]
        shares = [ready[start::_PROCESSES] for start in range(_PROCESSES)] if len(ready) > _SHARED_FROM else [ready]
        with ThreadPoolExecutor(_PROCESSES) as threads:
            for results in threads.map(_compiled, filter(None, shares)):
                self._kept.update(results)


@dataclass(frozen=True, slots=True)
class _Job:
    key: str
    text: str
    imports: Mapping[str, str]
    """Import name → text of the sibling."""
    missing: tuple[str, ...]


def _texts(protos: Mapping[str, bytes]) -> tuple[dict[str, str], dict[str, Descriptors | Problem]]:
    texts: dict[str, str] = {}
    problems: dict[str, Descriptors | Problem] = {}
    total = 0
    for stem, content in protos.items():
        total += len(content)
        if len(content) > PROTO_BYTES or total > ALL_PROTOS_BYTES:
            problems[stem] = Problem(f"expected at most {PROTO_BYTES} bytes, and {ALL_PROTOS_BYTES} in all")
            continue
        try:
            texts[stem] = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            problems[stem] = Problem("expected UTF-8 text")
    return texts, problems


def _job(stem: str, texts: Mapping[str, str], spellings: Mapping[str, str]) -> _Job:
    found, missing = protobuf_imports.reachable(stem, texts, spellings)
    imports = {name: texts[target] for name, target in sorted(found.items())}
    key = hashlib.sha256(json.dumps([texts[stem], imports, missing]).encode()).hexdigest()
    return _Job(key, texts[stem], imports, missing)


def _compiled(jobs: Sequence[_Job]) -> dict[str, bytes | Problem]:
    with tempfile.TemporaryDirectory(prefix="slipway-protos-") as name:
        folder = Path(name)
        arguments = [_arguments(folder, index, job) for index, job in enumerate(jobs)]
        command = [sys.executable, "-I", protobuf_worker.__file__]
        try:
            done = subprocess.run(  # noqa: S603 a fixed program; the jobs travel on standard input
                command,
                input=json.dumps(arguments).encode(),
                capture_output=True,
                timeout=COMPILE_SECONDS,
                check=True,
                cwd=folder,
                env={},
            )
            reports = json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError):
            return _one_by_one(jobs)
        return {
            job.key: _outcome(folder, index, code, messages)
            for index, (job, (code, messages)) in enumerate(zip(jobs, reports, strict=True))
        }


def _one_by_one(jobs: Sequence[_Job]) -> dict[str, bytes | Problem]:
    if len(jobs) == 1:
        return {jobs[0].key: Problem("protoc did not finish within its limits of time and memory")}
    results: dict[str, bytes | Problem] = {}
    for job in jobs:
        results |= _compiled([job])
    return results


def _arguments(folder: Path, index: int, job: _Job) -> list[str]:
    """Write the files of a job and return what protoc is told; all lie flat, because folders are slow to remove."""
    main = folder / f"{index}.proto"
    main.write_text(job.text, encoding="utf-8")
    numbers: dict[str, int] = {}
    mappings = []
    for name, text in job.imports.items():
        file = folder / f"{index}-{numbers.setdefault(text, len(numbers))}.proto"
        file.write_text(text, encoding="utf-8")
        mappings.append(f"-I{name}={file}")
    options = ["--include_imports", f"--descriptor_set_out={folder / str(index)}"]
    return [*mappings, f"-Imain.proto={main}", _GOOGLE, *options, str(main)]


def _outcome(folder: Path, index: int, code: int, messages: str) -> bytes | Problem:
    output = folder / str(index)
    if code != 0 or not output.is_file():
        text = messages.replace(f"{folder}/{index}.proto", "main.proto").replace(f"{folder}/", "")
        return Problem(text.strip()[:2000] or f"protoc ended with code {code}")
    if output.stat().st_size > _DESCRIPTOR_BYTES:
        return Problem(f"expected descriptors of at most {_DESCRIPTOR_BYTES} bytes")
    return output.read_bytes()


def _descriptors(result: bytes | Problem) -> Descriptors | Problem:
    if isinstance(result, Problem):
        return result
    pool = DescriptorPool()
    try:
        for file in FileDescriptorSet.FromString(result).file:
            pool.AddSerializedFile(file.SerializeToString())
        pool.FindFileByName("main.proto")
    except (DecodeError, TypeError, KeyError) as problem:
        return Problem(f"the descriptors cannot be read: {problem}")
    return Descriptors(pool, "main.proto")
