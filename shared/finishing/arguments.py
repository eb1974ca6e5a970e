"""The command line. The short options are Graphene's, so that what calls its script can call this one."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Callable, List, TypeVar

from shared.finishing.names import UsageError, checked_namespace, checked_node, checked_secret

# Graphene's playground calls this script from a worker that it stops after 300 s, and takes a non-zero status for a
# failed deployment: a slow image pull must be neither.
PATIENCE_SECONDS = 240.0
# Where Graphene's playground keeps its configuration; elsewhere it is missing, which is no complaint.
GRAPHENE_CONFIG = "/home/ai4eu/playground-app/config.json"

EPILOG = """\
Exit status: 0 done: all is ready, or (without --timeout) all is applied and what is slow was told; 1 failed, in words;
2 wrong usage, nothing was done; 3 not ready in time; 130 interrupted. With --run: that of the orchestrator's client.

The same command may be run again at any time, also after it was stopped: it goes on where that is needed."""

Value = TypeVar("Value")


def read_arguments(arguments: List[str], *, script: str) -> argparse.Namespace:
    """Read the command line; what cannot be meant ends the program with status 2 before kubectl is called at all."""
    parser = _parser(Path(script).resolve().parent)
    chosen = parser.parse_args(arguments)
    chosen.action = next((name for name in ("status", "logs", "delete") if getattr(chosen, name)), "deploy")
    problem = _contradiction(chosen)
    if problem:
        parser.error(problem)
    return chosen


def _parser(folder: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Apply this bundle to the cluster of the current kubeconfig, wait, and print the addresses.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-n", "--namespace", required=True, type=_type(checked_namespace), help="namespace; created when it is missing")
    add("--no-create-namespace", action="store_true", help="refuse when the namespace is missing")
    add("-ipp", "--image_pull_policy", choices=["Always", "IfNotPresent", "Never"], help="instead of the bundle's own")
    add("-bp", "--base_path", default=str(folder), help="folder of the bundle; without it that of this script")
    add("-ps", "--path_docker_secret", metavar="FILE", help="docker config.json to make the pull secret from")
    add("-sn", "--secret_name", type=_type(checked_secret), help="name of the pull secret that the workloads use")
    add("-cf", "--config-file", metavar="FILE", default=GRAPHENE_CONFIG, help="JSON with environment_variables rules")
    add(
        "--timeout",
        type=_type(_seconds),
        metavar="SECONDS",
        help="wait so long until all is ready, 0: do not wait; without it, what is not ready after "
        f"{PATIENCE_SECONDS:.0f} s is told, and is no failure",
    )
    add("--forward", action="store_true", help="then forward orchestrator and web UIs to this machine until Ctrl-C")
    add("--run", action="store_true", help="then start the pipeline with the orchestrator's client, and follow it")
    add("--json", action="store_true", help="write one JSON document to stdout, and words to stderr")
    add("--dry-run", action="store_true", help="only tell what would be created, changed and deleted")
    actions = parser.add_argument_group("instead of deploying").add_mutually_exclusive_group()
    actions.add_argument("--status", action="store_true", help="tell how the deployment is, and change nothing")
    actions.add_argument("--logs", metavar="NODE", type=_type(checked_node), help="follow the logs of a node")
    actions.add_argument("--delete", action="store_true", help="delete what belongs to this solution, but no claims")
    add("--delete-data", action="store_true", help="with --delete: delete the claims, too, and what is on them")
    return parser


def _contradiction(chosen: argparse.Namespace) -> str:
    """Return what cannot be meant together, or nothing."""
    follows = chosen.forward or chosen.run
    rules = (
        (chosen.path_docker_secret and not chosen.secret_name, "--path_docker_secret needs --secret_name"),
        (chosen.delete_data and not chosen.delete, "--delete-data goes with --delete"),
        (
            follows and (chosen.logs or chosen.delete or chosen.dry_run or chosen.json),
            "--forward and --run go with a deployment or with --status, in words",
        ),
        (chosen.forward and chosen.run, "choose one of --forward and --run"),
        (chosen.logs and chosen.json, "--logs has no --json: logs are what the node writes"),
        (
            chosen.dry_run and (chosen.status or chosen.logs),
            "--dry-run goes with a deployment or with --delete; --status and --logs change nothing anyway",
        ),
    )
    return next((words for broken, words in rules if broken), "")


def _type(check: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return `check` so that argparse shows its words."""

    def checked(value: str) -> Value:
        try:
            return check(value)
        except UsageError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from problem

    return checked


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError(f"expected a number of seconds, 0 or more; found {value!r}")
    return seconds
