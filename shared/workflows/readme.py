"""The part of `README.md` that depends on the solution. What is the same for all is a static file."""

from __future__ import annotations

from collections.abc import Iterator

from shared.findings import quoted
from shared.kubernetes.grammar import text
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import Policy

_MODES = {
    Mode.STEPS: "Each operation is a task with its node beside it; messages are artifacts in the cluster's repository.",
    Mode.SERVICES: "All nodes run as long as the run takes; the orchestrator moves the messages between them.",
    Mode.PERSISTENT: "The workflow deploys the solution, keeps it until it is stopped, and removes it.",
    Mode.JOBS: "Each node is a task that runs to completion; data travels through shared folders.",
}


def readme(plan: WorkflowPlan, options: Policy, engine: str) -> str:
    """Return the text, which names the engine; foreign text in it is escaped, and shown as code."""
    parts = [_title(plan, engine), _nodes(plan), _steps(plan), _parameters(plan), _schedule(options), _folders(plan)]
    return "".join(f"{line}\n" for lines in map(list, parts) if lines for line in (*lines, ""))


def _title(plan: WorkflowPlan, engine: str) -> Iterator[str]:
    solution = plan.solution
    yield f"# {_code(solution.name)} for {engine}"
    yield ""
    if solution.ids:
        yield f"Solution `{solution.ids.solution_id}`, revision `{solution.ids.revision_id}`."
    yield f"Mode **{plan.mode}**: {_MODES[plan.mode][0].lower()}{_MODES[plan.mode][1:]}"


def _nodes(plan: WorkflowPlan) -> Iterator[str]:
    yield "| node | image | what it does |"
    yield "|---|---|---|"
    jobs = {job.node.name for job in plan.jobs}
    for node in plan.solution.workloads:
        origin = f"{_code(node.container_name)} in the blueprint" if node.container_name != node.name else ""
        work = "runs to completion" if node.name in jobs else "serves"
        notes = ", ".join(filter(None, [work, origin]))
        yield f"| {node.name} | `{node.image}` | {notes} |"
    yield f"| driver | `{plan.driver_image}` | calls the nodes |"


def _steps(plan: WorkflowPlan) -> Iterator[str]:
    if not plan.steps:
        return
    yield "| task | after | artifacts |"
    yield "|---|---|---|"
    for step in plan.steps:
        written = ", ".join(artifact.name for artifact in step.outputs)
        yield f"| {step.name} | {', '.join(step.after)} | {written} |"


def _parameters(plan: WorkflowPlan) -> Iterator[str]:
    if not plan.parameters:
        return
    yield "| parameter | default |"
    yield "|---|---|"
    for name, value in plan.parameters.items():
        yield f"| {name} | {_code(text(value))} |"


def _schedule(options: Policy) -> Iterator[str]:
    if options.schedule:
        yield f"It runs by itself: {', '.join(f'`{cron}`' for cron in options.schedule.cron)}."


def _folders(plan: WorkflowPlan) -> Iterator[str]:
    for folder in () if plan.is_deployed else plan.solution.shared_folders:
        yield f"Shared folder {_code(folder.mount_path)}: claim `{plan.claim_name(folder.claim)}` (ReadWriteMany)."


def _code(foreign: str) -> str:
    """Return foreign text as code of one line in a table; a backtick or a bar would end it."""
    return f"`{quoted(foreign)[1:-1]}`".replace("|", "\\u007c") if "`" not in foreign else "(unprintable)"
