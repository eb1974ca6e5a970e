#!/usr/bin/env python3
"""Start the pipeline of an unpacked solution.zip and show what happens: initialize, run, observe.

Needs Python 3.8, grpcio and protobuf. Exit code 0: the run completed or was stopped, or Ctrl-C ended the watching (the
run goes on); 1: the orchestrator refused the pipeline, the run failed or the connection broke; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import queue
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Callable, Iterable

import grpc
import orchestrator_pb2
import orchestrator_pb2_grpc

CHANNEL_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
CONNECT_SECONDS = 60
REDRAW_SECONDS = 0.5
# Everything but the events that carry a message: the orchestrator renders a payload only for somebody who asks.
WITHOUT_MESSAGES = r"(?:[a-z]+_|initialized|exception|warning|thread\.|message\.|run\.|observer\.)"
WITH_FIGURES = f"(?:edge\\.|{WITHOUT_MESSAGES})"


class FailureError(Exception):
    """What went wrong, in words for the person at the terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    options = parse(arguments)
    try:
        return conduct(options)
    except KeyboardInterrupt:
        print("stopped watching; the run goes on", file=sys.stderr)
        return 0
    except FailureError as failure:
        print(f"error: {printable(str(failure))}", file=sys.stderr)
    except grpc.RpcError as failure:
        print(
            f"error: {options.endpoint}: {failure.code().name}: {printable(failure.details() or '')}", file=sys.stderr
        )
    return 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; wrong arguments end the program with exit code 2."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-e", "--endpoint", metavar="HOST:PORT", help="the orchestrator; instead of --host and --port")
    parser.add_argument("-H", "--host", help="host name or IP address of the orchestrator")
    parser.add_argument("-p", "--port", type=int, help="port of the orchestrator")
    parser.add_argument(
        "-b", "--basepath", default=".", help="folder of the unpacked solution.zip (default: %(default)s)"
    )
    parser.add_argument(
        "--messages", action="store_true", help="show the events of single messages with their text too"
    )
    parser.add_argument("-n", "--name-regex", metavar="REGEX", help="show only events whose name starts like this")
    parser.add_argument("-c", "--component-regex", metavar="REGEX", help="show only events of such components")
    parser.add_argument("-l", "--label", default="", help="label of the run")
    parser.add_argument("--queuesize", type=int, default=0, help="messages that an edge holds (0: the default)")
    parser.add_argument("--iterations", type=int, default=0, help="calls of every source (0: no limit)")
    parser.add_argument("--json", action="store_true", help="write every event as one line of JSON")
    parser.add_argument("--follow", action="store_true", help="go on watching when the run has ended")
    options = parser.parse_args(arguments)
    if options.endpoint is None:
        if options.host is None or options.port is None:
            parser.error("say where the orchestrator is: --endpoint HOST:PORT, or --host and --port")
        options.endpoint = f"{options.host}:{options.port}"
    return options


def conduct(options: argparse.Namespace) -> int:
    """Initialise, run and watch; return the exit code."""
    configuration = read_solution(Path(options.basepath), options.queuesize, options.iterations)
    with grpc.insecure_channel(options.endpoint, options=CHANNEL_OPTIONS) as channel:
        connect(channel, options.endpoint)
        stub = orchestrator_pb2_grpc.OrchestratorStub(channel)
        demand(stub.initialize(configuration), "the orchestrator refused the pipeline")
        watch = Watch(stub, options)
        demand(stub.run(orchestrator_pb2.RunLabel(label=options.label)), "the run did not start")
        return show(watch, options)


def read_solution(folder: Path, queuesize: int, iterations: int) -> orchestrator_pb2.OrchestrationConfiguration:
    """Read blueprint.json, dockerinfo.json and microservice/*.proto."""
    protos = {path.name: read(path) for path in sorted(folder.glob("microservice/*.proto"))}
    if not protos:
        raise FailureError(f"expected proto files in {folder / 'microservice'}, found none: is --basepath right?")
    return orchestrator_pb2.OrchestrationConfiguration(
        blueprint=read(folder / "blueprint.json"),
        dockerinfo=read(folder / "dockerinfo.json"),
        protofiles=protos,
        queuesize=queuesize,
        iterations=iterations,
    )


def read(path: Path) -> str:
    """Return the text of a file, or fail in words."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise FailureError(f"cannot read {path}: {problem}") from problem


def connect(channel: grpc.Channel, endpoint: str) -> None:
    """Wait until the orchestrator answers."""
    try:
        grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
    except grpc.FutureTimeoutError as problem:
        raise FailureError(f"no orchestrator answered at {endpoint} within {CONNECT_SECONDS} s") from problem


def demand(status: orchestrator_pb2.OrchestrationStatus, what: str) -> None:
    """Fail unless the orchestrator succeeded."""
    if not status.success and status.code != 0:
        raise FailureError(f"{what}:\n{status.message}")


def is_table(options: argparse.Namespace) -> bool:
    """Say whether a person looks on who has asked for nothing in particular."""
    plain = options.json or options.messages or options.name_regex or options.component_regex
    return sys.stdout.isatty() and not plain


def default_names(options: argparse.Namespace) -> str:
    """Return what to observe when the person does not say: figures once a second only for a table or a program."""
    if options.messages:
        return ".*"
    return WITH_FIGURES if options.json or is_table(options) else WITHOUT_MESSAGES


class Watch:
    """The stream of events, received on a thread of its own so that the terminal can be redrawn meanwhile."""

    def __init__(self, stub: orchestrator_pb2_grpc.OrchestratorStub, options: argparse.Namespace) -> None:
        configuration = orchestrator_pb2.OrchestrationObservationConfiguration(
            name_regex=options.name_regex or default_names(options),
            component_regex=options.component_regex or ".*",
        )
        self.events: queue.Queue[tuple[bool, object]] = queue.Queue(maxsize=1000)
        self._label = options.label
        # Ends are needed whatever the person filters: a second stream asks for them alone.
        self._streams = [stub.observe(configuration)]
        self._streams.append(
            stub.observe(orchestrator_pb2.OrchestrationObservationConfiguration(name_regex="run\\.finished$"))
        )
        for stream, shown in zip(self._streams, (True, False)):
            ready = threading.Event()
            threading.Thread(
                target=self._receive, args=(stream,), kwargs={"shown": shown, "ready": ready}, daemon=True
            ).start()
            ready.wait(timeout=2)  # an orchestrator that does not greet an observer is not waited for

    def _receive(
        self, stream: Iterable[orchestrator_pb2.OrchestrationEvent], *, shown: bool, ready: threading.Event
    ) -> None:
        try:
            stream.initial_metadata()  # type: ignore[attr-defined]
            ready.set()
            for event in stream:
                self.events.put((shown, event))
            self.events.put((shown, None))
        except grpc.RpcError as problem:
            ready.set()
            self.events.put((shown, problem))


def show(watch: Watch, options: argparse.Namespace) -> int:
    """Print events until the run ends; return the exit code."""
    take = Table().take if is_table(options) else print_json if options.json else print_line
    while True:
        shown, event = watch.events.get()
        if event is None:
            raise FailureError("the orchestrator ended the stream of events")
        if isinstance(event, grpc.RpcError):
            raise event
        if shown:
            take(event)
        elif (
            isinstance(event, orchestrator_pb2.OrchestrationEvent) and event.run == options.label and not options.follow
        ):
            drain(watch, take)
            return outcome(event)


def drain(watch: Watch, take: Callable[[orchestrator_pb2.OrchestrationEvent], None]) -> None:
    """Show what the stream of events brings within a moment after the end."""
    until = time.monotonic() + REDRAW_SECONDS
    while time.monotonic() < until:
        try:
            shown, event = watch.events.get(timeout=0.1)
        except queue.Empty:
            return
        if shown and isinstance(event, orchestrator_pb2.OrchestrationEvent):
            take(event)


def outcome(event: orchestrator_pb2.OrchestrationEvent) -> int:
    """Say how the run ended."""
    if event.detail.get("state") == "failed":
        raise FailureError(f"the run failed: {event.detail.get('reason', 'no reason given')}")
    print(f"run {event.detail.get('state', 'ended')}: {details(event, leave_out='state')}", file=sys.stderr)
    return 0


def print_line(event: orchestrator_pb2.OrchestrationEvent) -> None:
    """Print an event as a line of text."""
    print(f"{printable(event.component)} {printable(event.name)} {details(event)}".rstrip(), flush=True)


def details(event: orchestrator_pb2.OrchestrationEvent, leave_out: str = "") -> str:
    """Return the details of an event as `key=value` pairs."""
    pairs = sorted((key, value) for key, value in event.detail.items() if key != leave_out and value)
    return " ".join(f"{printable(key)}={json.dumps(value)}" for key, value in pairs)


def print_json(event: orchestrator_pb2.OrchestrationEvent) -> None:
    """Print an event as a line of JSON."""
    fields = {"run": event.run, "name": event.name, "component": event.component, "detail": dict(event.detail)}
    print(json.dumps(fields, sort_keys=True), flush=True)


def printable(text: str) -> str:
    """Escape what could steer the terminal; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class Table:
    """A table of the edges that is drawn again in place; other events scroll by above it."""

    HEAD = ("edge", "messages", "MB", "per s", "queued")

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, ...]] = {}
        self._height = 0
        self._drawn_at = 0.0

    def take(self, event: orchestrator_pb2.OrchestrationEvent) -> None:
        """Take in an event and draw when the last drawing is old enough."""
        if event.name != "edge.statistics":
            self._erase()
            print_line(event)
        else:
            detail = event.detail
            megabytes = f"{int(detail['bytes']) / 1e6:.1f}"
            row = (printable(detail["edge"]), detail["messages"], megabytes, detail["per_second"], detail["queued"])
            self._rows[detail["edge"]] = row
            if time.monotonic() - self._drawn_at < REDRAW_SECONDS:
                return
            self._erase()
        self._draw()

    def _erase(self) -> None:
        sys.stdout.write(f"\x1b[{self._height}F\x1b[J" if self._height else "")
        self._height = 0

    def _draw(self) -> None:
        if not self._rows:
            return
        size = shutil.get_terminal_size()
        rows = [self.HEAD, *sorted(self._rows.values())][: max(2, size.lines - 2)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.HEAD))]
        for row in rows:
            line = "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))])
            print(line[: size.columns - 1])
        self._height = len(rows)
        self._drawn_at = time.monotonic()
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
