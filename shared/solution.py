"""The model: what a marketplace published, as frozen values. Every generation of blueprint.json ends here.

Words as in the design: a *model* is a solution with one node and no blueprint, a *pipeline* one with a blueprint.
Nothing here reads files or JSON keys; `shared.blueprint` does, and `shared.persistence` brings the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

from shared.errors import InvalidRequestError
from shared.findings import Finding, quoted

SolutionId = NewType("SolutionId", str)
RevisionId = NewType("RevisionId", str)
ImageRef = NewType("ImageRef", str)

# ASCII and matched as a whole: an id becomes a path segment, a URL segment and a label value.
ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

GRPC_PORT = 8061
WEB_UI_PORT = 8062
SERVICE_PORT = 8556
ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Ids:
    """The pair that identifies a revision of a solution in a marketplace."""

    solution_id: SolutionId
    revision_id: RevisionId

    @classmethod
    def parse(cls, solution_id: object, revision_id: object) -> Ids:
        """Check both ids against `ID_PATTERN`.

        Raises:
            InvalidRequestError: an id is no text or has another form.
        """
        for name, value in (("solutionId", solution_id), ("revisionId", revision_id)):
            if not isinstance(value, str) or not ID_PATTERN.fullmatch(value):
                raise InvalidRequestError(f"{name}: expected {ID_PATTERN.pattern}, found {quoted(value)}")
        return cls(SolutionId(str(solution_id)), RevisionId(str(revision_id)))


class Role(StrEnum):
    """What a node is to Slipway; `node_type` keeps the author's own word."""

    WORKLOAD = "workload"
    """A container of the author: MLModel, DataBroker, REST, DataSource, …"""
    SPLITTER = "splitter"
    """Runs inside the orchestrator: copies or divides a message. No image, no workload."""
    COLLATOR = "collator"
    """Runs inside the orchestrator: joins messages. No image, no workload."""
    PROBE = "probe"
    """Graphene's message viewer; its image comes from the operator's settings."""


@dataclass(frozen=True, slots=True)
class Message:
    """One end of an operation: the name of a protobuf message, and whether it streams."""

    name: str
    """Short or fully qualified; empty when the blueprint does not say."""
    stream: bool = False

    @property
    def is_empty(self) -> bool:
        """True for `Empty` and `google.protobuf.Empty`: nothing travels."""
        return self.name.rpartition(".")[2] == "Empty"


@dataclass(frozen=True, slots=True)
class Operation:
    """One rpc of a node's proto."""

    name: str
    input: Message
    output: Message


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a solution. Shared folders are no nodes here: see `SharedFolder`."""

    name: str
    """RFC 1035 label of at most 52 characters, unique together with the names derived from it; used everywhere."""
    container_name: str
    """The name in the source, for messages and for the name map of `bundle.json`."""
    role: Role
    node_type: str
    image: ImageRef | None
    """None exactly for the roles that need no image from the author."""
    proto_uri: str
    """Where the persistence service keeps the proto; empty when there is none."""
    operations: tuple[Operation, ...]
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """`data_broker_map`, `splitter_map` or `collator_map` as the source has it."""

    @property
    def is_workload(self) -> bool:
        """True when the node becomes a workload of its own from the author's image."""
        return self.role is Role.WORKLOAD


@dataclass(frozen=True, slots=True)
class Edge:
    """Operation output → operation input. Names are `Node.name` and `Operation.name`."""

    source: str
    source_operation: str
    target: str
    target_operation: str


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A volume that every node mounts."""

    index: int
    """1 for the first; the file, claim and variable names follow from it."""
    mount_path: str
    """Absolute and normalised, such as `/data/shared`."""

    @property
    def claim(self) -> str:
        """Name of the PersistentVolumeClaim; the first is Graphene's."""
        return "shared-folder" if self.index == 1 else f"shared-folder-{self.index}"

    @property
    def claim_file(self) -> str:
        """Name of the claim's file in `deployments/`."""
        return "pvc.yaml" if self.index == 1 else f"pvc-{self.index}.yaml"

    @property
    def variable(self) -> str:
        """Environment variable that tells a node the mount path."""
        return "SHARED_FOLDER_PATH" if self.index == 1 else f"SHARED_FOLDER_PATH_{self.index}"


@dataclass(frozen=True, slots=True)
class Attachments:
    """What travels along unread: bundles carry it under Graphene's file names."""

    icon: bytes | None = None
    """`solution_icon.png`"""
    description: str | None = None
    """`solution_description.html`; HTML from a stranger, never rendered unsanitised."""
    source_url: str | None = None
    """`source_system_url.txt`"""


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution, ready for a deployer."""

    name: str
    version: str
    is_pipeline: bool
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    shared_folders: tuple[SharedFolder, ...] = ()
    protos: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    """Proto text by file stem: `Node.name` for a node's own, else the stem of a sibling that others import."""
    probe: bool = False
    """The author asked for Graphene's probe."""
    ids: Ids | None = None
    attachments: Attachments = field(default_factory=Attachments)
    document: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The travelling `blueprint.json` as a JSON object: renamed nodes, no shared folders, unknown keys kept."""

    @property
    def workloads(self) -> tuple[Node, ...]:
        """The nodes that run as containers of the author."""
        return tuple([node for node in self.nodes if node.role is Role.WORKLOAD])

    def node(self, name: str) -> Node:
        """Return the node of that name, or raise KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class SolutionFiles:
    """The bytes of one solution as a persistence service or a folder gives them; `shared.blueprint.parse` reads them.

    Exactly one of `blueprint` and `model_image` is set: a pipeline has a blueprint, a model an image.
    """

    name: str
    """The marketplace's name of the solution; empty when only the blueprint knows it."""
    blueprint: bytes | None = None
    model_image: str | None = None
    protos: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    """Proto text by file stem: the `container_name` (or any stem, for a model's only proto, or for a sibling)."""
    shared_folder_paths: tuple[str, ...] = ()
    """Mount paths known from elsewhere than the blueprint: a Graphene zip keeps them in its deployments only."""
    ids: Ids | None = None
    attachments: Attachments = field(default_factory=Attachments)
    version: str = ""
    """A model's version; a pipeline's stands in its blueprint."""
    findings: tuple[Finding, ...] = ()
    """What reading the files has already shown, such as the legacies of Graphene's manifests."""
