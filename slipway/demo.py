"""`make demo`: the platform with every sample in it, and each sample's solution.zip built over HTTP."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from shared import archive
from shared.errors import SlipwayError
from shared.solution import Ids, RevisionId, SolutionId
from slipway import platform, terminal
from slipway.client import Client
from slipway.processes import started
from slipway.up import consecutive_ports, stop_signal, watch

DATA = Path("build/demo")
REVISION = RevisionId("1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run the platform with the samples.")
    parser.add_argument("--once", action="store_true", help="exit when everything is built")
    parser.add_argument("--port", type=int, default=0, help="port of the page; 0: any free ones")
    chosen = parser.parse_args(arguments)
    try:
        return demonstrate(once=chosen.once, port=chosen.port)
    except SlipwayError as problem:
        terminal.complain(f"error: {problem}")
        return problem.exit_code


def demonstrate(*, once: bool, port: int) -> int:
    """Start everything, build everything, say where it is."""
    stopped = stop_signal()
    here = platform.on_this_machine(data=DATA, ports=consecutive_ports(port))
    with started(here) as running:
        client = Client(here)
        for name, content in samples().items():
            client.upload(Ids(SolutionId(name), REVISION), content, public=True)
        for deployer in here.deployers:
            build_all(client, deployer)
        if not once:
            terminal.say(f"\nThe page, signed in for you: {client.page_link()}")
            terminal.say("Ctrl-C ends the demo.")
            watch(running, stopped)
    return 0


def build_all(client: Client, deployer: platform.Service) -> None:
    """Build every sample with one deployer, and print the tree of the last."""
    terminal.say(f"{deployer.name} at {deployer.url}")
    data = b""
    for name in samples():
        data, found = client.bundle(deployer, Ids(SolutionId(name), REVISION), {})
        target = DATA / deployer.name / name / "solution.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        terminal.say(f"  {target}  {len(data):,} bytes, {found}")
    terminal.say("the last one holds")
    for line in tree(archive.read(data)):
        terminal.say("  " + line)


def samples() -> dict[str, Mapping[str, bytes]]:
    """Return the files of every sample by name, sorted."""
    folders = sorted((f for f in files("samples").iterdir() if _is_sample(f)), key=lambda folder: folder.name)
    return {folder.name: _files(folder) for folder in folders}


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


def _is_sample(folder: Traversable) -> bool:
    return folder.is_dir() and any(folder.joinpath(name).is_file() for name in ("blueprint.json", "model.json"))


def _files(folder: Traversable) -> dict[str, bytes]:
    """Return what a solution.zip of the sample holds: not the programs of its nodes."""
    found = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    protos = folder.joinpath("microservice")
    return found | {f"microservice/{proto.name}": proto.read_bytes() for proto in protos.iterdir()}


if __name__ == "__main__":
    sys.exit(main())
