"""Who an object belongs to: the labels that every object carries, and the selectors.

Selectors are `app` and the instance, both the same for every revision of a solution, because Kubernetes never lets a
selector change. The revision stands on objects, not on pods: pods of a node that did not change are not replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared import naming
from shared.solution import Solution

INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
MANAGED_BY = "slipway"

MODEL = "model"
NODE = "node"
PROBE = "probe"
ORCHESTRATOR = "orchestrator"
CONFIGURATION = "configuration"
POLICY = "policy"
ACCOUNT = "account"
SHARED_FOLDER = "shared-folder"
"""Values of the component label."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The solution as labels tell it; made once per bundle."""

    instance: str
    """At most 52 characters, so that it can begin the name of an object."""
    part_of: str
    solution_id: str | None
    revision_id: str | None

    @classmethod
    def of(cls, solution: Solution) -> Identity:
        """Derive everything from name and ids alone."""
        ids = solution.ids
        return cls(
            instance=naming.instance(solution.name, ids.solution_id if ids else None),
            part_of=naming.label(solution.name),
            solution_id=naming.label_value(ids.solution_id) if ids else None,
            revision_id=naming.label_value(ids.revision_id) if ids else None,
        )

    def object_labels(self, name: str, component: str) -> dict[str, str]:
        """Return the labels of the objects that make up `name`: a node, the orchestrator, a claim, a policy."""
        revision = {"slipway.dev/revision-id": self.revision_id} if self.revision_id else {}
        return {**self.pod_labels(name, component), **revision}

    def pod_labels(self, name: str, component: str) -> dict[str, str]:
        """Return the labels of the pods of `name`."""
        labels = {
            "app": name,
            "app.kubernetes.io/name": name,
            INSTANCE: self.instance,
            COMPONENT: component,
            "app.kubernetes.io/part-of": self.part_of,
            "app.kubernetes.io/managed-by": MANAGED_BY,
        }
        if self.solution_id:
            labels["slipway.dev/solution-id"] = self.solution_id
        if component in {MODEL, NODE, PROBE}:
            labels["slipway.dev/node"] = name
        return labels

    def selector(self, name: str) -> dict[str, str]:
        """Return the labels that select the pods of `name`."""
        return {"app": name, INSTANCE: self.instance}

    def metadata(self, name: str, component: str, *, app: str | None = None) -> dict[str, Any]:
        """Return the metadata of an object called `name`; `app` where it belongs to another one.

        A label has at most 63 characters, fewer than the name of a policy or a ConfigMap may have.
        """
        return {"name": name, "labels": self.object_labels(app or name, component)}
