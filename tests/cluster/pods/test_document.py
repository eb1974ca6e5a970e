"""The commands of docs/kubernetes.md, typed as they stand there: other names are all that is put in."""

from __future__ import annotations

import re
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.cluster import Kubectl
from support.containers import run
from support.images import ORCHESTRATOR, renamed
from support.running import end
from support.solutions import ROOT

pytestmark = pytest.mark.usefixtures("real_node")

DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?:console|yaml)\n(.*?)```", re.DOTALL)


def block(heading: str, number: int) -> str:
    """Return a block of code below a heading, counted from 0."""
    section = re.split(r"^## ", DOCUMENT.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return BLOCK.findall(section)[number]


def typed(text: str) -> str:
    """Return the commands among the lines of a console: those after a `$`, and what continues them."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ ") or (lines and lines[-1].endswith("\\")):
            lines.append(line.removeprefix("$ "))
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who follows the page in a folder of his own."""

    folder: Path
    kubectl: Kubectl
    names: Mapping[str, str]
    """What the page says → what it is here."""

    def here(self, text: str) -> str:
        """Return a text of the page with the names of this reader."""
        for said, meant in self.names.items():
            text = text.replace(said, meant)
        return text

    def types(self, *blocks: str) -> str:
        """Type the commands of some blocks one after the other, and return what they write."""
        environment = {**self.kubectl.environment}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        commands = self.here("\n".join(typed(text) for text in blocks))
        ended = run("bash", "-euc", f"cd {self.folder}\n{commands}", environment=environment, seconds=300)
        assert ended.status == 0, f"{commands}\n{ended.output}"
        return ended.output


@pytest.fixture
def reader(unmade: Kubectl, images: Mapping[str, str], tmp_path: Path) -> Iterator[Reader]:
    """Return a reader whose images are those of this checkout."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    for file in (tmp_path / "samples").glob("*/blueprint.json"):
        file.write_bytes(renamed(file.read_bytes(), images))
    namespaces = {
        f"{before} {name}": f"{before} {unmade.namespace}"
        for before in ("-n", "namespace")
        for name in ("sensors", "words")
    }
    yield Reader(tmp_path, unmade, {**namespaces, ORCHESTRATOR: images[ORCHESTRATOR]})
    end(unmade)


def test_the_page_leads_to_a_pipeline_that_runs_and_away_again(reader: Reader) -> None:
    reader.types(block("2. The zip", 0))

    deployed = reader.types(block("3. Deploy", 0))
    status = reader.types(block("4. See it run", 1).splitlines()[0])
    deleted = reader.types(block("Delete", 0))

    assert "4 of 4 nodes ready" in deployed
    assert status.startswith("NODE ")
    assert f"namespace {reader.kubectl.namespace} deleted" in deleted


def test_kubectl_alone_leads_there_too(reader: Reader) -> None:
    reader.types(block("2. The zip", 0))

    waited = reader.types(block("3. Deploy", 1))

    assert waited.count("condition met") == 4


def test_a_folder_of_the_machine_will_do_as_a_shared_one(reader: Reader) -> None:
    """A volume belongs to the whole cluster: it gets a name, a class and a folder of its own."""
    own = f"slipway-test-{uuid.uuid4().hex[:8]}"
    names = {"shared-folder": own, "ClassName: shared": f"ClassName: {own}", "Class=shared": f"Class={own}"}
    reader = Reader(reader.folder, reader.kubectl, {**reader.names, **names, "/var/lib/slipway": str(reader.folder)})
    (reader.folder / "volume.yaml").write_text(reader.here(block("A shared folder", 0)))

    try:
        deployed = reader.types(block("2. The zip", 0), block("A shared folder", 1))
    finally:
        reader.kubectl("delete", "persistentvolume", own, "--wait=false", "--ignore-not-found")

    assert "5 of 5 nodes ready" in deployed
