"""Options for all nodes and options for one node → what holds for that node, checked where only both together show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from shared.errors import InvalidOptionsError
from shared.findings import quoted
from shared.kubernetes.grammar import VariableValue, amount, text
from shared.kubernetes.options import Amounts, Gpu, NodeOptions, Options, Resources, Toleration, WebUiIngress
from shared.solution import ORCHESTRATOR, Node, Solution

DEFAULT_REQUESTS = Amounts(cpu="100m", memory="256Mi")
ORCHESTRATOR_LIMITS = Amounts(memory="1Gi")
NO_LIMITS = Amounts()
ORCHESTRATOR_USER = 10001  # of our images

DIRECTORY_VARIABLE = "SLIPWAY_PIPELINE_DIRECTORY"
AUTOSTART_VARIABLE = "SLIPWAY_AUTOSTART"
RESERVED = frozenset({DIRECTORY_VARIABLE, AUTOSTART_VARIABLE})
"""What the bundle tells the orchestrator."""

# Fields where a value for one node simply takes the place of the value for all.
_REPLACED = (
    "replicas",
    "node_selector",
    "tolerations",
    "image_pull_policy",
    "image_pull_secrets",
    "service_type",
    "probes",
    "webui",
    "run_as_user",
    "run_as_non_root",
)
_REST = "rest"
_NOTHING = NodeOptions()
_ORCHESTRATOR = NodeOptions(
    replicas=1, gpu=None, probes="tcp", webui=False, run_as_user=ORCHESTRATOR_USER, run_as_non_root=True
)
_PROBE = NodeOptions(replicas=1, gpu=None, probes="tcp", webui=False, run_as_non_root=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What holds for one workload: `NodeOptions` with nothing left open."""

    is_job: bool
    replicas: int
    resources: Mapping[str, Mapping[str, str]]
    """As a container has it, accelerators included."""
    environment: Mapping[str, str]
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]
    image_pull_policy: str
    image_pull_secrets: tuple[str, ...]
    service_type: str
    probes: str
    webui: bool
    webui_ingress: WebUiIngress | None
    """With the node's own host, and only where there is a web UI."""
    run_as_user: int | None
    run_as_non_root: bool
    has_gpu: bool
    is_restricted: bool


def choose(solution: Solution, options: Options) -> dict[str, Choice]:
    """Return the choice for every workload, by its name in the bundle.

    Raises:
        InvalidOptionsError: an override names no workload, or one twice; or values contradict each other.
    """
    overrides = _by_name(solution, options.nodes)
    for name, environment in (
        ("environment", options.environment),
        *((n, o.environment) for n, o in overrides.items()),
    ):
        _refuse_reserved(name, environment, _folder_variables(solution))
    unprobed = msgspec.structs.replace(options, probes="none")
    chosen: dict[str, Choice] = {}
    before: tuple[bool, NodeOptions, Choice] | None = None
    for node in solution.workloads:
        is_called, own = _is_called(node, solution), overrides.get(node.name, _NOTHING)
        # What holds for the node before holds for this one, too, where the same was chosen, and no page has a host.
        if before and before[:2] == (is_called, own) and before[2].webui_ingress is None:
            chosen[node.name] = before[2]
        else:
            chosen[node.name] = _choice(node.name, options if is_called else unprobed, own, limits=NO_LIMITS)
        before = (is_called, own, chosen[node.name])
    _refuse_ingresses_of_nothing(options, overrides, chosen)
    _refuse_shared_hosts(chosen)
    return chosen


def choose_for_orchestrator(solution: Solution, options: Options) -> Choice:
    """Return what holds for the orchestrator: the values for all nodes where it is not special.

    Raises:
        InvalidOptionsError: values contradict each other, or what the bundle sets itself.
    """
    _refuse_reserved(ORCHESTRATOR, options.orchestrator.environment, {*_folder_variables(solution), *RESERVED})
    own = msgspec.structs.replace(
        options, resources=options.orchestrator.resources, environment=options.orchestrator.environment
    )
    return _choice(ORCHESTRATOR, own, _ORCHESTRATOR, limits=ORCHESTRATOR_LIMITS)


def choose_for_probe(options: Options) -> Choice:
    """Return what holds for Graphene's probe: the values for all nodes where they say how pods are placed and pulled."""
    own = msgspec.structs.replace(options, resources=Resources(), environment={}, run_as_user=None)
    return _choice("probe", own, _PROBE, limits=NO_LIMITS)


def _folder_variables(solution: Solution) -> set[str]:
    return {folder.variable for folder in solution.shared_folders}


def _refuse_reserved(place: str, environment: Mapping[str, VariableValue], reserved: set[str]) -> None:
    for taken in sorted(reserved.intersection(environment)):
        raise InvalidOptionsError(f"options: {place}: expected no variable {taken}: it is set by the bundle")


def _is_called(node: Node, solution: Solution) -> bool:
    """Tell whether somebody waits for the node's gRPC port; what never opens one would never be ready.

    Of a model, only its proto knows the operations.
    """
    return not solution.is_pipeline or bool(node.operations and node.node_type.strip().casefold() != _REST)


def _by_name(solution: Solution, overrides: Mapping[str, NodeOptions]) -> dict[str, NodeOptions]:
    names = {node.container_name: node.name for node in solution.workloads}
    names |= {node.name: node.name for node in solution.workloads}
    unknown = [key for key in overrides if key not in names]
    if unknown:
        known = ", ".join(node.name for node in solution.workloads)
        raise InvalidOptionsError(f"options: nodes: expected one of {known}, found {quoted(unknown[0])}")
    twice = [name for name, uses in Counter(names[key] for key in overrides).items() if uses > 1]
    if twice:
        raise InvalidOptionsError(f"options: nodes: expected {twice[0]} once, found it under both of its names")
    return {names[key]: override for key, override in overrides.items()}


def _choice(name: str, options: Options, override: NodeOptions, *, limits: Amounts) -> Choice:
    is_job = override.kind == "job"
    replaced = {field: _first(getattr(override, field), getattr(options, field)) for field in _REPLACED}
    # What runs to completion serves no page; its author would have to say so.
    replaced["webui"] = _first(override.webui, options.webui and not is_job)
    gpu = _first(override.gpu, options.gpu)
    ingress = _first(override.webui_ingress, options.webui_ingress)
    is_restricted = options.profile == "restricted"
    _refuse_contradictions(
        name,
        override,
        run_as_user=replaced["run_as_user"],
        must_not_be_root=is_restricted or replaced["run_as_non_root"],
    )
    return Choice(
        **replaced,
        is_job=is_job,
        resources=_container_resources(name, _merged(options.resources, override.resources), limits, gpu),
        environment={key: text(value) for key, value in (options.environment | override.environment).items()},
        webui_ingress=_with_host_of(name, ingress) if replaced["webui"] else None,
        has_gpu=gpu is not None,
        is_restricted=is_restricted,
    )


def _refuse_contradictions(
    name: str, override: NodeOptions, *, run_as_user: int | None, must_not_be_root: bool
) -> None:
    if override.kind == "job" and override.replicas not in {UNSET, 1}:
        raise InvalidOptionsError(f"options: nodes.{name}: expected no replicas with kind job, which runs once")
    if must_not_be_root and run_as_user == 0:
        raise InvalidOptionsError(
            f"options: {name}: expected another runAsUser than 0 with profile restricted or runAsNonRoot"
        )


def _first(value: Any, fallback: Any) -> Any:
    return fallback if value is UNSET else value


def _merged(base: Resources, override: Resources) -> Resources:
    return Resources(
        requests=_merged_amounts(base.requests, override.requests),
        limits=_merged_amounts(base.limits, override.limits),
    )


def _merged_amounts(base: Amounts, override: Amounts) -> Amounts:
    return Amounts(cpu=_text(_first(override.cpu, base.cpu)), memory=_text(_first(override.memory, base.memory)))


def _text(value: Any) -> Any:
    return value if value is UNSET else text(value)


def _container_resources(
    name: str, given: Resources, default_limits: Amounts, gpu: Gpu | None
) -> dict[str, dict[str, str]]:
    """Return requests and limits; a default yields to what was given, so that it can never contradict it.

    A limit alone is also the request: Kubernetes would do the same, but here it can be read.
    """
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for kind in ("cpu", "memory"):
        request, limit = getattr(given.requests, kind), getattr(given.limits, kind)
        _refuse_above(name, kind, request, limit)
        if limit is UNSET and request is UNSET:
            request, limit = getattr(DEFAULT_REQUESTS, kind), getattr(default_limits, kind)
        requests[kind] = _first(request, limit)
        if limit is not UNSET:
            limits[kind] = limit
    if gpu is not None:
        limits[gpu.resource] = str(gpu.count)
    return {"requests": requests, "limits": limits} if limits else {"requests": requests}


def _refuse_above(name: str, kind: str, request: str | UnsetType, limit: str | UnsetType) -> None:
    if request is not UNSET and limit is not UNSET and amount(request) > amount(limit):
        raise InvalidOptionsError(
            f"options: {name}: expected a {kind} request of at most the limit {limit}, found {request}"
        )


def _with_host_of(name: str, ingress: WebUiIngress | None) -> WebUiIngress | None:
    if ingress is None or not ingress.host.startswith("*."):
        return ingress
    return msgspec.structs.replace(ingress, host=f"{name}{ingress.host[1:]}")


def _refuse_ingresses_of_nothing(
    options: Options, overrides: Mapping[str, NodeOptions], chosen: Mapping[str, Choice]
) -> None:
    """Refuse an Ingress that would lead to no web UI, instead of leaving it out silently."""
    for name, override in overrides.items():
        if isinstance(override.webui_ingress, WebUiIngress) and not chosen[name].webui:
            reason = "kind job, which has none by default" if chosen[name].is_job else "webui false"
            raise InvalidOptionsError(
                f"options: nodes.{name}.webuiIngress: expected a web UI (nodes.{name}.webui: true), found {reason}"
            )
    if options.webui_ingress is not None and not any(choice.webui for choice in chosen.values()):
        raise InvalidOptionsError("options: webuiIngress: expected a node with a web UI (webui: true), found none")


def _refuse_shared_hosts(chosen: Mapping[str, Choice]) -> None:
    hosts = Counter(choice.webui_ingress.host for choice in chosen.values() if choice.webui_ingress)
    shared = [host for host, uses in hosts.items() if uses > 1]
    if shared:
        raise InvalidOptionsError(
            f"options: webuiIngress: expected a host for each web UI, found {shared[0]} for {hosts[shared[0]]} nodes; "
            f"*.{shared[0]} gives each its own"
        )
