"""Decides everything a workflow is made of, once and for every engine: an emitter only translates what stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from shared import naming
from shared.deployer import Assets
from shared.errors import InvalidOptionsError
from shared.findings import Findings
from shared.kubernetes import plan as kubernetes_plan
from shared.kubernetes.choices import Choice
from shared.kubernetes.labels import Identity
from shared.orchestration.pipeline_files import Data
from shared.solution import Solution
from shared.workflows import configuration, descriptors, modes, nodes, operations, steps, unheard
from shared.workflows.modes import Mode
from shared.workflows.nodes import NodePlan, given
from shared.workflows.operations import OperationGraph
from shared.workflows.policy import NodePolicy, ParameterValue, Policy, as_kubernetes
from shared.workflows.steps import Step

PIPELINE_FOLDER = "/etc/slipway/pipeline"
BUNDLE_FOLDER = "/etc/slipway/bundle"
RUN_SECONDS = "run-seconds"
RUN_DURATION = "run-duration"
ITERATIONS = "run-iterations"
"""Parameters that every workflow has where they mean something. A variable has no `-`, so they meet no parameter."""
# The limit of a label, less room for engine, digest, purpose and number.
_STEM_LIMIT = 41


@dataclass(frozen=True, kw_only=True)
class WorkflowPlan:
    """What an emitter needs. Names are labels of at most 52 characters, different from each other and from the `reserved`."""

    solution: Solution
    policy: Policy
    identity: Identity
    engine: str
    """The word for the engine, in the names of what it needs: several engines may run one solution in one namespace."""
    mode: Mode
    graph: OperationGraph
    jobs: tuple[NodePlan, ...]
    """Tasks of their own that run to completion, in mode `jobs` all nodes; `NodePlan.after` says what comes before."""
    services: tuple[NodePlan, ...]
    """Nodes that run as long as the run takes, and in mode `steps` those that stand beside a task."""
    steps: tuple[Step, ...]
    """Mode `steps` only."""
    driver: Choice
    driver_image: str
    pipeline: Mapping[str, bytes]
    """What the driver finds in `PIPELINE_FOLDER`, by file name."""
    pipeline_maps: tuple[tuple[str, Data], ...]
    """The same as ConfigMaps: name and data. Their names follow from the content, so that nothing changes under a run."""
    is_deployed: bool
    """The nodes come from the manifests that the workflow applies; they, not the engine, then run the jobs, too."""
    bundle_maps: tuple[tuple[str, Data], ...]
    """Where it is deployed: the manifests for `BUNDLE_FOLDER`, as ConfigMaps."""
    bundle: Mapping[str, bytes]
    """The manifests that `bundle_maps` hold, by file name."""
    preparation: Mapping[str, Any] | None
    """The container that makes shared folders writable, before anything runs; None where there is nothing to prepare."""
    protos: Mapping[str, bytes]
    """File name → text, of all protos whose names can be files of a bundle."""
    findings: Findings

    @cached_property
    def last_jobs(self) -> tuple[str, ...]:
        """Names of the jobs that must have succeeded before anything is called."""
        followed = {name for job in self.jobs for name in job.after}
        return tuple(job.name for job in self.jobs if job.name not in followed)

    @property
    def drives(self) -> bool:
        """Whether the workflow itself moves the messages, and so needs the pipeline's files."""
        return self.mode is not Mode.PERSISTENT

    @property
    def is_open_ended(self) -> bool:
        """Whether it goes on until somebody stops it: what is deployed to stay, and a model that is held for no time."""
        is_held = self.mode is Mode.SERVICES and not self.solution.is_pipeline
        return self.mode is Mode.PERSISTENT or (is_held and not self.parameters[RUN_SECONDS])

    @cached_property
    def parameters(self) -> Mapping[str, ParameterValue]:
        """The workflow's parameters and their defaults, typed."""
        own: dict[str, ParameterValue] = {}
        if self.mode in {Mode.STEPS, Mode.SERVICES}:
            held = 0 if self.solution.is_pipeline else self.policy.duration
            own[RUN_SECONDS] = held or self.policy.deadlines.run
            if self.solution.is_pipeline and self.mode is Mode.SERVICES:
                own[RUN_DURATION] = self.policy.duration
            if self.solution.is_pipeline:
                own[ITERATIONS] = self.policy.iterations
        # The variables of what is deployed stand in its manifests.
        return own if self.is_deployed else own | self.policy.parameters

    @property
    def stem(self) -> str:
        """What the names of those objects begin with."""
        return _stem(self.identity, self.engine)

    def claim_name(self, claim: str) -> str:
        """Return the name of a claim: workflows of many solutions share a namespace."""
        return f"{self.stem}-{claim}"


def make(
    solution: Solution,
    chosen: Policy,
    assets: Assets,
    *,
    engine: str,
    reserved: frozenset[str],
    lacking: Mapping[Mode, str] = MappingProxyType({}),
    deployed: frozenset[Mode] = frozenset({Mode.PERSISTENT}),
) -> WorkflowPlan:
    """Return the plan.

    Args:
        solution: the solution.
        chosen: what the person who asks has chosen.
        assets: the images.
        engine: the word for the engine that the plan is for.
        reserved: the names that the emitter gives to tasks of its own.
        lacking: the modes that the engine does not have, each with the reason.
        deployed: the modes in which the workflow applies manifests, because the engine cannot run the nodes itself.

    Raises:
        InvalidOptionsError: the options do not fit the solution, or contradict each other.
    """
    chosen = nodes.by_name(solution, chosen)
    kinds = _kinds(solution, chosen)
    jobs = frozenset(name for name, kind in kinds.items() if kind == "job")
    graph = operations.graph(solution)
    mode = modes.choose(solution, graph, jobs, chosen.mode, lacking)
    _refuse_times(solution, chosen, mode.mode)
    is_deployed = mode.mode in deployed
    pods = kubernetes_plan.make(solution, as_kubernetes(chosen, kinds), assets.images)
    everything = nodes.plan(solution, chosen, pods, reserved=reserved)
    described = descriptors.describe(solution)
    pipeline = configuration.pipeline_files(solution, described, pods.protos)
    stem = _stem(pods.identity, engine)
    to_completion = everything if mode.mode is Mode.JOBS else [n for n in everything if n.node.name in jobs]
    ran = nodes.in_order(nodes.limited(to_completion, run=chosen.deadlines.run), graph)
    bundle = (
        configuration.bundle_files(
            solution,
            pods.options,
            assets,
            chosen,
            everything,
            # No edge joins jobs that nobody calls, so these run one after the other. Those that the orchestrator of a
            # deployment calls run beside it: before it they would wait for ever.
            first=[job.node.name for job in ran if not job.is_called],
            orchestrated=mode.mode is Mode.PERSISTENT,
        )
        if is_deployed
        else {}
    )
    services = () if mode.mode is Mode.JOBS else tuple(n for n in everything if n.node.name not in jobs)
    return WorkflowPlan(
        solution=solution,
        policy=chosen,
        identity=pods.identity,
        engine=engine,
        mode=mode.mode,
        graph=graph,
        jobs=() if is_deployed else ran,
        services=services,
        steps=steps.plan(graph, services, chosen, reserved=reserved | {job.name for job in ran})
        if mode.mode is Mode.STEPS
        else (),
        driver=pods.orchestrator,
        driver_image=pods.orchestrator_image,
        pipeline=pipeline,
        pipeline_maps=configuration.maps(f"{configuration.named(stem, pipeline)}-pipeline", pipeline),
        is_deployed=is_deployed,
        bundle_maps=configuration.maps(f"{configuration.named(stem, bundle)}-bundle", bundle),
        bundle=bundle,
        preparation=pods.preparation,
        protos=pods.protos,
        findings=mode.findings
        + nodes.findings(everything, chosen, jobs)
        + pods.findings
        + described.findings
        + configuration.findings(solution)
        + unheard.findings(
            chosen,
            mode.mode,
            is_deployed=is_deployed,
            jobs=jobs,
            called={n.node.name for n in everything if n.is_called},
        ),
    )


def _stem(identity: Identity, engine: str) -> str:
    """Return a beginning with which every name is a label, whatever comes after it: Kubeflow names volumes so."""
    return f"{naming.label(identity.instance, limit=_STEM_LIMIT - len(engine))}-{engine}"


def _refuse_times(solution: Solution, chosen: Policy, mode: Mode) -> None:
    """Refuse a run that has to fail before it may end well."""
    most = chosen.deadlines.run
    if mode is Mode.SERVICES and solution.is_pipeline and most and chosen.duration >= most:
        raise InvalidOptionsError(
            f"options: duration: expected less than deadlines.run ({most}), found {chosen.duration}: the run would fail "
            "before it may end well"
        )


def _kinds(solution: Solution, chosen: Policy) -> dict[str, Literal["service", "job"]]:
    guessed = modes.kinds(solution)
    return {name: given(chosen.nodes.get(name, NodePolicy()).kind, kind) for name, kind in guessed.items()}
