"""What the runtime keeps of the cluster's objects: the few fields that are read, in the shape that the API gives them.

Everything else is dropped while an answer is decoded, so that thousands of pods take little memory. `manifest` gives an
object back as the plain dict that the pure functions of `shared.finishing` judge.

To the writing half: `Namespace`, `Pod`, `Deployment`, `Job`, `Claim`, `Service`, `Happening` all have `.metadata` with
`name, namespace, uid, resource_version, generation, creation_timestamp, deletion_timestamp, labels`; a namespace has
`metadata.annotations` too. Names are those of the API in snake case. All are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

LONGEST_TEXT = 1024  # of a message: what a page shows


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """The base of all that is kept. Nothing here can be part of a cycle, so the garbage collector need not look."""


class Metadata(Record, frozen=True):
    """What names an object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}


class NamespaceMetadata(Metadata, frozen=True):
    """The same with the annotations: one of them is the deployment's record."""

    annotations: dict[str, str] = {}


class Condition(Record, frozen=True):
    """One condition of an object's status."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class NamespaceStatus(Record, frozen=True):
    """Where a namespace is in its life."""

    phase: str = ""


class Namespace(Record, frozen=True, tag_field="kind", tag="Namespace"):
    """A deployment."""

    metadata: NamespaceMetadata = NamespaceMetadata()
    status: NamespaceStatus = NamespaceStatus()

    @property
    def is_ending(self) -> bool:
        """Somebody has asked to delete it."""
        return self.metadata.deletion_timestamp is not None


class Port(Record, frozen=True):
    """Where a probe asks."""

    port: int | str = ""


class Probe(Record, frozen=True):
    """How the kubelet asks whether a container serves."""

    tcp_socket: Port | None = None
    grpc: Port | None = None


class Resources(Record, frozen=True):
    """What a container asks for, and how much it may take."""

    limits: dict[str, str] = {}
    requests: dict[str, str] = {}


class Container(Record, frozen=True):
    """One container as it was asked for."""

    name: str = ""
    image: str = ""
    resources: Resources | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None


class Reference(Record, frozen=True):
    """The name of a Secret."""

    name: str = ""


class ClaimSource(Record, frozen=True):
    """The claim behind a volume."""

    claim_name: str = ""


class Volume(Record, frozen=True):
    """A volume of a pod, where it is a claim."""

    persistent_volume_claim: ClaimSource | None = None


class PodSpec(Record, frozen=True):
    """What a pod was asked to be."""

    containers: list[Container] = []
    init_containers: list[Container] = []
    image_pull_secrets: list[Reference] = []
    node_selector: dict[str, str] = {}
    restart_policy: str = "Always"
    volumes: list[Volume] = []


class Waiting(Record, frozen=True):
    """Why a container does not run yet, or not again."""

    reason: str = ""
    message: str = ""


class Running(Record, frozen=True):
    """Since when a container runs."""

    started_at: str | None = None


class Terminated(Record, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(Record, frozen=True):
    """One of the three, or nothing yet."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Record, frozen=True):
    """What the kubelet says of a container."""

    name: str = ""
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(Record, frozen=True):
    """What the kubelet says of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(Record, frozen=True, tag_field="kind", tag="Pod"):
    """A pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Selector(Record, frozen=True):
    """Which pods belong to a workload."""

    match_labels: dict[str, str] = {}


class TemplateMetadata(Record, frozen=True):
    """What the pods of a workload are called."""

    labels: dict[str, str] = {}


class TemplateSpec(Record, frozen=True):
    """What the pods of a workload are to run."""

    containers: list[Container] = []


class Template(Record, frozen=True):
    """What the pods of a workload are to be."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: TemplateSpec = TemplateSpec()


class WorkloadSpec(Record, frozen=True):
    """What a workload was asked to be."""

    replicas: int = 1
    selector: Selector = Selector()
    template: Template = Template()


class WorkloadStatus(Record, frozen=True):
    """How far its controller is."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: list[Condition] = []


class Deployment(Record, frozen=True, tag_field="kind", tag="Deployment"):
    """A node that serves."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Job(Record, frozen=True, tag_field="kind", tag="Job"):
    """A node that runs to completion."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


Workload = Deployment | Job


class ClaimSpec(Record, frozen=True):
    """What volume is wanted."""

    storage_class_name: str | None = None
    resources: Resources = Resources()


class ClaimStatus(Record, frozen=True):
    """Whether there is a volume."""

    phase: str = ""


class Claim(Record, frozen=True, tag_field="kind", tag="PersistentVolumeClaim"):
    """A shared folder."""

    metadata: Metadata = Metadata()
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class ServicePort(Record, frozen=True):
    """One port of a Service."""

    name: str = ""
    port: int = 0
    target_port: int | str = ""
    node_port: int = 0


class ServiceSpec(Record, frozen=True):
    """Which pods a Service leads to."""

    ports: list[ServicePort] = []
    selector: dict[str, str] = {}


class Service(Record, frozen=True, tag_field="kind", tag="Service"):
    """How a node is reached."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec = ServiceSpec()


class Involved(Record, frozen=True):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Series(Record, frozen=True):
    """How often an event came, as newer clients of the API count."""

    count: int = 0
    last_observed_time: str | None = None


class Happening(Record, frozen=True, tag_field="kind", tag="Event"):
    """An event of the cluster; not yet one of a deployment, which people read."""

    metadata: Metadata = Metadata()
    involved_object: Involved = Involved()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    last_timestamp: str | None = None
    event_time: str | None = None
    series: Series | None = None


Kept = Namespace | Pod | Deployment | Job | Claim | Service | Happening
DECODERS: Mapping[type[Kept], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Namespace, Pod, Deployment, Job, Claim, Service, Happening)
}
"""Made here, before there are threads: see `first_use`."""


def manifest(kept: Record) -> dict[str, Any]:
    """Return an object as the API would give it, as far as it is kept; what has its default value is left out."""
    made: dict[str, Any] = msgspec.to_builtins(kept)
    made.setdefault("metadata", {})
    return made


def manifests(kept: tuple[Record, ...]) -> list[dict[str, Any]]:
    """Return several objects as `manifest` does."""
    return [manifest(one) for one in kept]


def version_of(kept: Kept) -> int:
    """Return the version of an object. They only grow, so that two of one kind can be compared."""
    text = kept.metadata.resource_version
    return int(text) if text.isdigit() else 0
