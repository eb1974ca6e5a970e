"""The finishing script of the Kubernetes deployer: does one action with the bundle that it lies in."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from datetime import datetime, timezone
from typing import List, Optional

from shared.finishing.arguments import read_arguments
from shared.finishing.deleting import delete
from shared.finishing.deploying import deploy, would_deploy
from shared.finishing.forwarding import forward_until_stopped, run_client
from shared.finishing.kubectl import KubectlError
from shared.finishing.report import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NOT_READY, Report
from shared.finishing.session import Session
from shared.finishing.telling import tell_logs, tell_status
from shared.finishing.terminal import Terminal

ACTIONS = {"status": tell_status, "logs": tell_logs, "delete": delete, "deploy": deploy}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the script and return its exit status."""
    chosen = read_arguments(sys.argv[1:] if arguments is None else arguments, script=__file__)
    terminal = Terminal(json_on_stdout=chosen.json)
    report = Report(action=chosen.action, namespace=chosen.namespace)
    # Whoever ends this program ends the kubectl that it waits for, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        status = perform(Session(chosen, report, terminal))
    except KeyboardInterrupt:
        terminal.warn(f"stopped while {report.doing}. The same command goes on where that is needed")
        status, report.problem = EXIT_INTERRUPTED, f"stopped while {report.doing}"
    except (KubectlError, OSError, ValueError) as problem:
        terminal.warn(f"error: {problem}")
        status, report.problem = EXIT_FAILED, str(problem)
    if chosen.json:
        print(json.dumps(report.document(status, datetime.now(timezone.utc)), indent=2))
    return status


def perform(session: Session) -> int:
    """Do what the command line asks for."""
    chosen: argparse.Namespace = session.chosen
    if chosen.dry_run and chosen.action == "deploy":
        return would_deploy(session)
    status = ACTIONS[chosen.action](session)
    if not (chosen.forward or chosen.run) or status not in (EXIT_DONE, EXIT_NOT_READY):
        return status
    if chosen.run:
        return run_client(session)
    forward_until_stopped(session)
    return status


if __name__ == "__main__":
    sys.exit(main())
