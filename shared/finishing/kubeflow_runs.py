"""One run of a pipeline as the API of Kubeflow tells it: its state, its tasks, its parameters. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Dict

from shared.finishing.kubeflow_answers import part_of, parts_of, text_of

RUN_SUCCEEDED, RUN_FAILED = "SUCCEEDED", "FAILED"
ENDED_STATES = (RUN_SUCCEEDED, RUN_FAILED, "SKIPPED", "CANCELED")
# Beside each task stand the one of Kubeflow's driver for it, each try of it, of which the last one counts, and the root.
OTHERS = re.compile(r"-driver$|\([0-9]+\)$|^root$")
TYPES = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": bool}


def state_of_run(run: Dict[str, Any]) -> str:
    """Return the state of a run; one that has not begun yet is pending."""
    return text_of(run, "state") or "PENDING"


def is_over(run: Dict[str, Any]) -> bool:
    """Answer whether a run has ended."""
    return state_of_run(run) in ENDED_STATES


def states_of_tasks(run: Dict[str, Any]) -> Dict[str, str]:
    """Return the state of each task by its name, with what Kubeflow says about it."""
    found = {}
    for task in parts_of(part_of(run, "run_details"), "task_details"):
        told = text_of(part_of(task, "error"), "message")
        name = text_of(task, "display_name")
        if name and not OTHERS.search(name):
            found[name] = (text_of(task, "state") or "PENDING") + (f": {told}" if told else "")
    return found


def failure_of(run: Dict[str, Any]) -> str:
    """Return why a run that is over is no success; empty when it is one.

    Some releases of Kubeflow call a run with an exit handler a success even though a task before that has failed.
    """
    if state_of_run(run) != RUN_SUCCEEDED:
        return text_of(part_of(run, "error"), "message") or state_of_run(run)
    failed = sorted(name for name, state in states_of_tasks(run).items() if state.startswith(RUN_FAILED))
    return f"failed: {', '.join(failed)}" if failed else ""


def typed(declared: Dict[str, Any], given: Dict[str, str]) -> Dict[str, Any]:
    """Return the values of parameters in their types.

    Raises:
        ValueError: the pipeline has no such parameter, or a value is of another type.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ValueError(f"--parameter {unknown[0]}: this pipeline has {', '.join(declared) or 'none at all'}")
    return {name: typed_value(name, str(declared[name]["type"]), text) for name, text in given.items()}


def typed_value(name: str, kind: str, text: str) -> Any:
    """Return one value in its type, or raise ValueError."""
    if kind not in TYPES:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if kind == "NUMBER_DOUBLE" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not TYPES[kind] or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"--parameter {name}: expected a value of the type {kind}, found {text!r}")
    return value


def with_seconds(cron: str) -> str:
    """Return a cron expression as Kubeflow reads it: with a field for the seconds before all others."""
    return cron if cron.startswith("@") else f"0 {cron}"
