"""Random solutions, the same for the same seed: blueprints of any shape and size with protos, ids and odd names.

They are sound: whatever is generated must end in a bundle, never in an error finding.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from shared.solution import Attachments, Ids, RevisionId, SolutionFiles, SolutionId

ODD_NAMES = (
    "y",
    "n",
    "null",
    "Model A",
    "a_b",
    "a-b",
    "A_B",
    "1e3",
    "08",
    "ünï-cödé",
    "日本語",
    "😀",
    "-dash-",
    "x" * 80,
    "orchestrator",
    "awebui",
    "a",
    "quote'\"`$(id)",
    "{{ .Values }} # -",
    "pvc",
    "${HOME}",
)
_IMAGES = (
    "registry.example.org:7444/team/{}:v1",
    "docker.io/library/{}",
    "{}:latest",
    "ghcr.io/example/{}:1.2.3@sha256:" + "0a" * 32,
)
_MESSAGES = ("Row", "Picture", "Answer", "Measurement")


@dataclass(frozen=True)
class Graph:
    """A random solution, and options that fit it."""

    files: SolutionFiles
    options: dict[str, Any]


def graph(seed: int, *, nodes: int | None = None) -> Graph:
    """Return the solution of a seed, with `nodes` nodes or a random number from 1 to 24."""
    chance = random.Random(seed)  # noqa: S311 - nothing is kept secret with it
    size = nodes or chance.choice((1, 2, 3, 4, 5, 8, 13, 24))
    names = _names(chance, size)
    roles = {name: _role(chance) for name in names}
    blueprint = {
        "name": chance.choice(("pipeline", "Sudoku Tutorial", "test_pipeline", "Straße 8", f"random-{seed}")),
        "version": chance.choice(("1", "v1", "1.0.0")),
        "input_ports": [],
        "nodes": [*_folders(chance, names), *(_node(chance, name, roles) for name in names)],
        "probeIndicator": [{"value": chance.choice(("true", "false"))}],
    }
    ids = Ids(SolutionId(f"solution-{seed}"), RevisionId(f"{seed}e{seed}")) if chance.random() < 0.7 else None
    files = SolutionFiles(
        name="",
        blueprint=json.dumps(blueprint, indent=chance.choice((None, 2))).encode(),
        protos={name: _proto(name) for name in names if roles[name] not in {"Splitter", "Collator"}},
        ids=ids,
        attachments=Attachments(description="<p>hello</p>") if chance.random() < 0.5 else Attachments(),
    )
    return Graph(files, _options(chance, [name for name in names if roles[name] == "MLModel"]))


def _names(chance: random.Random, size: int) -> list[str]:
    odd = chance.sample(ODD_NAMES, k=min(size // 3, len(ODD_NAMES)))
    return [*odd, *(f"node{number}" for number in range(size - len(odd)))]


def _role(chance: random.Random) -> str:
    return chance.choices(("MLModel", "DataBroker", "Splitter", "Collator"), weights=(12, 2, 1, 1))[0]


def _folders(chance: random.Random, names: list[str]) -> list[dict[str, Any]]:
    paths = chance.sample(("/data/shared", "/mnt/big", "/tmp", "/data"), k=chance.choice((0, 0, 1, 2)))
    return [
        {
            "container_name": path,
            "node_type": "SharedFolder",
            "image": "",
            "proto_uri": "",
            "operation_signature_list": [
                _operation("provideFolder", "Empty", "SharedFolderRequest", names, "mountVolume")
            ],
        }
        for path in paths
    ]


def _node(chance: random.Random, name: str, roles: dict[str, str]) -> dict[str, Any]:
    inside = roles[name] in {"Splitter", "Collator"}
    message = chance.choice(_MESSAGES)
    targets = chance.sample(sorted(roles), k=min(len(roles), chance.choice((0, 1, 1, 2, 3))))
    node = {
        "container_name": name,
        "node_type": roles[name],
        "image": "" if inside else chance.choice(_IMAGES).format("image"),
        "proto_uri": "" if inside else f"org/example/{chance.randrange(97)}.proto",
        "operation_signature_list": [_operation("run", message, message, targets, "run")],
    }
    if roles[name] == "DataBroker":
        node["data_broker_map"] = {"data_broker_type": "csv", "target_system_url": "file://rows.csv"}
    return node


def _operation(name: str, message_in: str, message_out: str, targets: list[str], target: str) -> dict[str, Any]:
    return {
        "operation_signature": {
            "operation_name": name,
            "input_message_name": message_in,
            "output_message_name": message_out,
            "input_message_stream": False,
            "output_message_stream": False,
        },
        "connected_to": [
            {"container_name": other, "operation_signature": {"operation_name": target}} for other in targets
        ],
    }


def _proto(name: str) -> bytes:
    messages = "\n".join(f"message {message} {{ string text = 1; }}" for message in _MESSAGES)
    return f'syntax = "proto3";\n// of {json.dumps(name)}\n{messages}\nservice S {{ rpc run (Row) returns (Row); }}\n'.encode()


def _options(chance: random.Random, names: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if chance.random() < 0.3:
        options["profile"] = "restricted"
    if chance.random() < 0.3:
        options["webuiIngress"] = {"host": "*.apps.example.org", "className": "nginx", "tlsSecret": "certificate"}
    if chance.random() < 0.3:
        options |= {"probes": chance.choice(("tcp", "grpc", "none")), "serviceType": "ClusterIP", "replicas": 2}
    if chance.random() < 0.3:
        options["tolerations"] = [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
        options["nodeSelector"] = {"example.org/pool": "models"}
    if chance.random() < 0.3:
        options["environment"] = {"LOG_LEVEL": "y", "NUMBER": "1e3", "TEXT": "two\nlines: {}"}
    if names and chance.random() < 0.5:
        options["nodes"] = {
            chance.choice(names): chance.choice(
                (
                    {"kind": "job"},
                    {"gpu": {"count": 2}, "resources": {"limits": {"memory": "8Gi"}}},
                    {"webui": False, "runAsUser": 1000, "imagePullSecrets": ["registry"]},
                )
            )
        }
    without_page = {name for name, own in options.get("nodes", {}).items() if own.keys() & {"kind", "webui"}}
    if without_page.issuperset(names):
        options.pop("webuiIngress", None)
    return options
