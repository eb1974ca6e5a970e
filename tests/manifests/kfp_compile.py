"""Writes the graph of mode `services` with Kubeflow's own SDK, and prints what its compiler makes of it."""

import sys
import tempfile
from pathlib import Path

from kfp import compiler, dsl, kubernetes

IMAGE, BUNDLE, PIPELINE = sys.argv[1:4]
PROGRAM = "slipway-driver"
RUN_ID = dsl.PIPELINE_JOB_ID_PLACEHOLDER


@dsl.container_component
def deploy(release: str, endpoints: dsl.Output[dsl.Artifact]):
    """Deploy."""
    return dsl.ContainerSpec(
        image=IMAGE,
        command=[PROGRAM],
        args=[
            "deploy",
            "--bundle=/etc/slipway/bundle",
            dsl.ConcatPlaceholder(["--name=", release]),
            "--namespace=$(SLIPWAY_NAMESPACE)",
            "--owner=Pod/$(SLIPWAY_POD)/$(SLIPWAY_POD_UID)",
            dsl.ConcatPlaceholder(["--endpoint-file=", endpoints.path]),
            "--timeout=1200",
        ],
    )


@dsl.container_component
def orchestrate(endpoints: dsl.Input[dsl.Artifact], run_seconds: int, run_duration: int, run_iterations: int):
    """Move the messages."""
    return dsl.ContainerSpec(
        image=IMAGE,
        command=[PROGRAM],
        args=[
            "run",
            "--pipeline=/etc/slipway/pipeline",
            dsl.ConcatPlaceholder(["--endpoints=", endpoints.path]),
            "--wait=1200",
            dsl.ConcatPlaceholder(["--timeout=", run_seconds]),
            dsl.ConcatPlaceholder(["--duration=", run_duration]),
            dsl.ConcatPlaceholder(["--iterations=", run_iterations]),
        ],
    )


@dsl.container_component
def teardown(release: str, status: dsl.PipelineTaskFinalStatus):  # noqa: ARG001 - who looks at the task sees it
    """Remove what was deployed."""
    return dsl.ContainerSpec(
        image=IMAGE,
        command=[PROGRAM],
        args=["teardown", dsl.ConcatPlaceholder(["--name=", release]), "--namespace=$(SLIPWAY_NAMESPACE)"],
    )


def sized(task, *fields):
    """Give a task what all of ours have."""
    task.set_caching_options(enable_caching=False)
    task.set_cpu_request("100m").set_memory_request("256Mi").set_memory_limit("1Gi")
    kubernetes.set_image_pull_policy(task, "IfNotPresent")
    for name, path in fields:
        kubernetes.use_field_path_as_env(task, name, path)
    return task


@dsl.pipeline(name=sys.argv[4])
def pipeline(run_seconds: int = 3600, run_duration: int = 0, run_iterations: int = 0):
    namespace = ("SLIPWAY_NAMESPACE", "metadata.namespace")
    end = sized(teardown(release=RUN_ID), namespace).set_retry(2, "10s", 2.0, "300s")
    with dsl.ExitHandler(end, name="session"):
        pods = (("SLIPWAY_POD", "metadata.name"), ("SLIPWAY_POD_UID", "metadata.uid"))
        first = sized(deploy(release=RUN_ID), namespace, *pods).set_retry(2, "10s", 2.0, "300s")
        kubernetes.use_config_map_as_volume(first, BUNDLE, "/etc/slipway/bundle")
        second = sized(
            orchestrate(
                endpoints=first.outputs["endpoints"],
                run_seconds=run_seconds,
                run_duration=run_duration,
                run_iterations=run_iterations,
            )
        )
        kubernetes.use_config_map_as_volume(second, PIPELINE, "/etc/slipway/pipeline")


with tempfile.TemporaryDirectory() as folder:
    package = Path(folder) / "package.yaml"
    compiler.Compiler().compile(pipeline, str(package))
    sys.stdout.write(package.read_text())
