"""Reads the nodes of a blueprint, current generations; operations of the legacy one are derived in `legacy`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shared.blueprint import images, links
from shared.blueprint.collector import Collector
from shared.blueprint.draft import DraftNode, DraftOperation
from shared.blueprint.folders import Folders, is_mount
from shared.blueprint.limits import MAX_EDGES, MAX_IMAGE, MAX_OPERATIONS, MAX_URI, Budget
from shared.blueprint.place import Place
from shared.findings import quoted
from shared.solution import ImageRef, Message, Operation, Role

_ROLES = {"splitter": Role.SPLITTER, "collator": Role.COLLATOR, "probe": Role.PROBE}
_WORKLOADS = frozenset({"mlmodel", "databroker", "datasource", "datasink", "datamapper", "trainingclient", "rest"})
_SETTINGS = {Role.SPLITTER: "splitter_map", Role.COLLATOR: "collator_map"}
_INPUT = ("input_message_name", "input_message_stream")
_OUTPUT = ("output_message_name", "output_message_stream")
_RPC = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def role(node_type: str) -> Role:
    """Return the role that a type means; any word that is not a role's is a workload."""
    return _ROLES.get(node_type.strip().casefold(), Role.WORKLOAD)


def is_rest(node: DraftNode) -> bool:
    """Tell whether a node speaks HTTP instead of gRPC."""
    return node.node_type.strip().casefold() == "rest"


def is_legacy(node: Place) -> bool:
    """Tell whether a node is of the generation that names its successors instead of its operations."""
    return "depends_on" in node.value and not node.value.get("operation_signature_list")


@dataclass(slots=True)
class NodeReader:
    """Reads one node after the other; the budgets are those of the whole blueprint."""

    folders: Folders
    operations: Budget = field(default_factory=lambda: Budget("operations", MAX_OPERATIONS))
    edges: Budget = field(default_factory=lambda: Budget("edges", MAX_EDGES))

    def read(self, node: Place) -> DraftNode | None:
        """Return what the node says, or None when it does not even say its name."""
        name = node.text("container_name")
        if not name:
            node.missing("container_name", "container-name-missing", "the name of the node")
            return None
        node_type = node.text("node_type")
        kind = role(node_type)
        _check_type(node, node_type, kind)
        settings = node.member(_SETTINGS.get(kind, "data_broker_map"))
        return DraftNode(
            place=node,
            container_name=name,
            role=kind,
            node_type=node_type,
            image=_image(node, kind),
            proto_uri=node.text("proto_uri", limit=MAX_URI),
            operations=self._operations(node),
            settings=settings.value if settings else {},
        )

    def _operations(self, node: Place) -> tuple[DraftOperation, ...]:
        entries = node.members("operation_signature_list", self.operations)
        return _merged((draft for entry in entries if (draft := self._operation(entry))), node.findings)

    def _operation(self, entry: Place) -> DraftOperation | None:
        signature = entry.member("operation_signature")
        if signature is None:
            entry.missing("operation_signature", "operation-name-missing", "the signature of the operation")
            return None
        name = signature.text("operation_name")
        if not name:
            signature.missing("operation_name", "operation-name-missing", "the name of the operation")
            return None
        if is_mount(name):
            self._check_mount(signature)
            return None
        operation = Operation(name, _message(signature, *_INPUT), _message(signature, *_OUTPUT))
        outgoing = links.read(entry, self.folders, self.edges)
        return DraftOperation(operation, outgoing, f"{signature.path}.operation_name", entry.value)

    def _check_mount(self, signature: Place) -> None:
        if not self.folders.shared:
            path = f"{signature.path}.operation_name"
            expected = "a shared folder to mount"
            signature.findings.warning("mount-without-folder", path, expected=expected, found="none in this solution")


def _check_type(node: Place, node_type: str, kind: Role) -> None:
    path = f"{node.path}.node_type"
    if not node_type and not is_legacy(node):
        node.findings.note("node-type-missing", path, expected="a type such as MLModel", found="nothing")
    elif node_type and kind is Role.WORKLOAD and node_type.strip().casefold() not in _WORKLOADS:
        hint = "it is deployed as any other container"
        node.findings.warning("node-type-unknown", path, expected="a known type", found=quoted(node_type), hint=hint)


def _image(node: Place, kind: Role) -> ImageRef | None:
    text = node.text("image", limit=MAX_IMAGE)
    path = f"{node.path}.image"
    if kind is not Role.WORKLOAD:
        if text:
            node.findings.note("image-ignored", path, expected=f"no image for a {kind.value}", found=quoted(text))
        return None
    if not text:
        node.missing("image", "image-missing", "the image of the container")
        return None
    return images.check(text, path, node.findings)


def _message(signature: Place, name_key: str, stream_key: str) -> Message:
    name = signature.text(name_key)
    if not name and signature.value.get(name_key) in (None, ""):
        path = f"{signature.path}.{name_key}"
        signature.findings.warning("message-name-missing", path, expected="the name of the message", found="nothing")
    return Message(name, stream=signature.flag(stream_key))


def _merged(drafts: Iterable[DraftOperation], findings: Collector) -> tuple[DraftOperation, ...]:
    """Unite operations that stand twice; two different ones of one name cannot be told apart."""
    kept: dict[str, DraftOperation] = {}
    for draft in drafts:
        name = draft.operation.name
        first = kept.setdefault(name, draft)
        if first is draft:
            continue
        if first.operation == draft.operation:
            findings.warning(
                "operation-merged", draft.path, expected="each operation once", found=f"{quoted(name)} again"
            )
            kept[name] = replace(first, links=links.unique((*first.links, *draft.links), findings))
        else:
            found = f"another operation {quoted(name)}"
            findings.error("operation-duplicate", draft.path, expected="one operation of a name", found=found)
    return tuple(kept.values())


def check_operations(node: DraftNode) -> None:
    """Collect what is odd about the operations of a node, whatever generation they come from."""
    # Of a probe another finding says what becomes of it: it watches, and has no operations.
    if not node.operations and node.role is not Role.PROBE:
        hint = "it starts, but nobody calls it"
        expected = "at least one operation"
        node.place.findings.warning("operations-missing", node.place.path, expected=expected, found="none", hint=hint)
    if node.role is not Role.WORKLOAD or is_rest(node):
        return
    for draft in node.operations:
        name = draft.operation.name
        if not _RPC.fullmatch(name):
            expected = "the name of an rpc"
            node.place.findings.warning("operation-name-unusual", draft.path, expected=expected, found=quoted(name))
