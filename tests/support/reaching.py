"""The ways to a Service: from this machine through a forwarded port or a node port, and from a pod in the cluster."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from support import cluster_tools
from support.cluster import Kubectl

LISTENING = re.compile(r"(127\.0\.0\.1:[0-9]+)")
POD_SECONDS = 60
STOP_SECONDS = 10


@contextmanager
def forwarded(kubectl: Kubectl, service: str, port: int) -> Iterator[str]:
    """Forward a port of a Service to this machine and return its address here, as `host:port`."""
    command = [kubectl.program, "--namespace", kubectl.namespace, "port-forward", f"service/{service}", f":{port}"]
    with _listening(command, kubectl) as address:
        yield address


@contextmanager
def node_port(kubectl: Kubectl, service: str) -> Iterator[str]:
    """Return the address of a Service's node port, as `host:port`, for programs on this machine."""
    port = kubectl("get", "service", service, "-o", "jsonpath={.spec.ports[0].nodePort}")
    tool = cluster_tools.tool("port")
    if tool is None:
        host = kubectl("get", "nodes", "-o", 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
        yield f"{host}:{port}"
        return
    with _listening([str(tool), port, "0"], kubectl) as address:
        yield address


@contextmanager
def _listening(command: Sequence[str], kubectl: Kubectl) -> Iterator[str]:
    """Run a program that says where it listens."""
    with subprocess.Popen(
        command, env=dict(kubectl.environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = LISTENING.search(line)
            assert found, f"{command}: {line}{process.stdout.read()}"
            yield found[1]
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def python_in_pod(kubectl: Kubectl, image: str, program: str) -> str:
    """Run a Python program in a pod of its own and return what it writes: whoever is in the cluster can do this."""
    name = f"client-{uuid.uuid4().hex[:8]}"
    kubectl("run", name, f"--image={image}", "--restart=Never", "--command", "--", "python", "-c", program)
    ended = kubectl.run("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", f"--timeout={POD_SECONDS}s")
    output = kubectl("logs", name)
    assert ended.status == 0, ended.err + output
    kubectl("delete", "pod", name, "--wait=false")
    return output
