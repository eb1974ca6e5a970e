"""Starts the nodes of the samples as processes of their own, and calls them over gRPC by their protos alone."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from grpc_tools import protoc

SAMPLES = Path(__file__).parents[2] / "samples"
PATIENCE = 60.0  # seconds for a node to start on a machine that does much else

Prepare = Callable[[str, Mapping[str, object]], dict[str, Any]]
StartNode = Callable[..., AbstractContextManager["RunningNode"]]


class Proto:
    """The descriptors of one proto, in a pool of its own: protos of one sample repeat each other's messages."""

    def __init__(self, path: Path, folder: Path) -> None:
        output = folder / f"{path.stem}.descriptors"
        command = ["protoc", f"-I{path.parent}", f"-I{files('grpc_tools') / '_proto'}", "--include_imports"]
        assert protoc.main([*command, f"--descriptor_set_out={output}", path.name]) == 0
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes()).file
        self._pool = descriptor_pool.DescriptorPool()
        for descriptor in descriptors:
            self._pool.Add(descriptor)
        self._package = descriptors[-1].package
        (self.service,) = self._pool.FindFileByName(path.name).services_by_name.values()

    def message(self, name: str, /, **fields: object) -> message.Message:
        """Return a new message of that name; a name with a dot is a full one."""
        full_name = f"{self._package}.{name}" if self._package and "." not in name else name
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(full_name))(**fields)


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


class RunningNode:
    """A node's process, what it has logged, and a client for its operations."""

    def __init__(self, process: subprocess.Popen[str], proto: Proto | None) -> None:
        self.process = process
        self.proto = proto
        self.events: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._channel: grpc.Channel | None = None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                event = json.loads(line, parse_constant=_refuse)
            except ValueError:
                event = {"event": "not JSON", "line": line}
            with self._news:
                self.events.append(event)
                self._news.notify_all()

    def wait_for(self, event: str, **facts: object) -> dict[str, Any]:
        """Return the first event of that name with these facts as soon as it is there."""
        with self._news:
            found = self._news.wait_for(lambda: self.logged(event, **facts), timeout=PATIENCE)
            assert found, f"no event {event} with {facts} in {self.events}"
            return found[0]

    def logged(self, event: str, **facts: object) -> list[dict[str, Any]]:
        """Return the events of that name with these facts so far."""
        wanted = {"event": event, **facts}
        return [entry for entry in self.events if all(entry.get(key) == value for key, value in wanted.items())]

    def message(self, name: str, /, **fields: object) -> message.Message:
        """Return a new message of the node's proto."""
        assert self.proto is not None
        return self.proto.message(name, **fields)

    def call(self, operation: str, request: message.Message | Iterable[message.Message]) -> Any:
        """Call an operation in the way its proto says; a stream comes back as the call, which is its iterator."""
        assert self.proto is not None
        if self._channel is None:
            port = self.wait_for("serving")["port"]
            options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
            self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        method = self.proto.service.methods_by_name[operation]
        kind = "_".join(
            "stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming)
        )
        multicallable = getattr(self._channel, kind)(
            f"/{self.proto.service.full_name}/{operation}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        return multicallable(request, timeout=PATIENCE)

    def terminate(self) -> float:
        """Send SIGTERM and return the seconds until the process is gone."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        return time.monotonic() - started

    def close(self) -> None:
        """End the process, if it is not over, and everything around it."""
        if self._channel is not None:
            self._channel.close()
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert self.logged("not JSON") == []


@pytest.fixture(scope="session")
def assembling() -> ModuleType:
    """Return the module `samples/assemble.py`, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("samples_assemble", SAMPLES / "assemble.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def proto_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Proto | None]:
    """Return the proto of SAMPLE/NODE, or None where there is none."""
    folder = tmp_path_factory.mktemp("descriptors")

    def find(name: str) -> Proto | None:
        sample, _, node = name.partition("/")
        path = SAMPLES / sample / "microservice" / f"{node}.proto"
        return Proto(path, folder) if path.is_file() else None

    return find


@pytest.fixture(scope="session")
def prepare(assembling: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Return what it takes to run SAMPLE/NODE with these settings, on free ports of this machine."""
    root = tmp_path_factory.mktemp("nodes")

    def arguments(name: str, settings: Mapping[str, object]) -> dict[str, Any]:
        folder = root / name
        if not folder.is_dir():
            assembling.assemble(name, folder)
        environment = {"HOST": "127.0.0.1", "PORT": "0", "WEB_UI_PORT": "0"} | {k: str(v) for k, v in settings.items()}
        return {
            "args": [sys.executable, "-W", "error", "node.py"],
            "cwd": folder,
            "env": environment,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
        }

    return arguments


@pytest.fixture(scope="session")
def run_node(prepare: Prepare) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs SAMPLE/NODE until it ends by itself; `stdout` has both outputs."""

    def run(name: str, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(**prepare(name, settings), timeout=PATIENCE, check=False)

    return run


@pytest.fixture(scope="session")
def start_node(prepare: Prepare, proto_of: Callable[[str], Proto | None]) -> StartNode:
    """Return a context manager that runs SAMPLE/NODE as long as its block."""

    @contextmanager
    def start(name: str, **settings: object) -> Iterator[RunningNode]:
        node = RunningNode(subprocess.Popen(**prepare(name, settings)), proto_of(name))
        try:
            yield node
        finally:
            node.close()

    return start
