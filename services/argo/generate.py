"""A solution becomes an Argo Workflow: plan, translate, lint. Nothing else of this package knows how a bundle is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.argo import access, caching, workflow
from services.argo.files import load_files
from services.argo.options import Options
from services.argo.templates import RESERVED
from shared import yamldump
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.errors import InvalidOptionsError
from shared.findings import Finding, Findings, warning
from shared.kubernetes.kustomization import kustomization
from shared.kubernetes.order import in_order
from shared.solution import Solution
from shared.workflows import objects, packaging, plan, unheard
from shared.workflows.lint import argo as lint
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import Deadlines

NAME = "argo"
FOLDER = "argo"
WORKFLOW = f"{FOLDER}/workflow.yaml"
TITLE = "Argo Workflows"


def generate(solution: Solution, options: Options, assets: Assets) -> Bundle:
    """Return the bundle.

    Raises:
        InvalidOptionsError: the options do not fit the solution.
    """
    planned = plan.make(solution, options, assets, engine=NAME, reserved=RESERVED)
    _refuse(planned, options)
    emitted = {f"{FOLDER}/{name}": manifest for name, manifest in _objects(planned, options).items()}
    findings = planned.findings + _findings(planned, options) + lint.check(emitted)
    # A Workflow is submitted each time it is to run; what it needs is applied once.
    applied = kustomization([path for path in in_order(emitted) if path != WORKFLOW])
    files = {path: yamldump.dump(manifest) for path, manifest in (*emitted.items(), ("kustomization.yaml", applied))}
    return packaging.bundle(NAME, TITLE, planned, options, assets, emitted=files, findings=findings)


def _objects(planned: WorkflowPlan, options: Options) -> Mapping[str, dict[str, Any]]:
    found = access.objects(planned, stable_dns=options.stable_dns) | objects.config_maps(planned)
    return found | objects.claims(planned) | workflow.objects(planned, options)


def _findings(planned: WorkflowPlan, options: Options) -> Findings:
    return Findings(tuple(caching.findings(planned))) + _commands(planned) + _unheard(planned, options)


def _unheard(planned: WorkflowPlan, options: Options) -> Iterator[Finding]:
    mode = planned.mode
    if options.stable_dns and mode is not Mode.SERVICES:
        yield unheard.told("stableDns", mode, "mode services, in which nodes are daemons")
    if options.artifacts and mode is not Mode.STEPS:
        yield unheard.told("artifacts", mode, "mode steps, in which a task gives artifacts")
    if options.deadlines.workflow != Deadlines().workflow and mode is Mode.PERSISTENT:
        yield unheard.told("deadlines.workflow", mode, "a mode that ends by itself: this one holds until it is stopped")
    if options.schedule and planned.is_open_ended:
        yield unheard.told(
            "schedule", mode, "a run that ends: this one holds until it is stopped, and keeps the next one out"
        )


def _refuse(planned: WorkflowPlan, options: Options) -> None:
    longest = options.deadlines.workflow
    if planned.mode is Mode.SERVICES and longest and options.duration >= longest:
        raise InvalidOptionsError(
            f"options: duration: expected less than deadlines.workflow ({longest}), found {options.duration}: the whole "
            "workflow would fail before the run may end well"
        )


def _commands(planned: WorkflowPlan) -> list[Finding]:
    """Return one warning for all nodes whose command Argo has to look up."""
    if planned.mode is Mode.PERSISTENT:
        return []
    unknown = [each.node.name for each in (*planned.jobs, *planned.services) if not each.command]
    if not unknown:
        return []
    shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")  # noqa: PLR2004 - as above
    return [
        warning(
            "command-unknown",
            "$.nodes",
            expected="the command of each container, which Argo needs",
            found=f"none for {shown}: Argo asks the registry for it each time",
            hint="option nodes.NAME.command says it, or the entry `images` of Argo's controller; else the controller "
            "must be able to read the registry",
        )
    ]


DEPLOYER = Deployer(
    name=NAME,
    title=TITLE,
    summary="A Workflow, its template and its schedule: nodes as steps with artifacts, as services of one run, or as jobs.",
    options=Options,
    generate=generate,
    load_files=load_files,
)
