"""Finds the proto of every node among the files of a solution, and the siblings that those import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.blueprint.collector import Collector
from shared.blueprint.limits import MAX_PROTO_BYTES, MAX_PROTOS_BYTES
from shared.findings import quoted

_STEM = re.compile(r"[A-Za-z0-9_.-]+")
# A match inside a comment does no harm: it keeps a file too many. Bounded, so that no text makes it slow.
# Folders do not count: every file of a bundle lies in one, and the orchestrator takes the file of that name.
_IMPORT = re.compile(
    rb"\bimport\s{0,20}(?:(?:public|weak)\s{1,20})?[\"'](?!google/protobuf/)"
    rb"(?:[A-Za-z0-9_.-]{1,255}/){0,20}([A-Za-z0-9_.-]{1,255})\.proto[\"']"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A node that may have a proto."""

    name: str
    container_name: str
    path: str
    """JSON path for the finding that there is none."""
    is_optional: bool
    """The node speaks something else than gRPC."""


def match(nodes: Sequence[Wanted], protos: Mapping[str, bytes], findings: Collector) -> dict[str, bytes]:
    """Return the protos by the name of their node, and those that they import by stem.

    A node's proto has the stem of its container name, else the same but for case, else its name.
    """
    sound = _sound(protos, findings)
    folded = {stem.casefold(): stem for stem in sorted(sound, reverse=True)}
    stems = {node.name: stem for node in nodes if (stem := _stem(node, sound, folded))}
    for node in nodes:
        if node.name not in stems and node.container_name not in protos:
            report = findings.note if node.is_optional else findings.warning
            found = f"no file {_file(node.container_name)}"
            report("proto-missing", node.path, expected="a proto of the node", found=found)
    return _with_imported(stems, sound, findings)


def match_model(node: Wanted, protos: Mapping[str, bytes], findings: Collector) -> dict[str, bytes]:
    """Return the proto of a model: the only one there is, or the only one that no other imports, whatever its stem."""
    sound = _sound(protos, findings)
    roots = sound.keys() - set(_imports(sound.values()))
    own = _stem(node, sound, {}) or (roots.pop() if len(roots) == 1 else None)
    if own is None and len(sound) == len(protos):
        found = f"{len(protos)} files, none of them named {_file(node.container_name)}" if protos else "no file"
        findings.warning("proto-missing", node.path, expected="the proto of the model", found=found)
    return _with_imported({node.name: own} if own else {}, sound, findings)


def _sound(protos: Mapping[str, bytes], findings: Collector) -> dict[str, bytes]:
    """Return the protos that are text within the limits."""
    total = sum(map(len, protos.values()))
    if total > MAX_PROTOS_BYTES:
        found = f"{total} bytes"
        findings.error("protos-too-large", "microservice", expected=f"at most {MAX_PROTOS_BYTES} bytes", found=found)
        return {}
    return {stem: data for stem, data in protos.items() if _is_sound(stem, data, findings)}


def _is_sound(stem: str, data: bytes, findings: Collector) -> bool:
    if len(data) > MAX_PROTO_BYTES:
        expected = f"at most {MAX_PROTO_BYTES} bytes"
        findings.error("proto-too-large", _file(stem), expected=expected, found=f"{len(data)} bytes")
        return False
    try:
        data.decode()
    except UnicodeDecodeError as problem:
        found = f"byte 0x{data[problem.start]:02x} at offset {problem.start}"
        findings.error("proto-encoding", _file(stem), expected="UTF-8", found=found)
        return False
    return True


def _stem(node: Wanted, sound: Mapping[str, bytes], folded: Mapping[str, str]) -> str | None:
    if node.container_name in sound:
        return node.container_name
    return folded.get(node.container_name.casefold()) or (node.name if node.name in sound else None)


def _with_imported(stems: Mapping[str, str], sound: Mapping[str, bytes], findings: Collector) -> dict[str, bytes]:
    """Return the protos of the nodes, and what they import: a renamed node's under its old stem as well."""
    protos = {name: sound[stem] for name, stem in stems.items()}
    claimed = set(stems.values())
    if claimed == sound.keys() == protos.keys():
        return protos
    recent: Iterable[bytes] = tuple(protos.values())
    while recent:
        added = {stem: sound[stem] for stem in _imports(recent) if stem in sound and stem not in protos}
        protos |= added
        recent = tuple(added.values())
    for stem in sound:
        if stem not in claimed and protos.get(stem) != sound[stem]:
            findings.note(
                "proto-unused", _file(stem), expected="the proto of a node", found="no node and no import of it"
            )
    return protos


def _imports(protos: Iterable[bytes]) -> list[str]:
    return [stem.decode() for data in protos for stem in _IMPORT.findall(data)]


def _file(stem: str) -> str:
    return f"microservice/{stem}.proto" if _STEM.fullmatch(stem) else f"microservice/{quoted(f'{stem}.proto')}"
