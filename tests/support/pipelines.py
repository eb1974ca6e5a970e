"""Small pipelines for tests: nodes with behaviours and edges in, blueprint, dockerinfo and protos out, and a way to run them."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from orchestrator.pipeline import Configuration
from orchestrator.run import Run
from orchestrator.server import Server
from orchestrator.settings import Settings
from shared import settings

ITEM = "message Item { int64 id = 1; bytes payload = 2; }"
_NUMBERS = itertools.count(1)


@dataclass
class Host:
    """A process of stand-in nodes."""

    process: subprocess.Popen[str]
    port: int

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def restart(self, behaviours: dict[str, Any]) -> None:
        """Start again on the same port, with these behaviours from the first call on."""
        again = start_host(self.port, behaviours)
        self.process = again.process

    def set(self, behaviours: dict[str, Any]) -> None:
        self._call("/Host/Set", json.dumps(behaviours).encode())

    def about(self) -> dict[str, Any]:
        return json.loads(self._call("/Host/Get", b""))

    def _call(self, path: str, request: bytes) -> bytes:
        with grpc.insecure_channel(
            f"127.0.0.1:{self.port}", options=[("grpc.max_receive_message_length", -1)]
        ) as channel:
            return channel.unary_unary(path)(request, timeout=20, wait_for_ready=True)


def start_host(port: int = 0, behaviours: dict[str, Any] | None = None) -> Host:
    program = str(Path(__file__).with_name("node_host.py"))
    command = [sys.executable, program, str(port), json.dumps(behaviours or {})]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return Host(process, int(process.stdout.readline()))


@contextmanager
def hosted() -> Iterator[Host]:
    host = start_host()
    try:
        yield host
    finally:
        host.kill()


@dataclass
class Pipeline:
    """A pipeline under construction. Operations are named `node.operation`; `node` alone means `node.run`."""

    host: Host
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    behaviours: dict[str, dict[str, Any]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    orchestration: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """Of nodes that live elsewhere than in `host`."""
    package: str = field(default_factory=lambda: f"t{next(_NUMBERS)}")

    def op(
        self, name: str, kind: str, do: str, *, takes: str = "Item", gives: str = "Item", proto: str = "", **more: Any
    ) -> Pipeline:
        """Add an operation; kind is `uu`, `us`, `su` or `ss`; a source takes and a sink gives `Empty`."""
        node, operation = _split(name)
        takes, gives = ("Empty" if do == "source" else takes), ("Empty" if do == "sink" else gives)
        about = self.nodes.setdefault(node, {"type": "MLModel", "operations": {}, "proto": proto, "messages": ITEM})
        about["operations"][operation] = {"kind": kind, "takes": takes, "gives": gives, "to": []}
        path = f"/{self.package}.{node.capitalize().replace('-', '')}/{operation}"
        self.paths[name] = path
        self.behaviours[path] = {"kind": kind, "do": do, **more}
        return self

    def internal(self, name: str, node_type: str, **settings_: Any) -> Pipeline:
        """Add a splitter or a collator."""
        node, operation = _split(name)
        operations = {operation: {"kind": "uu", "takes": "ANY", "gives": "ANY", "to": []}}
        self.nodes[node] = {"type": node_type, "operations": operations, "settings": settings_}
        return self

    def edge(self, *names: str) -> Pipeline:
        """Connect operations in a row."""
        for source, target in itertools.pairwise(names):
            node, operation = _split(source)
            self.nodes[node]["operations"][operation]["to"].append(_split(target))
        return self

    def configuration(self, **more: Any) -> Configuration:
        entries = [
            {"container_name": name, "ip_address": "127.0.0.1", "port": self.ports.get(name, self.host.port)}
            for name, node in self.nodes.items()
            if node["type"] == "MLModel"
        ]
        protos = {
            f"{name}.proto": self._proto(name).encode()
            for name, node in self.nodes.items()
            if node["type"] == "MLModel"
        }
        protos |= {name: text.encode() for name, text in self.files.items()}
        return Configuration(
            json.dumps(self.blueprint()).encode(), json.dumps({"docker_info_list": entries}), protos, **more
        )

    def blueprint(self) -> dict[str, Any]:
        nodes = [self._node(name, node) for name, node in self.nodes.items()]
        extra = {"orchestration": self.orchestration} if self.orchestration else {}
        return {"name": "test", "version": "1", "nodes": nodes, **extra}

    def _node(self, name: str, node: dict[str, Any]) -> dict[str, Any]:
        is_internal = node["type"] != "MLModel"
        key = "splitter_map" if node["type"] == "Splitter" else "collator_map"
        return {
            "container_name": name,
            "node_type": node["type"],
            "image": "" if is_internal else "example.org/node:1",
            "proto_uri": "" if is_internal else "node.proto",
            "operation_signature_list": [_signature(op, about) for op, about in node["operations"].items()],
            **({key: node["settings"]} if is_internal else {}),
        }

    def _proto(self, name: str) -> str:
        node = self.nodes[name]
        if node["proto"]:
            return str(node["proto"])
        own = "message Empty {}" if "Empty" not in node["messages"] else ""
        return f"""syntax = "proto3"; package {self.package}; {own} {node["messages"]}
service {name.capitalize().replace("-", "")} {{ {" ".join(_rpc(op, about) for op, about in node["operations"].items())} }}"""

    def prepare(self) -> None:
        """Tell the host what its methods shall do."""
        self.host.set(self.behaviours)

    def received(self, name: str) -> list[int]:
        """Return the ids that an operation got, in order."""
        return self.host.about()["received"].get(self.paths[name], [])

    def calls(self, name: str) -> int:
        return self.host.about()["calls"].get(self.paths[name], 0)


def _split(name: str) -> tuple[str, str]:
    node, _, operation = name.partition(".")
    return node, operation or "run"


def _rpc(name: str, about: dict[str, Any]) -> str:
    takes, gives = about["kind"]
    stream = {"u": "", "s": "stream "}
    return f"rpc {name}({stream[takes]}{about['takes']}) returns ({stream[gives]}{about['gives']});"


def _signature(name: str, about: dict[str, Any]) -> dict[str, Any]:
    return {
        "operation_signature": {
            "operation_name": name,
            "input_message_name": about["takes"],
            "output_message_name": about["gives"],
            "input_message_stream": about["kind"][0] == "s",
            "output_message_stream": about["kind"][1] == "s",
        },
        "connected_to": [
            {"container_name": node, "operation_signature": {"operation_name": operation}}
            for node, operation in about["to"]
        ],
    }


def served(folder: Path, **environ: str) -> Server:
    """Return an orchestrator on a free port of this machine."""
    base = {
        "SLIPWAY_HOST": "127.0.0.1",
        "SLIPWAY_PORT": "0",
        "SLIPWAY_METRICS_PORT": "0",
        "SLIPWAY_DATA_DIRECTORY": str(folder),
    }
    return Server(settings.load(Settings, base | environ))


def completed(
    pipeline: Pipeline, folder: Path, *, seconds: float = 30, queuesize: int = 0, iterations: int = 0, **environ: str
) -> Run:
    """Run the pipeline to its end."""

    async def scenario() -> Run:
        async with served(folder, **environ) as server:
            await server.engine.initialize(pipeline.configuration(queuesize=queuesize, iterations=iterations))
            run = await server.engine.run("")
            await asyncio.wait_for(run.ended(), seconds)
            return run

    pipeline.prepare()
    return asyncio.run(scenario())


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """Give a process of stand-in nodes for all tests."""
    with hosted() as running:
        yield running


@pytest.fixture
def pipeline(host: Host) -> Pipeline:
    """Give an empty pipeline."""
    return Pipeline(host)
