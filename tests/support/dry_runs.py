"""Dry runs of workflows that a test writes, with small programs in place of images, and what is left when they have ended."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared import yamldump
from shared.workflows.dry_run import programs, running
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome

LISTENS = """
import os, socket, time
listening = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
print("listening", flush=True)
while True:
    connection, _ = listening.accept()
    connection.sendall(os.environ.get("WORD", "hello").encode())
    connection.close()
"""


@dataclass
class Bench:
    """A folder with a table of programs, and the lines of the last run."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    runs: int = 0
    table: dict[str, Any] = field(default_factory=dict)

    def program(self, image: str, text: str, *variables: str, flags: Sequence[str] = ("-I", "-S")) -> None:
        """Let a Python text stand for an image; without flags it obeys variables, as the nodes of our samples do."""
        home = self.folder / "programs" / image.replace("/", "_").replace(":", "_")
        home.mkdir(parents=True)
        (home / "node.py").write_text(text)
        command = [sys.executable, *flags, "node.py"]
        self.table[image] = {"command": command, "folder": str(home), "environment": list(variables)}
        (self.folder / "images.json").write_text(json.dumps({"images": self.table}))

    @property
    def work(self) -> Path:
        """The folder of the last run."""
        return self.folder / f"run-{self.runs}"

    def run(self, *documents: Any, **options: Any) -> Outcome:
        """Run a package of these documents."""
        self.runs += 1
        self.lines.clear()
        self.work.mkdir()
        files = {f"{number}.yaml": yamldump.dump(document) for number, document in enumerate(documents)}
        return running.run(files, self.programs(), self.work, Options(**options), self.lines.append)

    def programs(self) -> programs.Programs:
        """Return what stands for images."""
        return programs.read(self.folder)

    def log(self, name: str) -> str:
        """Return what a program has written."""
        return (self.work / "logs" / f"{name}.log").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a bench with a program that ends well and one that does not."""
    made = Bench(tmp_path)
    made.program("good:1", "import sys; print('done', *sys.argv[1:])")
    made.program("bad:1", "import sys; print('no luck'); sys.exit(7)")
    made.program("slow:1", "import time; time.sleep(60)")
    made.program("listens:1", LISTENS, "WORD")
    return made


def workflow(*templates: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a Workflow whose first template is where it starts."""
    about = {"name": "tried"}
    body = {"entrypoint": templates[0]["name"], **spec, "templates": list(templates)}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": about, "spec": body}


def dag(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the template `main` with a DAG."""
    return {"name": "main", "dag": {"tasks": list(tasks), **more}}


def task(name: str, template: str, depends: str = "", **more: Any) -> dict[str, Any]:
    """Return a task of a DAG."""
    return {"name": name, "template": template, **({"depends": depends} if depends else {}), **more}


def container(name: str, image: str = "good:1", *args: str, **more: Any) -> dict[str, Any]:
    """Return a template with a container."""
    return {"name": name, "container": {"image": image, **({"args": list(args)} if args else {})}, **more}


def daemon(name: str, image: str = "listens:1", **more: Any) -> dict[str, Any]:
    """Return a template of a daemon with a probe."""
    probe = {"tcpSocket": {"port": 8061}, "periodSeconds": 1, "failureThreshold": 10}
    return {"name": name, "daemon": True, "container": {"image": image, "readinessProbe": probe}, **more}


def job(name: str, body: dict[str, Any], *volumes: dict[str, Any]) -> dict[str, Any]:
    """Return a Job that is tried once."""
    spec = {"containers": [body], "volumes": list(volumes)}
    return {"kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": spec}}}


def bundle(*documents: Any) -> dict[str, Any]:
    """Return the ConfigMap with the manifests that `deploys` deploys."""
    data = {f"{number}.yaml": yamldump.dump(each).decode() for number, each in enumerate(documents)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle"}, "data": data}


def deploys(*, name: str = "tried", timeout: str = "9") -> dict[str, Any]:
    """Return a workflow in which our driver deploys the bundle."""
    given = ["--bundle=/bundle", f"--name={name}", "--namespace=x", "--endpoint-file=/data/e", f"--timeout={timeout}"]
    mounts = [{"name": "bundle", "mountPath": "/bundle"}, {"name": "data", "mountPath": "/data"}]
    body = {"image": "x", "command": ["slipway-driver", "deploy"], "args": given, "volumeMounts": mounts}
    volumes = [{"name": "bundle", "configMap": {"name": "bundle"}}, {"name": "data", "emptyDir": {}}]
    return workflow({"name": "main", "container": body}, volumes=volumes)


def statuses(outcome: Outcome) -> dict[str, str]:
    """Return what became of each task."""
    return {task.path: task.status.value for task in outcome.tasks}


def processes_in(folder: Path) -> list[int]:
    """Return the processes of this machine that have a home below the folder."""
    wanted = f"HOME={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(variable.startswith(wanted) for variable in variables):
                found.append(int(entry.name))
    return found
