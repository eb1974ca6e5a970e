"""What the person who asks for a bundle may choose. The JSON Schema of `Options` is its documentation.

Values given for all nodes may be overridden for one node under `nodes`; `shared.kubernetes.choices` puts both together.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.kubernetes.grammar import (
    Bytes,
    Collector,
    Cpu,
    Host,
    LabelKey,
    LabelValue,
    ObjectName,
    ResourceName,
    VariableName,
    VariableValue,
    refuse_odd_bytes,
    refuse_odd_cpu,
)
from shared.kubernetes.traces import refuse_odd_collector

MAX_UID = 2**31 - 1  # Kubernetes refuses more for runAsUser


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What all parts of the options share: frozen, camelCase in JSON, no unknown key."""


class Amounts(_Part, frozen=True):
    """Processor and memory."""

    cpu: Cpu | UnsetType = UNSET
    memory: Bytes | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse numbers that Kubernetes would not take; ValueError becomes the message for the caller."""
        if self.cpu is not UNSET:
            refuse_odd_cpu(self.cpu)
        if self.memory is not UNSET:
            refuse_odd_bytes(self.memory)


class Resources(_Part, frozen=True):
    """What a container asks for and may use at most."""

    requests: Annotated[
        Amounts, Meta(description="What the scheduler sets aside; the limit, where only that is given.")
    ] = Amounts()
    limits: Annotated[
        Amounts,
        Meta(
            description="What the container may use at most. None by default: nobody but its author knows what a model "
            "needs, and a guess that is too small kills it."
        ),
    ] = Amounts()


class Gpu(_Part, frozen=True):
    """Accelerators of one kind."""

    count: Annotated[int, Meta(ge=1, le=64, description="How many each pod gets.")] = 1
    resource: Annotated[ResourceName, Meta(description="The resource that the device plugin offers.")] = (
        "nvidia.com/gpu"
    )


class Toleration(_Part, frozen=True):
    """A taint of cluster nodes that the pods put up with, with the fields of Kubernetes."""

    key: Annotated[LabelKey | Literal[""], Meta(description="Empty with `Exists`: every taint.")] = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    toleration_seconds: Annotated[int, Meta(ge=0, description="With `NoExecute` only.")] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the API server would refuse; ValueError becomes the message for the caller."""
        if not self.key and self.operator != "Exists":
            raise ValueError("expected a key, or operator Exists")
        if self.operator == "Exists" and self.value:
            raise ValueError("expected no value with operator Exists")
        if self.toleration_seconds is not UNSET and self.effect != "NoExecute":
            raise ValueError("expected effect NoExecute with tolerationSeconds")


class WebUiIngress(_Part, frozen=True):
    """An Ingress in front of a web UI."""

    host: Host
    class_name: Annotated[ObjectName, Meta(description="The ingress class; the cluster's default without it.")] | (
        UnsetType
    ) = UNSET
    tls_secret: Annotated[ObjectName, Meta(description="Secret with the certificate of the host.")] | UnsetType = UNSET


class SharedFolders(_Part, frozen=True):
    """The volumes that stand for the shared folders of the blueprint. They need a class that offers ReadWriteMany."""

    size: Annotated[Bytes, Meta(description="Size of each volume.")] = "1Gi"
    storage_class: (
        Annotated[ObjectName, Meta(description="Storage class; the cluster's default without it.")] | UnsetType
    ) = UNSET
    prepare: Annotated[
        Literal["auto", "never"],
        Meta(
            description="`auto`: before a node starts, an init container that runs as root makes a volume that only "
            "root may write writable for group 10001, which every node belongs to. Never done under profile "
            "`restricted`."
        ),
    ] = "auto"

    def __post_init__(self) -> None:
        """Refuse a size that Kubernetes would not take; ValueError becomes the message for the caller."""
        refuse_odd_bytes(self.size)


Replicas = Annotated[int, Meta(ge=0, le=100, description="Pods of each node.")]
Environment = Annotated[
    dict[VariableName, VariableValue],
    Meta(
        max_length=200,
        description="Variables of the containers. Those of a node are added to those for all nodes and win over them. "
        "Numbers and truth values become texts: `8080`, `true`. `$(NAME)` refers to another variable, as everywhere in "
        "Kubernetes.",
    ),
]
NodeSelector = Annotated[
    dict[LabelKey, LabelValue], Meta(max_length=50, description="Labels that a cluster node must have.")
]
Tolerations = Annotated[tuple[Toleration, ...], Meta(max_length=50, description="Taints that the pods tolerate.")]
ImagePullPolicy = Annotated[
    Literal["IfNotPresent", "Always", "Never"], Meta(description="When images are pulled; `Always` for moving tags.")
]
ImagePullSecrets = Annotated[
    tuple[ObjectName, ...], Meta(max_length=20, description="Secrets in the namespace, for private registries.")
]
ServiceType = Annotated[
    Literal["NodePort", "ClusterIP", "LoadBalancer"],
    Meta(description="Type of the Services. Graphene's script and playground need `NodePort`."),
]
Probes = Annotated[
    Literal["tcp", "grpc", "none"],
    Meta(
        description="How Kubernetes sees that a node is ready: `tcp`, port 8061 is open; `grpc`, the node answers the "
        "gRPC health protocol; `none`, at once. A node has 20 minutes to start. Nodes without operations and those of "
        "type REST are only waited for where `nodes` says so."
    ),
]
WebUi = Annotated[bool, Meta(description="Give the node a Service for its web UI on port 8062.")]
RunAsUser = Annotated[
    int, Meta(ge=0, le=MAX_UID, description="Numeric user of the containers, instead of the image's own.")
]
RunAsNonRoot = Annotated[bool, Meta(description="Refuse images that run as root.")]


class NodeOptions(_Part, frozen=True):
    """What is different for one node. `environment` adds to the values for all nodes, `resources` field by field."""

    kind: Annotated[
        Literal["service", "job"],
        Meta(
            description="`job`: the node runs to completion and is not started again. It has no web UI unless `webui` "
            "stands beside it. Graphene's playground waits for such a node in vain."
        ),
    ] = "service"
    replicas: Replicas | UnsetType = UNSET
    resources: Resources = Resources()
    gpu: Gpu | UnsetType | None = UNSET
    environment: Environment = {}
    node_selector: NodeSelector | UnsetType = UNSET
    tolerations: Tolerations | UnsetType = UNSET
    image_pull_policy: ImagePullPolicy | UnsetType = UNSET
    image_pull_secrets: ImagePullSecrets | UnsetType = UNSET
    service_type: ServiceType | UnsetType = UNSET
    probes: Probes | UnsetType = UNSET
    webui: WebUi | UnsetType = UNSET
    webui_ingress: WebUiIngress | UnsetType | None = UNSET
    run_as_user: RunAsUser | UnsetType | None = UNSET
    run_as_non_root: RunAsNonRoot | UnsetType = UNSET


class OrchestratorOptions(_Part, frozen=True):
    """The orchestrator, which Slipway adds to a pipeline."""

    resources: Annotated[
        Resources,
        Meta(description="By default it requests 100m and 256Mi and may use 1Gi: its queues have a bound below that."),
    ] = Resources()
    environment: Environment = {}
    trace_collector: (
        Annotated[
            Collector,
            Meta(
                description="Sends OpenTelemetry traces of the messages there, over OTLP/HTTP. Profile `restricted` opens "
                "the way to this port alone: of its namespace for `NAME.NAMESPACE.svc`, of the bundle's for `NAME`, of "
                "the address, and else of anywhere. The Service's port must be that of its pods."
            ),
        ]
        | UnsetType
    ) = UNSET

    def __post_init__(self) -> None:
        """Refuse a collector that cannot be one; ValueError becomes the message for the caller."""
        if self.trace_collector is not UNSET:
            refuse_odd_collector(self.trace_collector)


class Options(_Part, frozen=True):
    """Options of the Kubernetes bundle. Whatever is not given has the default; nothing is required."""

    profile: Annotated[
        Literal["default", "restricted"],
        Meta(
            description="`restricted`: pods fulfil the Pod Security Standard of that name (the images must run as a "
            "numeric non-root user, or `runAsUser` says one), have a service account of their own, and reach "
            "nothing but the bundle's pods and DNS."
        ),
    ] = "default"
    replicas: Replicas = 1
    resources: Annotated[
        Resources,
        Meta(description="By default each node requests 100m and 256Mi, unless a limit says what it is to have."),
    ] = Resources()
    gpu: Gpu | None = None
    environment: Environment = {}
    node_selector: NodeSelector = {}
    tolerations: Tolerations = ()
    image_pull_policy: ImagePullPolicy = "IfNotPresent"
    image_pull_secrets: ImagePullSecrets = ()
    service_type: ServiceType = "NodePort"
    probes: Probes = "tcp"
    webui: WebUi = True
    webui_ingress: WebUiIngress | None = None
    run_as_user: RunAsUser | None = None
    run_as_non_root: RunAsNonRoot = False
    shared_folder: SharedFolders = SharedFolders()
    autostart: Annotated[
        bool, Meta(description="The orchestrator starts the pipeline by itself, also after a restart.")
    ] = True
    orchestrator: OrchestratorOptions = OrchestratorOptions()
    nodes: Annotated[
        dict[str, NodeOptions],
        Meta(max_length=500, description="Overrides for single nodes, by their name in the bundle or the blueprint."),
    ] = {}
