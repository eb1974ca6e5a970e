"""Runs in the environment of Kubeflow's SDK: compiles the pipeline of steps that we emit, and says how long that took.

A line with the number of nodes in, a line with milliseconds out; with `--once SIZE FILE` it compiles it into the file and
ends. The components are made before the clock starts. Nothing is left out that the SDK can say (it knows no sidecars, and
`tests/manifests/test_kubeflow.py` compares), but that after a line with `bare` there are no labels, which cost it a quarter.
"""

import gc
import sys
import tempfile
import time
from pathlib import Path

from kfp import compiler, dsl, kubernetes

DRIVER = "registry.example.org:5000/slipway/orchestrator:1.0"
FILES = "chain-ffcc741c-kubeflow-00000000-pipeline-1"
LABELS = {
    "app.kubernetes.io/component": "workflow-kubeflow",
    "app.kubernetes.io/managed-by": "slipway",
    "app.kubernetes.io/name": "chain-ffcc741c",
    "app.kubernetes.io/part-of": "chain",
    "sidecar.istio.io/inject": "false",
    "slipway.dev/solution-id": "0a1b2c3d-0000-4000-8000-000000000000",
}


def call(number, seconds, *, given=None, made=None, iterations=None):
    """Return the container of an operation: the driver, which calls it."""
    ends = {f"in=node{number - 1}.run": given, f"out=node{number + 1}.run": made}
    return dsl.ContainerSpec(
        image=DRIVER,
        command=["slipway-driver"],
        args=[
            "call",
            "--pipeline=/etc/slipway/pipeline",
            f"--node=node{number}",
            "--operation=run",
            "--target=localhost:8061",
            *(dsl.ConcatPlaceholder([f"--{name}=", end.path]) for name, end in ends.items() if end),
            "--wait=1200",
            dsl.ConcatPlaceholder(["--timeout=", seconds]),
            *([dsl.ConcatPlaceholder(["--iterations=", iterations])] if iterations else []),
        ],
    )


def step(number, size):
    """Return the component of an operation."""

    def source(made: dsl.Output[dsl.Artifact], run_seconds: int, run_iterations: int):
        return call(number, run_seconds, made=made, iterations=run_iterations)

    def inner(given: dsl.Input[dsl.Artifact], made: dsl.Output[dsl.Artifact], run_seconds: int):
        return call(number, run_seconds, given=given, made=made)

    def sink(given: dsl.Input[dsl.Artifact], run_seconds: int):
        return call(number, run_seconds, given=given)

    run = sink if number + 1 == size else inner if number else source
    run.__name__ = f"node{number}_run"
    return dsl.container_component(run)


def whole(components, is_bare):
    """Return the function that puts the steps together."""

    def pipeline(run_seconds: int = 3600, run_iterations: int = 0):
        before = None
        for number, component in enumerate(components):
            given = {"given": before.outputs["made"]} if before else {"run_iterations": run_iterations}
            task = component(run_seconds=run_seconds, **given)
            task.set_caching_options(enable_caching=False)
            task.set_cpu_request("100m").set_memory_request("256Mi").set_memory_limit("1Gi")
            task.set_retry(2, "10s", 2.0, "300s")
            kubernetes.set_image_pull_policy(task, "IfNotPresent")
            kubernetes.use_config_map_as_volume(task, FILES, "/etc/slipway/pipeline")
            for name, value in () if is_bare else (*LABELS.items(), ("slipway.dev/node", f"node{number}")):
                kubernetes.add_pod_label(task, name, value)
            before = task

    return pipeline


def compiled(components, path, *, is_bare=False):
    """Trace the pipeline and write both of its documents."""
    traced = dsl.pipeline(name="chain-ffcc741c")(whole(components, is_bare))
    compiler.Compiler().compile(traced, path)


def main():
    """Answer each line, or compile once."""
    if sys.argv[1:2] == ["--once"]:
        size = int(sys.argv[2])
        compiled([step(number, size) for number in range(size)], sys.argv[3])
        return
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            size, *words = line.split()
            size = int(size)
            components = [step(number, size) for number in range(size)]
            gc.collect()
            start = time.perf_counter()
            compiled(components, str(Path(folder) / "pipeline.yaml"), is_bare="bare" in words)
            print((time.perf_counter() - start) * 1000, flush=True)


if __name__ == "__main__":
    main()
