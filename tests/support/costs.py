"""What a program costs: the processor's time, the kubectl processes that it starts, the requests that they send."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.cluster import Kubectl

PROGRAM_SECONDS = 300
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """How a program ended, and the processor's time that it took, exact to 10 ms."""

    status: int
    output: str
    seconds: float
    """By the clock on the wall."""
    own_seconds: float
    """Of the program itself."""
    all_seconds: float
    """With all that it started."""


def measured(command: list[str], kubectl: Kubectl, desk: Path) -> Cost:
    """Run a program to its end; Linux counts for us, and tells as long as nobody has taken note of the end."""
    start = time.monotonic()
    with (desk / f"output-{uuid.uuid4().hex}").open("w+b") as output:
        process = subprocess.Popen(
            command, env=dict(kubectl.environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > start + PROGRAM_SECONDS:
                process.kill()
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - start
        own, children = _spent(process.pid)
        status = process.wait()
        output.seek(0)
        return Cost(status, output.read().decode(errors="replace"), seconds, own, own + children)


def _spent(pid: int) -> tuple[float, float]:
    """Return the seconds of a process, and those of its children whose end it took note of."""
    # The name of the program stands in brackets, and may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system, childrens_user, childrens_system = (int(ticks) for ticks in fields[11:15])
    second = os.sysconf("SC_CLK_TCK")
    return (user + system) / second, (childrens_user + childrens_system) / second


def counting_calls(kubectl: Kubectl, desk: Path) -> tuple[Kubectl, Path]:
    """Return the same kubectl, which writes a line for every process of it that is started, and that file."""
    folder, calls = desk / "counted", desk / "calls"
    folder.mkdir()
    calls.touch()
    stand_in = folder / "kubectl"
    line = f'printf "%s\\n" "$*" >>{shlex.quote(str(calls))}'
    stand_in.write_text(f'#!/bin/sh\n{line}\nexec {shlex.quote(kubectl.program)} "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    path = os.pathsep.join([str(folder), kubectl.environment["PATH"]])
    return replace(kubectl, environment={**kubectl.environment, "PATH": path}), calls


@dataclass(frozen=True, slots=True)
class Somebody:
    """A name of one's own towards the API server, so that its audit log tells who asked what."""

    name: str
    log: Path

    def requests(self) -> list[str]:
        """Return what was asked under this name, each as `verb path`."""
        with self.log.open(encoding="utf-8") as lines:
            events: list[dict[str, Any]] = [json.loads(line) for line in lines if self.name in line]
        asked = {event["auditID"]: f"{event['verb']} {event['requestURI']}" for event in events}
        return list(asked.values())


@contextmanager
def as_somebody(kubectl: Kubectl, log: Path, desk: Path) -> Iterator[tuple[Kubectl, Somebody]]:
    """Return the same kubectl under a name of its own, with all rights and no memory of what the cluster offers."""
    name = f"slipway-test-{uuid.uuid4().hex}"
    config: dict[str, Any] = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    config["users"][0]["user"] |= {"as": name, "as-groups": ["system:masters"]}
    file = desk / f"{name}.kubeconfig"
    file.touch(mode=0o600)  # there are keys in it
    file.write_text(json.dumps(config), encoding="utf-8")
    own = {"KUBECONFIG": str(file), "KUBECACHEDIR": str(desk / f"{name}.cache")}
    try:
        yield replace(kubectl, environment={**kubectl.environment, **own}), Somebody(name, log)
    finally:
        file.unlink()
