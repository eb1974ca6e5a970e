"""Tasks with their components and executors, put together piece by piece: what each mode builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.kubeflow import ir
from services.kubeflow.executors import Executor
from services.kubeflow.ir import Data
from shared.workflows.policy import ParameterValue


@dataclass(frozen=True, slots=True)
class Graph:
    """The tasks of one component, and all components and executors below it."""

    tasks: dict[str, Data] = field(default_factory=dict)
    components: dict[str, Data] = field(default_factory=dict)
    executors: dict[str, Executor] = field(default_factory=dict)

    def __or__(self, other: Graph) -> Graph:
        """Return both side by side."""
        return Graph(self.tasks | other.tasks, self.components | other.components, self.executors | other.executors)


def together(graphs: Iterable[Graph]) -> Graph:
    """Return all of them side by side."""
    made = Graph()
    for each in graphs:
        made.tasks.update(each.tasks)
        made.components.update(each.components)
        made.executors.update(each.executors)
    return made


def running(
    name: str, task: Data, executor: Executor, *, inputs: Data | None = None, outputs: Data | None = None
) -> Graph:
    """Return one task with an executor of its own."""
    label = ir.executor_label(name)
    component = ir.component(inputs or {}, outputs, executorLabel=label)
    return Graph({name: task}, {ir.component_name(name): component}, {label: executor})


def holding(name: str, inner: Graph, parameters: Mapping[str, ParameterValue]) -> Graph:
    """Return one task that holds the others; what the pipeline is given reaches them through it."""
    inputs = ir.ends(parameters=required(parameters))
    component = ir.component(inputs, dag={"tasks": inner.tasks})
    task = ir.task(name, parameters=ir.of_pipeline(parameters))
    # A group has no cache of its own.
    del task["cachingOptions"]
    return Graph({name: task}, {**inner.components, ir.component_name(name): component}, inner.executors)


def required(parameters: Mapping[str, ParameterValue]) -> dict[str, Data]:
    """Return parameters as an inner component declares them: whoever calls it gives them."""
    return {name: {"parameterType": ir.parameter_type(value)} for name, value in parameters.items()}
