# ruff: noqa: T201 - a program whose output is what it prints
"""Reads lines of JSON with both documents of a pipeline; parses them as Kubeflow's protobufs, and writes a line per problem.

Runs in an environment of its own. `initContainers` are merged in Kubeflow but in no release yet: they are counted, and left out.
"""

import json
import sys

from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2 as spec


def problems(entry):
    """Yield what the protobufs refuse, and return the number of executors that have sidecars."""
    sidecars = 0
    try:
        json_format.ParseDict(entry["pipeline"], spec.PipelineSpec())
    except json_format.ParseError as problem:
        yield f"pipeline: {problem}"
    platform = entry["platform"]
    for label, executor in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items():
        known = {key: value for key, value in executor.items() if key != "initContainers"}
        sidecars += known != executor
        try:
            json_format.ParseDict(known, kubernetes.KubernetesExecutorConfig())
        except json_format.ParseError as problem:
            yield f"{label}: {problem}"
    try:
        json_format.ParseDict(platform, spec.PlatformSpec())
    except json_format.ParseError as problem:
        yield f"platform: {problem}"
    return sidecars


def main():
    """Parse all lines; the last line of the output counts them."""
    parsed = sidecars = 0
    for line in sys.stdin:
        entry = json.loads(line)
        found = problems(entry)
        while True:
            try:
                print(json.dumps({"source": entry["source"], "problem": next(found)}))
            except StopIteration as end:
                sidecars += end.value
                break
        parsed += 1
    print(json.dumps({"parsed": parsed, "with sidecars": sidecars}))


main()
