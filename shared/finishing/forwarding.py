"""Makes Services reachable on this machine for as long as the script runs, and runs the orchestrator's client there."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
import threading
import time
from typing import List, Optional

from shared.finishing.addresses import ORCHESTRATOR, Address
from shared.finishing.kubectl import Kubectl, KubectlError
from shared.finishing.session import Session

FORWARD_SECONDS = 20.0
RETRY_SECONDS = 2.0


class Forward:
    """One `kubectl port-forward` to a Service."""

    def __init__(self, kubectl: Kubectl, address: Address, local: int) -> None:
        target = (f"service/{address.service}", f"{local or ''}:{address.port}")
        self._process = kubectl.start("port-forward", "-n", kubectl.namespace, *target, "--address=127.0.0.1")
        self._port: Optional[int] = None
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether kubectl still forwards."""
        return self._process.poll() is None

    def port(self) -> Optional[int]:
        """Return the port on this machine, or None when kubectl gave up."""
        self._listening.wait(timeout=FORWARD_SECONDS)
        return self._port

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        """Wait for `Forwarding from 127.0.0.1:34567 -> 8062`; read on, or kubectl would block on what it writes."""
        if self._process.stdout is not None:
            for line in self._process.stdout:
                found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", line)
                if found:
                    self._port = int(found.group(1))
                    self._listening.set()
            self._process.stdout.close()
        self._listening.set()


def forward_until_stopped(session: Session) -> None:
    """Forward orchestrator, web UIs or model until Ctrl-C; one that breaks, as a new pod does it, is made again."""
    session.doing("forwarding; the deployment goes on")
    forwards: List[Forward] = []
    try:
        for address in session.report.addresses:
            forward = _opened(session, address, local=_usual_port(address))
            forwards.append(forward)
        session.terminal.say("Ctrl-C ends the forwarding; the deployment goes on")
        while True:
            time.sleep(RETRY_SECONDS)
            for number, address in enumerate(session.report.addresses):
                if not forwards[number].is_running:
                    port = forwards[number].port() or 0
                    forwards[number].close()
                    forwards[number] = Forward(session.kubectl, address, port)
    except KeyboardInterrupt:
        session.terminal.say("no longer forwarding; the deployment goes on")
    finally:
        for forward in forwards:
            forward.close()


def run_client(session: Session) -> int:
    """Start the pipeline with the client in the bundle, follow it to its end, and return the client's exit status."""
    client = session.base / "orchestrator_client" / "orchestrator_client.py"
    address = next((a for a in session.report.addresses if a.service == ORCHESTRATOR), None)
    if address is None or not client.is_file():
        raise ValueError("--run: this bundle has no orchestrator; a model is called on its Service")
    if importlib.util.find_spec("grpc") is None:
        requirements = session.base / "requirements.txt"
        raise ValueError(f"--run: the client needs grpcio: {sys.executable} -m pip install -r {requirements}")
    session.doing("following the run; it goes on in the cluster")
    if address.url:
        return _run(session, str(client), address.url)
    forward = _opened(session, address, local=0)
    try:
        return _run(session, str(client), f"127.0.0.1:{forward.port()}")
    finally:
        forward.close()


def _run(session: Session, client: str, endpoint: str) -> int:
    session.terminal.say(f"starting the pipeline at {endpoint}")
    command = [sys.executable, client, f"--endpoint={endpoint}", f"--basepath={session.base}"]
    # Ctrl-C is for the client, which says that the run goes on; a handler, unlike "ignore", is not inherited by it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _opened(session: Session, address: Address, *, local: int) -> Forward:
    """Return a forward that listens; on a free port where the usual one is taken."""
    for port in dict.fromkeys((local, 0)):
        forward = Forward(session.kubectl, address, port)
        found = forward.port()
        if found:
            session.terminal.say(f"{address.service}: {'http://' if address.is_web_ui else ''}127.0.0.1:{found}")
            return forward
        forward.close()
    raise KubectlError(f"cannot forward to {address.service}: try it by hand with {address.forward}")


def _usual_port(address: Address) -> int:
    """Return the local port to try first: people know the orchestrator's."""
    return address.port if address.service == ORCHESTRATOR else 0
