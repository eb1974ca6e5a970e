"""Runs in hera's environment: writes the Workflow and the template of a pipeline of services, and says how long it took.

A line with the number of nodes in, a line with milliseconds out; with `--once SIZE` it writes them and ends.
"""

import sys
import time

from hera.workflows import DAG, Container, Parameter, Workflow, WorkflowTemplate, models

PORT = 8061


def daemon(name):
    """Return the template of a node as our deployer has it."""
    check = models.TCPSocketAction(port=PORT)
    return Container(
        name=name,
        image=f"registry.example.org/team/{name}:1.0",
        image_pull_policy="IfNotPresent",
        daemon=True,
        labels={"slipway.dev/node": name},
        retry_strategy=models.RetryStrategy(
            limit="2", retry_policy="OnError", backoff=models.Backoff(duration="10s", factor=2, cap="300s")
        ),
        ports=[models.ContainerPort(name="grpc", container_port=PORT)],
        startup_probe=models.Probe(tcp_socket=check, period_seconds=5, timeout_seconds=3, failure_threshold=240),
        readiness_probe=models.Probe(tcp_socket=check, period_seconds=10, timeout_seconds=3, failure_threshold=3),
        resources=models.ResourceRequirements(requests={"cpu": "100m", "memory": "256Mi"}),
        security_context=models.SecurityContext(
            allow_privilege_escalation=False, capabilities=models.Capabilities(drop=["NET_RAW"])
        ),
    )


def written(kind, size, **named):
    """Return the YAML of a pipeline with `size` nodes."""
    names = [f"node{number}" for number in range(size)]
    with kind(entrypoint="pipeline", arguments=[Parameter(name="run-seconds", value="3600")], **named) as workflow:
        nodes = [daemon(name) for name in names]
        orchestrate = Container(
            name="orchestrate",
            image="registry.example.org:5000/slipway/orchestrator:1.0",
            command=["slipway-driver"],
            args=["run", *(f"--node={name}={{{{inputs.parameters.{name}}}}}:{PORT}" for name in names)],
            inputs=[Parameter(name=name) for name in names],
        )
        with DAG(name="pipeline"):
            tasks = [node(name=node.name) for node in nodes]
            given = [Parameter(name=name, value=f"{{{{tasks.{name}.ip}}}}") for name in names]
            last = orchestrate(name="orchestrate", arguments=given)
            for each in tasks:
                each >> last
    return workflow.to_yaml()


def both(size):
    """Return what a bundle of ours has, too: a Workflow, and the template of it."""
    return written(Workflow, size, generate_name="bench-") + written(WorkflowTemplate, size, name="bench")


def main():
    """Answer each line, or write once."""
    if sys.argv[1:2] == ["--once"]:
        both(int(sys.argv[2]))
        return
    for line in sys.stdin:
        start = time.perf_counter()
        both(int(line))
        print((time.perf_counter() - start) * 1000, flush=True)


if __name__ == "__main__":
    main()
