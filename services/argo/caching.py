"""What a step gave is kept and taken again: which steps that goes for, and the key by which Argo knows them again.

A key holds everything that what comes out depends on: the program, its variables and secrets by name, the protos, what
splitters and collators do, the parameters of the run, and all messages that come in. The last two are digests that the
driver writes, so that they stand in the key of a ConfigMap whatever they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from services.argo import containers, templates
from shared.findings import Finding, warning
from shared.orchestration.pipeline_files import BLUEPRINT, POLICIES
from shared.workflows import objects
from shared.workflows.plan import WorkflowPlan
from shared.workflows.steps import Step

DIGEST = "digest"
# The key is one of a ConfigMap: at most 253 characters, of which each message takes 33 and the task 18.
MAX_INPUTS = 7
_KEY_DIGITS = 16
_TYPE_LABEL = "workflows.argoproj.io/configmap-type"


def cached(plan: WorkflowPlan) -> dict[str, Step]:
    """Return the steps whose outputs are kept, by name. Sources are asked anew each time."""
    return {
        step.name: step for step in plan.steps if step.caching and 0 < len(step.after) <= MAX_INPUTS and step.outputs
    }


def findings(plan: WorkflowPlan) -> Iterator[Finding]:
    """Yield what cannot be kept though it was asked for."""
    for step in plan.steps:
        if step.caching and len(step.after) > MAX_INPUTS:
            yield warning(
                "step-not-cached",
                f"$.nodes[{step.task.node}]",
                expected=f"at most {MAX_INPUTS} tasks before one whose output is kept",
                found=str(len(step.after)),
                hint="it runs every time",
            )


def config_map(plan: WorkflowPlan) -> objects.Objects:
    """Return the ConfigMap that Argo keeps the cache in, by file name: Argo would make one that nobody removes."""
    if not cached(plan):
        return {}
    metadata = objects.metadata(plan, _name(plan))
    metadata["labels"] |= {_TYPE_LABEL: "Cache"}
    return {"configmap-cache.yaml": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}}


def memoize(plan: WorkflowPlan, steps: Mapping[str, Step]) -> dict[str, templates.Template]:
    """Return what stands in the template of each of the steps, by name."""
    context = _context(plan) if steps else ""
    return {
        name: {
            "memoize": {
                "key": _key(plan, step, context),
                "maxAge": f"{step.caching.max_age}s" if step.caching else "",
                "cache": {"configMap": {"name": _name(plan)}},
            }
        }
        for name, step in steps.items()
    }


def parameters_of_run(plan: WorkflowPlan) -> Sequence[tuple[str, str]]:
    """Return name and value of what each digest has to hold beside the messages: values come in with a run."""
    return [(name, templates.parameter(name)) for name in plan.policy.parameters]


def _name(plan: WorkflowPlan) -> str:
    return f"{plan.identity.instance}-cache"


def _key(plan: WorkflowPlan, step: Step, context: str) -> str:
    program = containers.node(plan, step.node, probed=False) if step.node else {}
    own = json.dumps([step.name, program, dict(step.node.texts) if step.node else {}, context], sort_keys=True)
    made = hashlib.sha256(own.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_DIGITS]
    digests = (f"{{{{inputs.parameters.{DIGEST}-{number}}}}}" for number in range(1, len(step.after) + 1))
    return "-".join([f"k{made}", *digests])


def _context(plan: WorkflowPlan) -> str:
    """Return a digest of what all steps depend on: the driver, and the pipeline's files, but for the images of other nodes."""
    graph = [
        [(each.name, each.role, each.operations, each.settings) for each in plan.solution.nodes],
        plan.solution.edges,
        plan.solution.document.get(POLICIES),
    ]
    files = {**plan.pipeline, BLUEPRINT: msgspec.json.encode(graph, order="sorted")}
    made = hashlib.sha256(plan.driver_image.encode())
    for name, content in sorted(files.items()):
        made.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return made.hexdigest()
