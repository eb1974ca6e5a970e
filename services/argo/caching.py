"""What a step gave is kept and taken again: which steps that goes for, where, and the key by which Argo knows them again.

A key holds everything that what comes out depends on: the program, its variables and secrets by name, the protos, what
splitters and collators do, the parameters of the run, and all messages that come in. The last two are digests that the
driver writes, so that they stand in the key of a ConfigMap whatever they are. What no key can hold is not cached.

Argo itself makes the ConfigMaps, in the namespace of its controller: one that lay in the bundle would be another one, or
lose its labels with the first entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from services.argo import containers, templates
from shared import image
from shared.findings import Finding, quoted, warning
from shared.orchestration.pipeline_files import BLUEPRINT, POLICIES
from shared.workflows.plan import WorkflowPlan
from shared.workflows.steps import Step

DIGEST = "digest"
# The key is one of a ConfigMap: at most 253 characters, of which each message takes 33 and the task 18.
MAX_INPUTS = 7
_KEY_DIGITS = 16

_Obstacle = tuple[str, str]  # what was expected, and what was found


def cached(plan: WorkflowPlan) -> dict[str, Step]:
    """Return the steps whose outputs are kept, by name. Sources are asked anew each time, and sinks act outside."""
    return {step.name: step for step in _asked(plan) if not (_obstacle_of_all(plan) or _obstacle(step))}


def findings(plan: WorkflowPlan) -> Iterator[Finding]:
    """Yield what cannot be kept though it was asked for, and what Argo has to be told before it keeps anything."""
    if any(step.caching for step in plan.steps) and (reason := _obstacle_of_all(plan)):
        yield _not_cached("options.caching", reason)
        return
    for step in _asked(plan):
        if reason := _obstacle(step):
            yield _not_cached(f"$.nodes[{step.task.node}]", reason)
    if cached(plan):
        yield warning(
            "cache-kept-by-argo",
            "options.caching",
            expected="a controller of Argo that may create, update and delete ConfigMaps in its namespace, and forgets "
            "what is old",
            found="one that, as it comes, may not and does not: what it cannot keep, also because a ConfigMap is full "
            "(1 MiB), runs in every run, and only its log says so",
            hint="Argo's administrator gives it the right, and sets CACHE_GC_PERIOD and "
            "CACHE_GC_AFTER_NOT_HIT_DURATION, which is 30s otherwise",
        )


def _asked(plan: WorkflowPlan) -> list[Step]:
    return [step for step in plan.steps if step.caching and step.after and step.outputs]


def _obstacle_of_all(plan: WorkflowPlan) -> _Obstacle | None:
    """Return why no step may be cached."""
    if not _asked(plan):
        return "a step between others", "sources, which are asked anew each time, and sinks, which act outside"
    if plan.solution.shared_folders:
        return "nodes without a shared folder", "one, and what lies in it is in no message"
    return None


def _obstacle(step: Step) -> _Obstacle | None:
    """Return why this step may not be cached: its key would be too long, or would stay when its program changes."""
    if len(step.after) > MAX_INPUTS:
        return f"at most {MAX_INPUTS} tasks before one whose output is kept", str(len(step.after))
    if step.node is None:
        return None
    reference = image.parse(step.node.image)
    if reference.is_moving:
        return "a tag other than latest, or a digest", quoted(step.node.image)
    if step.node.choice.image_pull_policy == "Always" and not reference.digest:
        return "a digest where images are pulled each time", quoted(step.node.image)
    return None


def _not_cached(path: str, reason: _Obstacle) -> Finding:
    expected, found = reason
    return warning("step-not-cached", path, expected=expected, found=found, hint="it runs every time")


def digested(steps: Mapping[str, Step]) -> set[str]:
    """Return the names of the steps whose messages are in a key."""
    return {name for step in steps.values() for name in step.after}


def template_name(step: Step) -> str:
    """Return a name that no step has: theirs are in small letters."""
    return f"{step.name}-Kept"


def templates_of(plan: WorkflowPlan, steps: Mapping[str, Step]) -> list[templates.Template]:
    """Return a template for each of the steps: what it gives is taken from the cache, or else from the step.

    Each is a DAG of its own, because Argo 3.7 never ends one with a task that may be tried again and comes from the cache.
    """
    context = _context(plan) if steps else ""
    with_digest = digested(steps)
    return [
        {
            "name": template_name(step),
            "memoize": {
                "key": _key(plan, step, context),
                "maxAge": f"{step.caching.max_age}s" if step.caching else "",
                "cache": {"configMap": {"name": _name(plan, step)}},
            },
            "inputs": {
                "parameters": [{"name": f"{DIGEST}-{number}"} for number in range(1, len(step.after) + 1)],
                "artifacts": [{"name": each.name} for each in step.inputs],
            },
            "outputs": _outputs(step, with_digest=name in with_digest),
            "dag": {"tasks": [templates.task(step.name, step.name, artifacts=_handed(step))]},
        }
        for name, step in steps.items()
    ]


def _handed(step: Step) -> list[templates.Template]:
    return [{"name": each.name, "from": f"{{{{inputs.artifacts.{each.name}}}}}"} for each in step.inputs]


def _outputs(step: Step, *, with_digest: bool) -> templates.Template:
    given = f"tasks.{step.name}.outputs"
    artifacts = [{"name": each.name, "from": f"{{{{{given}.artifacts.{each.name}}}}}"} for each in step.outputs]
    digest = {"name": DIGEST, "valueFrom": {"parameter": f"{{{{{given}.parameters.{DIGEST}}}}}"}}
    return {"artifacts": artifacts, **({"parameters": [digest]} if with_digest else {})}


def parameters_of_run(plan: WorkflowPlan) -> Sequence[tuple[str, str]]:
    """Return name and value of what each digest has to hold beside the messages: values come in with a run."""
    return [(name, templates.parameter(name)) for name in plan.policy.parameters]


def _name(plan: WorkflowPlan, step: Step) -> str:
    """Return the name of the step's ConfigMap: all namespaces have theirs in that of Argo's controller."""
    return f"{{{{workflow.namespace}}}}.{plan.identity.instance}-cache-{step.name}"


def _key(plan: WorkflowPlan, step: Step, context: str) -> str:
    program = containers.node(plan, step.node, probed=False) if step.node else {}
    own = json.dumps([step.name, program, dict(step.node.texts) if step.node else {}, context], sort_keys=True)
    made = hashlib.sha256(own.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_DIGITS]
    digests = (f"{{{{inputs.parameters.{DIGEST}-{number}}}}}" for number in range(1, len(step.after) + 1))
    return "-".join([f"k{made}", *digests])


def _context(plan: WorkflowPlan) -> str:
    """Return a digest of what all steps depend on: the driver, and the pipeline's files, but for the images of other nodes.

    The repository is in it, too: what is kept is only where an output lies in it.
    """
    graph = [
        [(each.name, each.role, each.operations, each.settings) for each in plan.solution.nodes],
        plan.solution.edges,
        plan.solution.document.get(POLICIES),
        plan.policy.artifacts,
    ]
    files = {**plan.pipeline, BLUEPRINT: msgspec.json.encode(graph, order="sorted")}
    made = hashlib.sha256(plan.driver_image.encode())
    for name, content in sorted(files.items()):
        made.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return made.hexdigest()
