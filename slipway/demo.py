"""`make demo`: the platform with every sample in it, each sample's solution.zip built over HTTP, a workflow tried, one running."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared import archive, deployer
from shared.errors import SlipwayError, UnavailableError
from shared.workflows.policy import Policy
from slipway import platform, terminal
from slipway.client import Client
from slipway.first_run import FirstRun, InterruptedRunError
from slipway.processes import started
from slipway.samples import revision, samples
from slipway.up import consecutive_ports, stop_signal, watch

DATA = Path("build/demo")
TRIED = "code-breaker"
"""The sample that is dry-run: it ends by itself, within seconds."""
_TRIED_SECONDS = 120


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
        for service in here.deployers:
            if service.name != platform.PLAYGROUND_DEPLOYER:
                build_all(client, service)
            if makes_workflows(service):
                try_out(service)
        first = FirstRun(client, running, stopped)
        first.show()
        if not once:
            terminal.say(f"The running pipeline, signed in for you: {first.page_link()}")
            terminal.say(f"All solutions, signed in for you:        {client.page_link()}")
            terminal.say("Both links work once, within a minute. Ctrl-C ends the demo.")
            watch(running, stopped)
    return 0


def build_all(client: Client, service: platform.Service) -> None:
    """Build every sample with one deployer, and print the tree of the last."""
    terminal.say(f"{service.name} at {service.url}")
    data = b""
    for name, sample in samples().items():
        data, found = client.bundle(service, revision(name), sample.options)
        target = DATA / service.name / name / "solution.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        terminal.say(f"  {target}  {len(data):,} bytes, {found}")
    terminal.say("the last one holds")
    for line in tree(archive.read(data)):
        terminal.say("  " + line)


def makes_workflows(service: platform.Service) -> bool:
    """Tell whether what a deployer makes is a workflow: those have one policy."""
    return issubclass(deployer.named(service.name).options, Policy)


def try_out(service: platform.Service) -> None:
    """Carry out one of its workflows on this machine, as `slipway dry-run` does for anybody. Ctrl-C ends the demo afterwards.

    Raises:
        UnavailableError: it failed, or did not end.
    """
    bundle = str(DATA / service.name / TRIED / "solution.zip")
    command = [sys.executable, "-m", "slipway", "dry-run", bundle]
    terminal.say(f"slipway dry-run {bundle}")
    try:
        subprocess.run(command, check=True, timeout=_TRIED_SECONDS, process_group=0)  # noqa: S603 - our own program
    except subprocess.SubprocessError as problem:
        raise UnavailableError(f"the dry run of {bundle} has failed") from problem


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
