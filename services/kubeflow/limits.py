"""What Kubeflow cannot do: refused where nothing would run, told where something would be different."""

from __future__ import annotations

from collections.abc import Iterator

from services.kubeflow import unfit
from services.kubeflow.options import Options
from shared.errors import InvalidOptionsError
from shared.findings import Finding, warning
from shared.workflows import unheard
from shared.workflows.lint.kubeflow_releases import FIRST, SIDECARS, shown
from shared.workflows.modes import Mode
from shared.workflows.plan import RUN_SECONDS, WorkflowPlan
from shared.workflows.policy import Deadlines, Schedule

_SHOWN = 5


def lacking(options: Options) -> dict[Mode, str]:
    """Return the modes that this release of Kubeflow does not have."""
    if options.takes(SIDECARS):
        return {}
    first = shown(FIRST[SIDECARS])
    return {
        Mode.STEPS: f"no node can stand beside a task before Kubeflow Pipelines {first}, and option release says {options.release}"
    }


def refuse(plan: WorkflowPlan) -> None:
    """Refuse what would never start.

    Raises:
        InvalidOptionsError: which option is missing, or does not go.
    """
    unknown = [job.node.name for job in plan.jobs if not job.command]
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise InvalidOptionsError(
            f"options: nodes: expected the command of {', '.join(unknown[:_SHOWN])}{more}: Kubeflow takes none from an "
            "image, and option nodes.NAME.command says it"
        )
    for node in plan.services if plan.mode is Mode.STEPS else ():
        if node.secrets or node.texts:
            raise InvalidOptionsError(
                f"options: {node.node.name}: expected variables that may stand in the pipeline, found one from a Secret "
                "or with '{{': sidecars of Kubeflow take no others; mode services does"
            )


def findings(plan: WorkflowPlan, options: Options) -> Iterator[Finding]:
    """Yield a warning for each thing that was asked for and is different here."""
    if options.schedule:
        yield from _schedule(options.schedule, plan)
    if options.artifacts:
        yield _different("artifacts", "the place that Kubeflow's administrator has chosen", "artifacts.key")
    if options.deadlines.workflow != Deadlines().workflow:
        hint = "deadlines.run and the deadlines of nodes hold; a deadline of the whole would also end the teardown"
        yield _different("deadlines.workflow", "no deadline of the whole pipeline", hint)
    if plan.mode is Mode.STEPS and any(step.caching for step in plan.steps):
        hint = (
            "Kubeflow's cache would know neither the node beside a task, nor by their content the messages that come in"
        )
        yield _different("caching", "no cache: each task runs in every run", hint)
    if options.parameters and not plan.is_deployed:
        hint = "Kubeflow fills in commands and arguments, never a variable"
        yield _different("parameters", "their defaults in every run", hint)
    if plan.preparation and not plan.is_deployed:
        yield _different(
            "sharedFolder",
            "folders that nobody makes writable",
            "choose a storage class whose volumes all may write to",
        )
    for path, found, hint in unfit.choices(plan, options):
        yield _different(path, found, hint)
    if any(not service.is_called for service in plan.services) and plan.mode is Mode.STEPS:
        yield _different("mode", "no place for nodes that nobody calls", "mode services deploys them, too")


def _schedule(schedule: Schedule, plan: WorkflowPlan) -> Iterator[Finding]:
    if plan.is_deployed and schedule.concurrency == "Allow":
        found = "runs that fail while another one goes on: the nodes have the same names in all of them"
        yield _different("schedule.concurrency", found, "Forbid leaves the next one out")
    if _is_endless(plan):
        expected = "a run that ends: this one holds until it is terminated, and keeps the next one out"
        yield unheard.told("schedule", plan.mode, expected)
    if schedule.time_zone:
        yield _different("schedule.timeZone", "the time zone of Kubeflow's controller", "its CRON_SCHEDULE_TIMEZONE")
    if schedule.concurrency == "Replace":
        yield _different(
            "schedule.concurrency", "Forbid: a run is never ended for the next one", "the next one is left out"
        )
    if schedule.starting_deadline != Schedule(cron=schedule.cron).starting_deadline:
        yield _different("schedule.startingDeadline", "missed starts that are left out", "Kubeflow knows no deadline")


def _is_endless(plan: WorkflowPlan) -> bool:
    """Tell whether a run only keeps what it has deployed, for no time that anybody has said."""
    return plan.is_deployed and (
        plan.mode is Mode.PERSISTENT or not (plan.solution.is_pipeline or plan.parameters[RUN_SECONDS])
    )


def _different(option: str, found: str, hint: str) -> Finding:
    return warning("kubeflow-cannot", f"options.{option}", expected="what is asked for", found=found, hint=hint)
