"""The finishing script makes what runs in pods reachable on this machine, and keeps it so when pods are replaced."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from support.cluster import Kubectl
from support.containers import call, wait_until
from support.finishing import command
from support.running import Running

READY_SECONDS = 60


@contextmanager
def forwarding(running: Running) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Run the script until the end of the block; yield it, and the addresses on this machine by Service."""
    program = command(running.kubectl, running.folder, "--status", "--forward")
    process = subprocess.Popen(
        program, env=dict(running.kubectl.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        lines = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        found = [re.fullmatch(r"(\S+): (?:http://)?(127\.0\.0\.1:\d+)\n", line) for line in lines]
        yield process, {match[1]: match[2] for match in found if match}
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def is_answering(address: str) -> bool:
    """Answer whether the page is there."""
    try:
        return call("GET", f"http://{address}/").status == 200
    except OSError:
        return False


def replace_pod(kubectl: Kubectl, node: str) -> None:
    """Delete the pod of a node at once; its Deployment makes another."""
    kubectl("delete", "pod", "-l", f"app={node}", "--force", "--grace-period=0")
    kubectl("wait", f"deployment/{node}", "--for=condition=Available", f"--timeout={READY_SECONDS}s")


def test_pages_are_reached_on_this_machine_until_ctrl_c(sensor_stream: Running) -> None:
    with forwarding(sensor_stream) as (process, addresses):
        page = call("GET", f"http://{addresses['dashboardwebui']}/")

    assert b"<title>Sensor stream</title>" in page.body
    assert set(addresses) == {"orchestrator", "dashboardwebui", "detectorwebui", "sensorwebui"}
    assert process.returncode == 0


def test_a_forward_is_made_again_on_the_same_port_when_its_pod_is_replaced(sensor_stream: Running) -> None:
    with forwarding(sensor_stream) as (_, addresses):
        page = addresses["dashboardwebui"]
        assert is_answering(page)

        replace_pod(sensor_stream.kubectl, "dashboard")

        wait_until(lambda: is_answering(page), what=f"the page of the new pod at {page}", seconds=READY_SECONDS)
