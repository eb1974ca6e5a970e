"""A pipeline: a blueprint of any generation, read step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared import json_text, naming
from shared.blueprint import document, edges, folders, header, legacy, nodes, protos
from shared.blueprint.collector import Collector
from shared.blueprint.draft import DraftNode
from shared.blueprint.folders import Folders
from shared.blueprint.limits import MAX_BYTES, MAX_NODES, Budget
from shared.blueprint.place import Place, described
from shared.findings import quoted
from shared.json_text import JsonTextError
from shared.solution import Node, Role, Solution, SolutionFiles


def read(files: SolutionFiles, data: bytes, findings: Collector) -> Solution | None:
    """Return what could be read of the pipeline; None when there is no node."""
    top = _top(data, findings)
    if top is None:
        return None
    shared, drafts = _drafts(top, files, findings)
    if not drafts:
        findings.error("no-nodes", "$.nodes", expected="at least one node that is no shared folder", found="none")
        return None
    names = _names(drafts, findings)
    name = header.name(top, files.name)
    header.check_training_clients(top)
    return Solution(
        name=name,
        version=header.version(top),
        is_pipeline=True,
        nodes=tuple(_node(draft, names) for draft in drafts),
        edges=edges.resolve(drafts, names, findings),
        shared_folders=shared.shared,
        protos=protos.match(_wanted(drafts, names), files.protos, findings),
        probe=header.probe(top),
        ids=files.ids,
        attachments=files.attachments,
        document=document.travelling(top, drafts, names, shared, name=name),
    )


def _top(data: bytes, findings: Collector) -> Place | None:
    """Return the JSON object that the blueprint is."""
    try:
        reading = json_text.examine(data, max_bytes=MAX_BYTES)
    except JsonTextError as problem:
        fault = problem.fault
        findings.error(fault.code, fault.path, expected=fault.expected, found=fault.found)
        return None
    for fault in reading.faults:
        findings.error(fault.code, fault.path, expected=fault.expected, found=fault.found)
    if reading.is_commented:
        findings.note(
            "json-comment", "$", expected="JSON, which has no comments", found="a comment; it does not travel"
        )
    if not isinstance(reading.value, dict):
        findings.error("wrong-type", "$", expected="an object", found=described(reading.value))
        return None
    return Place(reading.value, "$", findings)


def _drafts(top: Place, files: SolutionFiles, findings: Collector) -> tuple[Folders, tuple[DraftNode, ...]]:
    """Return the shared folders, and the other nodes with their operations and links."""
    places = top.members("nodes", Budget("nodes", MAX_NODES))
    mounted = [place for place in places if folders.is_folder(place)]
    others = [place for place in places if not folders.is_folder(place)] if mounted else places
    shared = folders.find(mounted, files.shared_folder_paths, findings)
    reader = nodes.NodeReader(shared)
    drafts: dict[str, DraftNode] = {}
    for draft in filter(None, map(reader.read, others)):
        if draft.container_name in drafts:
            path, found = f"{draft.place.path}.container_name", f"{quoted(draft.container_name)} again"
            findings.error("container-duplicate", path, expected="each container_name once", found=found)
        drafts.setdefault(draft.container_name, draft)
    complete = legacy.complete(top, tuple(drafts.values()), shared, reader.edges)
    for draft in complete:
        nodes.check_operations(draft)
    return shared, complete


def _names(drafts: Sequence[DraftNode], findings: Collector) -> dict[str, str]:
    """Return the names of the nodes by container name."""
    containers = [draft.container_name for draft in drafts]
    names = dict(zip(containers, naming.node_names(containers), strict=True))
    for draft in drafts:
        name = names[draft.container_name]
        if name != draft.container_name:
            path, found = f"{draft.place.path}.container_name", quoted(draft.container_name)
            hint = f"it is called {name} everywhere; bundle.json keeps both"
            findings.note("container-renamed", path, expected="a free RFC 1035 label", found=found, hint=hint)
    return names


def _node(draft: DraftNode, names: Mapping[str, str]) -> Node:
    return Node(
        name=names[draft.container_name],
        container_name=draft.container_name,
        role=draft.role,
        node_type=draft.node_type,
        image=draft.image,
        proto_uri=draft.proto_uri,
        operations=tuple(operation.operation for operation in draft.operations),
        settings=draft.settings,
    )


def _wanted(drafts: Sequence[DraftNode], names: Mapping[str, str]) -> list[protos.Wanted]:
    return [
        protos.Wanted(
            name=names[draft.container_name],
            container_name=draft.container_name,
            path=f"{draft.place.path}.proto_uri",
            is_optional=nodes.is_rest(draft),
        )
        for draft in drafts
        if draft.role is Role.WORKLOAD
    ]
