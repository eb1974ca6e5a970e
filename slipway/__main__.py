"""The command line. Commands are imported when they run: `slipway --help` must not wait for HTTP clients.

Exit status: 0; 1 an error finding or a failure (`--strict`: a warning too); 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

SOLUTION = "folder or zip with blueprint.json or model.json, or id:SOLUTION/REVISION from the configured persistence"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status. The one place that turns errors into exit codes."""
    chosen = parser().parse_args(arguments)
    from shared.errors import InvalidSolutionError, SlipwayError
    from slipway import terminal

    try:
        status: int = importlib.import_module(f"slipway.{chosen.module}").run(chosen)
    except InvalidSolutionError as refused:
        terminal.report(refused.findings)
        return refused.exit_code
    except SlipwayError as problem:
        terminal.complain_of(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as problem:
        terminal.complain(f"error: {problem.filename or ''}: {problem.strerror or problem}")
        return 1
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="slipway", description="Make an AI solution from a model marketplace run.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_build(commands)
    _add_check(commands)
    listing = commands.add_parser("list", help="list the deployers")
    listing.add_argument("--json", action="store_true", help="with the JSON Schema of their options")
    listing.set_defaults(module="listing")
    _add_dry_run(commands)
    _add_up(commands)
    _add_token(commands)
    return top


def _add_build(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    build = commands.add_parser("build", help="build a bundle")
    build.add_argument("deployer", metavar="DEPLOYER", help="one of `slipway list`, such as kubernetes-client")
    build.add_argument("solution", metavar="SOLUTION", help=SOLUTION)
    build.add_argument(
        "-o", "--output", default="solution.zip", metavar="FILE", help="default solution.zip; - is stdout"
    )
    build.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="may be given many times")
    build.add_argument("--options", metavar="FILE", help="JSON or YAML file with options")
    build.add_argument("--strict", action="store_true", help="a warning is a failure")
    build.set_defaults(module="build")


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="say everything that is wrong with a solution")
    check.add_argument("solution", metavar="SOLUTION", help=SOLUTION)
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.add_argument("--strict", action="store_true", help="a warning is a failure")
    check.set_defaults(module="check")


def _add_dry_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    dry = commands.add_parser("dry-run", help="run a workflow bundle on this machine, with programs in place of images")
    dry.add_argument("bundle", metavar="BUNDLE", help="folder or zip of a deployer for workflows")
    dry.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the workflow; may be given many times",
    )
    dry.add_argument("--images", metavar="FOLDER", help="with images.json; default: the nodes of our samples")
    dry.add_argument(
        "--secrets", metavar="FOLDER", help="with a file SECRET/KEY for each key of a Secret that is needed"
    )
    dry.add_argument("--keep", metavar="FOLDER", help="where logs, artifacts and volumes stay; default: nowhere")
    dry.add_argument(
        "--hold", type=float, default=1.0, metavar="SECONDS", help="until what waits for a person goes on; default 1"
    )
    dry.add_argument("--max-wait", type=float, metavar="SECONDS", help="longest wait between two tries of a task")
    dry.add_argument("--within", type=float, metavar="SECONDS", help="end it after that time: it has failed then")
    dry.add_argument("--json", action="store_true", help="print what came of it as JSON; the lines go to stderr")
    dry.set_defaults(module="dry_run")


def _add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = commands.add_parser("up", help="run the whole platform on this machine, until Ctrl-C")
    up.add_argument("--data", default="slipway-data", metavar="FOLDER", help="solutions, secret and logs; kept")
    up.add_argument("--port", type=int, default=8080, help="port of the page; the deployers take the next ones")
    up.set_defaults(module="up")


def _add_token(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = commands.add_parser("token", help="print a development token, signed with the secret of `slipway up`")
    token.add_argument("--data", default="slipway-data", metavar="FOLDER", help="the folder of `slipway up`")
    token.add_argument("--user", default="developer@localhost", help="e-mail of the principal")
    token.add_argument("--minutes", type=int, default=60, help="lifetime")
    token.set_defaults(module="development_token")


if __name__ == "__main__":
    sys.exit(main())
