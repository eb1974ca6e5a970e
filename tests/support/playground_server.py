"""A running `slipway-playground` with the process runtime: started, asked, killed, started again at the same address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from support.playground import ADA, SECRET, ZIP, bearer
from support.solutions import ROOT

from shared.processes import leftovers, ports

READY_SECONDS = 40.0
# What stands in for a node where only the server is looked at: it takes connections, and says something now and then.
SMALL_NODE = """
import os, socket, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.settimeout(float(os.environ.get("SPEAKS_EVERY", "0.5")))
while True:
    print("here", time.time(), flush=True)
    try:
        listener.accept()[0].close()
    except TimeoutError:
        pass
"""


def small_table(folder: Path, *images: str, jobs: tuple[str, ...] = (), **limits: int) -> None:
    """Write a table of images that are all the same small program, or a job that has nothing to do."""

    def program(code: str) -> dict[str, Any]:
        return {"command": [sys.executable, "-I", "-S", "-c", code], "folder": "."}

    programs = {image: program(SMALL_NODE) for image in images} | {image: program("") for image in jobs}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images.json").write_text(json.dumps({"images": programs, "limits": limits}), encoding="utf-8")


def eventually(found: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
    """Return what is found as soon as it is anything."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value


class Server:
    """The server of one folder."""

    def __init__(self, folder: Path, **environ: str) -> None:
        """Start it; `environ` beside the settings that every test needs."""
        (self._claim,) = ports.claimed(1)  # until it stops: killed, it has to come back at the same address
        address = f"127.0.0.1:{self._claim.port}"
        self.url = f"http://{address}"
        self.folder = folder
        self.log = folder / "log"
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SLIPWAY_BIND": address,
            "SLIPWAY_METRICS_BIND": "off",
            "SLIPWAY_PLAYGROUND_UI_BIND": "off",
            "SLIPWAY_JWT_SECRET": SECRET,
            "SLIPWAY_SESSION_KEY": SECRET,
            "SLIPWAY_SPENT_FOLDER": str(folder / "spent"),
            "SLIPWAY_PLAYGROUND_RUNTIME": f"process:{folder}",
            **environ,
        }
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "playground.server"]
            self.process = subprocess.Popen(command, env=self._environment, stdout=out, stderr=subprocess.STDOUT)

    @property
    def workers(self) -> list[int]:
        """The processes that serve requests."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def kill(self, *, master: bool, workers: bool) -> None:
        """Kill the master, the workers, or both, as `kill -9` does."""
        killed = self.workers if workers else []
        if master:
            self.process.kill()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        if master:
            self.process.wait()

    def stop(self) -> None:
        """Stop it as an operator does; it has to end well."""
        self.process.send_signal(signal.SIGTERM)
        with self._claim:
            assert self.process.wait(40) == 0, self.log.read_text(encoding="utf-8")

    def ask(self, method: str, path: str, principal: str = ADA, **more: Any) -> requests.Response:
        """Send a request of a principal."""
        headers = {**bearer(principal), **more.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=30, **more)

    def push(self, data: bytes, principal: str = ADA) -> str:
        """Push something new, and return the path of its deployment."""
        answer = self.ask("POST", "/v1/deployments", principal, data=data, headers=ZIP)
        assert answer.status_code == 202, answer.text
        return f"/v1/deployments/{answer.json()['id']}"

    def status(self, path: str) -> int:
        """Return the status of a route that is open to all; 0 where nobody answers."""
        try:
            return requests.get(self.url + path, timeout=5).status_code
        except requests.RequestException:
            return 0

    def processes(self) -> Counter[str]:
        """Count the living processes of each node, by the folder that is its home."""
        mark = (self.folder / "mark").read_text(encoding="ascii")
        return Counter(home for pid in leftovers.marked(mark) if (home := _home(pid)))


def _home(pid: int) -> str:
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""  # it has just ended
    return next((variable[5:].decode() for variable in variables if variable.startswith(b"HOME=")), "")
