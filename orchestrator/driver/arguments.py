"""The driver's command line. Whoever emits a workflow writes it, so wrong usage is told like any other failure: as a log line."""

from __future__ import annotations

import argparse
import math
from typing import NoReturn

from orchestrator.driver import reaching
from shared.errors import UsageError

WAIT_SECONDS = 120.0
READY_SECONDS = 600.0
_SUBPROGRAM = "slipway-driver"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = _Parser(prog=_SUBPROGRAM, description=__doc__.partition("\n")[0])
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command", parser_class=_Parser)
    _add_call(commands)
    _add_run(commands)
    _add_release(commands)
    hold = commands.add_parser("hold", help="wait, so that what is deployed stays until the run ends")
    hold.add_argument("--timeout", type=_positive, metavar="SECONDS", help="default: until a signal")
    hold.set_defaults(module="holding", calls_nodes=True)
    report = commands.add_parser("report", help="say how a workflow ended")
    report.add_argument("--status", required=True, metavar="TEXT")
    report.add_argument("--name", default="", help="of the workflow")
    report.add_argument("--to", metavar="FILE-or-URL", help="where to, beside the log")
    report.set_defaults(module="status", calls_nodes=False)
    decode = commands.add_parser("decode", help="print an artifact as JSON lines")
    _add_pipeline(decode)
    decode.add_argument("--type", required=True, metavar="MESSAGE", help="or NODE:MESSAGE")
    decode.add_argument("file", metavar="FILE")
    decode.set_defaults(module="decoding", calls_nodes=False)
    return top


def _add_call(commands: argparse._SubParsersAction[_Parser]) -> None:
    call = commands.add_parser("call", help="call one operation, from artifacts to artifacts")
    _add_pipeline(call)
    call.add_argument("--node", required=True)
    call.add_argument("--operation", required=True)
    call.add_argument(
        "--target", type=_address, metavar="HOST:PORT", help="of the node; a splitter or collator has none"
    )
    call.add_argument("--in", dest="inputs", action="append", default=[], metavar="EDGE=FILE")
    call.add_argument("--out", dest="outputs", action="append", default=[], metavar="EDGE=FILE")
    call.add_argument(
        "--wait", type=_seconds, default=WAIT_SECONDS, help="for the target to answer; default %(default)s"
    )
    call.add_argument("--digest", metavar="FILE", help="gets the digest of all outputs")
    call.add_argument(
        "--digest-with",
        dest="digested",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what else the digest depends on",
    )
    call.add_argument(
        "--end-sidecar", action="store_true", help="end the target afterwards, in a pod that shares processes"
    )
    _add_limits(call)
    call.set_defaults(module="call", calls_nodes=True)


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    run = commands.add_parser("run", help="run the whole graph")
    _add_pipeline(run)
    run.add_argument("--node", dest="nodes", action="append", default=[], metavar="NODE=HOST:PORT")
    run.add_argument("--endpoints", metavar="FILE", help="the same as JSON, as deploy writes it")
    run.add_argument(
        "--wait", type=_seconds, default=0.0, metavar="SECONDS", help="for all nodes to answer; default: none"
    )
    run.add_argument("--report", metavar="FILE", help="how it ended, as JSON")
    run.add_argument(
        "--duration",
        type=_positive,
        metavar="SECONDS",
        help="after which a run that goes on is ended, and has succeeded",
    )
    _add_limits(run)
    run.set_defaults(module="whole_run", calls_nodes=True)


def _add_release(commands: argparse._SubParsersAction[_Parser]) -> None:
    deploy = commands.add_parser("deploy", help="apply a bundle in the cluster that this runs in")
    deploy.add_argument("--bundle", required=True, metavar="DIR")
    _add_place(deploy)
    deploy.add_argument("--owner", metavar="KIND/NAME/UID", help="what takes everything but data along when it goes")
    deploy.add_argument("--endpoint-file", required=True, metavar="FILE", help='gets {"node": "host:port"}')
    deploy.add_argument("--timeout", type=_positive, default=READY_SECONDS, metavar="SECONDS")
    deploy.set_defaults(module="deploying", calls_nodes=False)
    teardown = commands.add_parser("teardown", help="remove what deploy has applied")
    _add_place(teardown)
    teardown.add_argument("--data", action="store_true", help="claims, too")
    teardown.add_argument("--timeout", type=_positive, default=READY_SECONDS, metavar="SECONDS")
    teardown.set_defaults(module="tearing_down", calls_nodes=False)


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True, metavar="RELEASE")
    command.add_argument("--namespace", required=True, metavar="NS")


def _add_pipeline(command: argparse.ArgumentParser) -> None:
    command.add_argument("--pipeline", required=True, metavar="DIR", help="blueprint.json and pipeline.binpb or protos")


def _add_limits(command: argparse.ArgumentParser) -> None:
    command.add_argument("--timeout", type=_positive, metavar="SECONDS", help="for all of it; default: none")
    command.add_argument(
        "--iterations", type=_count, default=0, metavar="N", help="calls of a source; 0: until its data end"
    )


def _address(text: str) -> str:
    try:
        reaching.host_and_port(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, found {text[:40]!r}")
    return value


def _positive(text: str) -> float | None:
    """Return the seconds; 0 means that there is no limit."""
    return _seconds(text) or None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, found {text[:40]!r}")
    return int(text)
