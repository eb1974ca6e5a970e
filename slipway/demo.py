"""`make demo`: the platform with every sample in it, each sample's solution.zip built over HTTP, and one of them running."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared import archive
from shared.errors import SlipwayError
from slipway import platform, terminal
from slipway.client import Client
from slipway.first_run import FirstRun, InterruptedRunError
from slipway.processes import started
from slipway.samples import revision, samples
from slipway.up import consecutive_ports, stop_signal, watch

DATA = Path("build/demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run the platform with the samples.")
    parser.add_argument("--once", action="store_true", help="exit when messages have come to the end of the pipeline")
    parser.add_argument("--port", type=int, default=0, help="port of the page; 0: any free ones")
    chosen = parser.parse_args(arguments)
    try:
        return demonstrate(once=chosen.once, port=chosen.port)
    except InterruptedRunError:
        return 130 if chosen.once else 0
    except SlipwayError as problem:
        terminal.complain_of(problem)
        return problem.exit_code


def demonstrate(*, once: bool, port: int) -> int:
    """Start everything, build everything, let one sample run, say where it is."""
    stopped = stop_signal()
    here = platform.on_this_machine(data=DATA, ports=consecutive_ports(port))
    with started(here) as running:
        client = Client(here)
        for name, sample in samples().items():
            client.upload(revision(name), sample.files, public=True)
        for deployer in here.deployers:
            if deployer.name != platform.PLAYGROUND_DEPLOYER:
                build_all(client, deployer)
        first = FirstRun(client, running, stopped)
        first.show()
        if not once:
            terminal.say(f"The running pipeline, signed in for you: {first.page_link()}")
            terminal.say(f"All solutions, signed in for you:        {client.page_link()}")
            terminal.say("Both links work once, within a minute. Ctrl-C ends the demo.")
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
