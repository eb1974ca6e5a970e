# ruff: noqa: T201 - a program whose output is what it prints
"""Runs in an environment of its own: JSON lines of Argo's objects in, through hera's models, what came back changed out."""

import json
import sys

from hera.workflows import models

MODELS = {
    "Workflow": models.Workflow,
    "WorkflowTemplate": models.WorkflowTemplate,
    "CronWorkflow": models.CronWorkflow,
}


def written(manifest):
    """Return what hera makes of a manifest that it has read."""
    read = MODELS[manifest["kind"]].model_validate(manifest)
    return json.loads(read.model_dump_json(exclude_none=True, exclude_unset=True, by_alias=True))


def differences(before, after, path):
    """Yield the paths at which both say something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from differences(before.get(key), after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from differences(left, right, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"[:300]


def main():
    """Tell what changed in each line `{"source", "manifest"}`."""
    count = 0
    for line in sys.stdin:
        entry = json.loads(line)
        count += 1
        for difference in differences(entry["manifest"], written(entry["manifest"]), ""):
            print(json.dumps({"source": entry["source"], "problem": difference}))
    print(json.dumps({"read": count}))


if __name__ == "__main__":
    main()
