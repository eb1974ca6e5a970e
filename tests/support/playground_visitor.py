"""A playground as its visitors find it: a deployer's process whose button they press, and a browser without scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from support import deployer
from support.playground import ADA, bearer, token
from support.playground_server import Server, eventually
from support.solutions import ROOT

from shared.processes import ports

SECONDS = 60.0
POLL_SECONDS = 0.2
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@contextmanager
def pushing(solutions: Path, server: str, log: Path, **environ: str) -> Iterator[str]:
    """Run the playground's deployer as an operator does, and return its URL."""
    (claim,) = ports.claimed(1)
    address = f"127.0.0.1:{claim.port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLIPWAY_BIND": address,
        "SLIPWAY_METRICS_BIND": "off",
        **deployer.environment(solutions, server, **environ),
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "playground.deployer"]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://{address}"
    try:
        eventually(lambda: _is_ready(f"{url}/readyz"))
        yield url
    finally:
        process.terminate()
        with claim:
            assert process.wait(40) == 0, log.read_text(encoding="utf-8")


def _is_ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


class Visitor:
    """Ada's browser at the page of one deployment."""

    def __init__(self, server: Server, page: str) -> None:
        """Follow a link that signs her in."""
        self.server = server
        self._browser = requests.Session()
        arrived = self._browser.get(page, timeout=SECONDS)
        arrived.raise_for_status()
        self.path = urlsplit(arrived.url).path
        self.id = self.path.rpartition("/")[2]

    @classmethod
    def by_button(cls, server: Server, deployer: str, solution: str, revision: str) -> Visitor:
        """Press the button of the portal, and go where it leads."""
        pressed = requests.get(
            f"{deployer}/deploy/{solution}/{revision}",
            params={"jwtToken": token(ADA)},
            timeout=SECONDS,
            allow_redirects=False,
        )
        assert pressed.status_code == 302, pressed.text
        return cls(server, pressed.headers["Location"])

    @classmethod
    def by_program(
        cls, server: Server, deployer: str, solution: str, revision: str, options: Mapping[str, Any]
    ) -> Visitor:
        """Ask the deployer as a program does, with options, and go where it says."""
        asked = {"solutionId": solution, "revisionId": revision, "options": options}
        pushed = requests.post(f"{deployer}/v1/bundles", json=asked, headers=bearer(), timeout=SECONDS)
        assert pushed.status_code == 202, pushed.text
        return cls(server, pushed.json()["page"])

    def page(self, rest: str = "") -> str:
        """Return the page of the deployment, or one below it."""
        found = self._browser.get(f"{self.server.url}{self.path}{rest}", timeout=SECONDS)
        found.raise_for_status()
        return found.text

    def press(self, action: str, files: Mapping[str, Any] | None = None, **fields: str) -> requests.Response:
        """Send a form of the page, as a browser does that runs no scripts; every page that asks has the same proof."""
        proof = _CSRF.search(self.page("/reset"))
        assert proof is not None
        return self._browser.post(
            f"{self.server.url}{self.path}/{action}",
            data={"csrf_token": proof[1], **fields},
            files=files,
            timeout=SECONDS,
            allow_redirects=False,
        )

    def ask(self, rest: str = "") -> requests.Response:
        """Ask what the scripts of the page ask."""
        return self._browser.get(f"{self.server.url}/visitor{self.path}{rest}", timeout=SECONDS, allow_redirects=False)

    @property
    def about(self) -> dict[str, Any]:
        """What the deployment is now."""
        found: dict[str, Any] = self.ask().json()
        return found

    def ready(self, revision: int = 1) -> None:
        """Wait until all nodes of a revision run."""
        eventually(lambda: (about := self.about)["state"] == "ready" and about["current"] == revision, SECONDS)

    def run(self) -> dict[str, Any]:
        """Return the present run of the pipeline; empty where there is none, or nobody to ask."""
        return self.ask("/statistics").json()["run"] or {}

    def flowing(self, least: float = 0.1, most: float = 1e9) -> None:
        """Wait until so many messages a second pass every edge."""
        end = time.monotonic() + SECONDS
        while True:
            found = self.ask("/statistics").json()
            rates = [float(edge["messagesPerSecond"]) for edge in found["edges"]]
            if rates and all(least <= rate <= most for rate in rates):
                return
            assert time.monotonic() < end, (found, self.about)
            time.sleep(POLL_SECONDS)

    def log(self, node: str) -> str:
        """Return the last lines of a node's log."""
        return self.ask(f"/nodes/{node}/logs?tail=1000").text

    def web_ui(self, node: str, path: str) -> requests.Response:
        """Open the web UI of a node at its own host, and ask it for something there."""
        link = urlsplit(self.ask(f"/web-uis/{node}").headers["Location"])
        # Not every machine resolves names below localhost.
        where, host = f"http://127.0.0.1:{link.port}", {"Host": link.netloc}
        entered = requests.get(f"{where}{link.path}?{link.query}", headers=host, timeout=SECONDS, allow_redirects=False)
        cookie = entered.headers["Set-Cookie"].partition(";")[0]
        return requests.get(where + path, headers={**host, "Cookie": cookie}, timeout=SECONDS)
