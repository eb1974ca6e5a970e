"""The one policy of all workflow deployers: what the person who asks may choose. Each deployer's options are these and its own.

A target that cannot do what is asked for says so in a finding. No text here can hold `{{`, which is live in workflows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.findings import quoted
from shared.kubernetes import options as kubernetes
from shared.kubernetes.grammar import ObjectName, VariableName, VariableValue
from shared.kubernetes.options import Gpu, Resources, SharedFolders
from shared.workflows import cron, time_zones
from shared.workflows.texts import refuse_live

_END = r"$(?!\n)"
DAY = 24 * 60 * 60

Seconds = Annotated[int, Meta(ge=0, le=366 * DAY)]
SomeSeconds = Annotated[int, Meta(ge=1, le=366 * DAY)]
# Five fields, or a word such as @daily: digits, names of days and months, and the signs of cron.
Cron = Annotated[
    str,
    Meta(
        pattern=rf"^(?:@[a-z]{{5,8}}|[0-9A-Za-z*/,?-]+(?: [0-9A-Za-z*/,?#L-]+){{4}}){_END}",
        max_length=100,
        examples=["30 5 * * 1-5", "@daily"],
    ),
]
TimeZone = Annotated[str, Meta(pattern=rf"^[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*{_END}", max_length=64)]
ConfigKey = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9][-._A-Za-z0-9]*{_END}", max_length=253)]
Argument = Annotated[str, Meta(pattern=r"^[^\u0000]*$", max_length=4096)]
ParameterValue = (
    Annotated[str, Meta(pattern=r"^[^\u0000]*$", max_length=4096)]
    | Annotated[int, Meta(ge=-(2**53), le=2**53)]
    | Annotated[float, Meta(ge=-1.7e308, le=1.7e308)]
    | bool
)


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What all parts share: frozen, camelCase in JSON, no unknown key."""


class Retries(Part, frozen=True):
    """How often a task that failed is tried again, and how long before."""

    limit: Annotated[int, Meta(ge=0, le=50, description="Tries after the first one; 0: none.")] = 2
    backoff: Annotated[Seconds, Meta(description="Seconds before the second try.")] = 10
    factor: Annotated[int, Meta(ge=1, le=10, description="By which the wait grows with each try.")] = 2
    max_backoff: Annotated[Seconds, Meta(description="Seconds that the longest wait takes.")] = 300

    def __post_init__(self) -> None:
        """Refuse a first wait that is longer than the longest; ValueError becomes the message for the caller."""
        if self.limit and self.backoff > self.max_backoff:
            raise ValueError(f"expected backoff of at most maxBackoff ({self.max_backoff}), found {self.backoff}")


class Deadlines(Part, frozen=True):
    """Seconds; 0 means none."""

    workflow: Annotated[Seconds, Meta(description="For the whole workflow, waiting for machines included.")] = DAY
    run: Annotated[
        Seconds,
        Meta(
            description="For the run itself; a parameter of the workflow. In mode `services` a run that goes on is "
            "stopped then, and has failed (option `duration` ends it well); in mode `steps`, and of jobs, it holds for each "
            "task."
        ),
    ] = 3600
    start: Annotated[SomeSeconds, Meta(description="Until a node must answer.")] = 1200


class Caching(Part, frozen=True):
    """Keep what a task gave, and take it again for the same image and the same messages. Mode `steps` only."""

    max_age: Annotated[SomeSeconds, Meta(description="Seconds for which it is kept.")] = 7 * DAY


class Schedule(Part, frozen=True):
    """When the workflow runs by itself."""

    cron: Annotated[tuple[Cron, ...], Meta(min_length=1, max_length=10, description="Cron expressions.")]
    time_zone: (
        Annotated[
            TimeZone,
            Meta(description="Name in the IANA database; without one the engine's own.", examples=["Europe/Berlin"]),
        ]
        | UnsetType
    ) = UNSET
    concurrency: Annotated[
        Literal["Allow", "Forbid", "Replace"], Meta(description="What happens while the last run still goes on.")
    ] = "Forbid"
    starting_deadline: Annotated[Seconds, Meta(description="Seconds by which a missed start may be late.")] = 300
    suspended: Annotated[bool, Meta(description="Do not start by itself yet.")] = False

    def __post_init__(self) -> None:
        """Refuse what no engine starts anything by; ValueError becomes the message for the caller."""
        for number, expression in enumerate(self.cron):
            if problem := cron.problem(expression):
                raise ValueError(f"cron[{number}]: {problem}, found {quoted(expression)}")
        if self.time_zone is not UNSET and self.time_zone not in time_zones.known():
            raise ValueError(f"timeZone: expected a name in the IANA database, found {quoted(self.time_zone)}")


class SecretKey(Part, frozen=True):
    """One key of a Secret in the workflow's namespace."""

    secret: ObjectName
    key: ConfigKey


class ArtifactRepository(Part, frozen=True):
    """The cluster's place for artifacts (S3, MinIO, …), as its administrator has described it in a ConfigMap."""

    key: ConfigKey
    config_map: ObjectName = "artifact-repositories"


Environment = Annotated[
    dict[VariableName, VariableValue],
    Meta(max_length=200, description="Variables of the containers. A secret is better named under `secrets`."),
]
Secrets = Annotated[
    dict[VariableName, SecretKey], Meta(max_length=50, description="Variables whose values stand in Secrets.")
]
Command = Annotated[
    tuple[Argument, ...],
    Meta(
        max_length=50,
        description="What the container runs, instead of what its image says. Workflow engines look into the registry for "
        "it, unless it is given. `$(NAME)` refers to a variable, as everywhere in Kubernetes.",
    ),
]
Probes = Annotated[
    Literal["tcp", "grpc"],
    Meta(description="How a node is seen to be ready: port 8061 is open, or it answers the gRPC health protocol."),
]


class NodePolicy(Part, frozen=True):
    """What is different for one node. `environment` and `secrets` add to those for all nodes, `resources` field by field."""

    kind: (
        Annotated[
            Literal["service", "job"],
            Meta(
                description="`job`: the node runs to completion, before those that are called. A node without operations "
                "is taken for a service, unless no node of the solution has any."
            ),
        ]
        | UnsetType
    ) = UNSET
    command: Command = ()
    args: Command = ()
    resources: Resources = Resources()
    gpu: Gpu | UnsetType | None = UNSET
    environment: Environment = {}
    secrets: Secrets = {}
    retries: Retries | UnsetType = UNSET
    deadline: Annotated[Seconds, Meta(description="For each task of the node; 0: that of the run.")] | UnsetType = UNSET
    caching: Caching | UnsetType | None = UNSET
    node_selector: kubernetes.NodeSelector | UnsetType = UNSET
    tolerations: kubernetes.Tolerations | UnsetType = UNSET
    image_pull_policy: kubernetes.ImagePullPolicy | UnsetType = UNSET
    probes: Probes | UnsetType = UNSET
    run_as_user: kubernetes.RunAsUser | UnsetType | None = UNSET
    run_as_non_root: kubernetes.RunAsNonRoot | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what a workflow engine would take for its own syntax; ValueError becomes the message for the caller."""
        if self.args and not self.command:
            raise ValueError("expected a command with args: engines put nothing else before them")
        for where in ("command", "args"):
            for number, text in enumerate(getattr(self, where)):
                refuse_live(text, f"{where}[{number}]")


class Policy(Part, frozen=True):
    """Whatever is not given has the default; nothing is required."""

    mode: Annotated[
        Literal["auto", "steps", "services", "persistent", "jobs"],
        Meta(
            description="`auto` looks at the graph. `steps`: each operation is a task, its node runs beside it, messages "
            "are artifacts. `services`: all nodes run as long as the run takes, the orchestrator moves the messages. "
            "`persistent`: the workflow deploys the solution, keeps it until it is stopped, and removes it. `jobs`: "
            "each node is a task that runs to completion, data travels through shared folders."
        ),
    ] = "auto"
    profile: Annotated[
        Literal["default", "restricted"],
        Meta(description="`restricted`: our containers and the nodes fulfil the Pod Security Standard of that name."),
    ] = "default"
    retries: Retries = Retries()
    deadlines: Deadlines = Deadlines()
    caching: Caching | None = None
    schedule: Schedule | None = None
    iterations: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="How often each source is called; 0: until it has no more. A parameter of the workflow.",
        ),
    ] = 0
    duration: Annotated[
        Seconds,
        Meta(
            description="Mode `services`: seconds after which a run that goes on, as an endless stream does, is ended and "
            "has succeeded; 0: it has to complete. A parameter of the workflow. A model is held for that time, or for "
            "`deadlines.run`."
        ),
    ] = 0
    parameters: Annotated[
        dict[VariableName, ParameterValue],
        Meta(
            max_length=50,
            description="Parameters of the workflow, with their defaults, whose types become the parameters'. The nodes "
            "find them as variables of that name.",
        ),
    ] = {}
    artifacts: ArtifactRepository | None = None
    resources: Resources = Resources()
    gpu: Gpu | None = None
    environment: Environment = {}
    secrets: Secrets = {}
    node_selector: kubernetes.NodeSelector = {}
    tolerations: kubernetes.Tolerations = ()
    image_pull_policy: kubernetes.ImagePullPolicy = "IfNotPresent"
    image_pull_secrets: kubernetes.ImagePullSecrets = ()
    probes: Probes = "tcp"
    run_as_user: kubernetes.RunAsUser | None = None
    run_as_non_root: kubernetes.RunAsNonRoot = False
    shared_folder: SharedFolders = SharedFolders()
    driver: Annotated[
        Resources, Meta(description="Of the driver: it requests 100m and 256Mi and may use 1Gi by default.")
    ] = Resources()
    nodes: Annotated[
        dict[str, NodePolicy],
        Meta(max_length=500, description="Overrides for single nodes, by their name in the bundle or the blueprint."),
    ] = {}

    def __post_init__(self) -> None:
        """Refuse what a workflow engine would take for its own syntax; ValueError becomes the message for the caller."""
        for name, value in self.parameters.items():
            if isinstance(value, str):
                refuse_live(value, f"parameters.{name}")


def as_kubernetes(policy: Policy, kinds: dict[str, Literal["service", "job"]]) -> kubernetes.Options:
    """Return the options of `shared.kubernetes` that say the same about pods; `kinds` by name of each workload."""
    same = {name: getattr(policy, name) for name in _SAME}
    return kubernetes.Options(
        **same,
        service_type="ClusterIP",
        webui=False,
        orchestrator=kubernetes.OrchestratorOptions(resources=policy.driver),
        nodes={
            name: _node(policy.nodes.get(name, NodePolicy()), kinds.get(name, "service"))
            for name in dict.fromkeys([*kinds, *policy.nodes])
        },
    )


_SAME_OF_NODES = (
    "resources",
    "gpu",
    "environment",
    "node_selector",
    "tolerations",
    "image_pull_policy",
    "probes",
    "run_as_user",
    "run_as_non_root",
)
_SAME = (*_SAME_OF_NODES, "profile", "image_pull_secrets", "shared_folder")


def _node(own: NodePolicy, kind: Literal["service", "job"]) -> kubernetes.NodeOptions:
    same: dict[str, Any] = {name: getattr(own, name) for name in _SAME_OF_NODES}
    return kubernetes.NodeOptions(**same, kind=kind)
