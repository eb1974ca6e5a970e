"""`make demo`: the platform with every sample in it, and each sample's solution.zip built over HTTP."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import archive
from shared.errors import SlipwayError
from shared.solution import Ids, RevisionId, SolutionId
from slipway import platform, terminal
from slipway.client import Client
from slipway.processes import started
from slipway.up import consecutive_ports, stop_signal, watch

DATA = Path("build/demo")
OPTIONS = "options.json"
SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """One of our own solutions, and the options that it is meant to be built with."""

    files: Mapping[str, bytes]
    """What a solution.zip of it holds: not the programs of its nodes."""
    options: Mapping[str, Any]
    """`options.json` of the sample; a component that runs once must be told from one that serves."""

    @classmethod
    def read(cls, folder: Path) -> Sample:
        """Read a sample's folder."""
        own = [path for path in folder.iterdir() if path.is_file() and path.name != OPTIONS]
        paths = [*own, *(folder / "microservice").glob("*.proto")]
        options = folder / OPTIONS
        return cls(
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)},
            json.loads(options.read_bytes()) if options.is_file() else {},
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run the platform with the samples.")
    parser.add_argument("--once", action="store_true", help="exit when everything is built")
    parser.add_argument("--port", type=int, default=0, help="port of the page; 0: any free ones")
    chosen = parser.parse_args(arguments)
    try:
        return demonstrate(once=chosen.once, port=chosen.port)
    except SlipwayError as problem:
        terminal.complain_of(problem)
        return problem.exit_code


def demonstrate(*, once: bool, port: int) -> int:
    """Start everything, build everything, say where it is."""
    stopped = stop_signal()
    here = platform.on_this_machine(data=DATA, ports=consecutive_ports(port))
    with started(here) as running:
        client = Client(here)
        for name, sample in samples().items():
            client.upload(revision(name), sample.files, public=True)
        for deployer in here.deployers:
            build_all(client, deployer)
        if not once:
            terminal.say(f"The page, signed in for you: {client.page_link()}")
            terminal.say("Ctrl-C ends the demo.")
            watch(running, stopped)
    return 0


def build_all(client: Client, deployer: platform.Service) -> None:
    """Build every sample with one deployer, and print the tree of the last."""
    terminal.say(f"{deployer.name} at {deployer.url}")
    data = b""
    for name, sample in samples().items():
        data, found = client.bundle(deployer, revision(name), sample.options)
        target = DATA / deployer.name / name / "solution.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        terminal.say(f"  {target}  {len(data):,} bytes, {found}")
    terminal.say("the last one holds")
    for line in tree(archive.read(data)):
        terminal.say("  " + line)


def revision(sample: str) -> Ids:
    """Return the ids of a sample; a marketplace's revision ids are unique over all solutions."""
    return Ids(SolutionId(sample), RevisionId(f"{sample}-1"))


def samples() -> dict[str, Sample]:
    """Return every sample by name, sorted."""
    folders = sorted({file.parent for name in ("blueprint", "model") for file in SAMPLES.glob(f"*/{name}.json")})
    return {folder.name: Sample.read(folder) for folder in folders}


def tree(paths: Mapping[str, bytes]) -> list[str]:
    """Return the lines of a tree of paths with the sizes of the files."""
    lines: list[str] = []
    shown: set[str] = set()
    for path in sorted(paths):
        *folders, name = path.split("/")
        for depth, folder in enumerate(folders):
            key = "/".join(folders[: depth + 1])
            if key not in shown:
                shown.add(key)
                lines.append("  " * depth + folder + "/")
        lines.append(f"{'  ' * len(folders)}{name}  {len(paths[path]):,}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
