"""`slipway list`: the deployers that are installed."""

from __future__ import annotations

import argparse
import json

from shared import deployer
from slipway import terminal


def run(arguments: argparse.Namespace) -> int:
    """Print one line per deployer, or with `--json` also the schema of its options."""
    deployers = deployer.installed()
    if arguments.json:
        about = [
            {"name": d.name, "title": d.title, "summary": d.summary, "options": d.schema} for d in deployers.values()
        ]
        terminal.say(json.dumps(about))
        return 0
    for found in deployers.values():
        terminal.say(f"{found.name:20} {found.summary}")
    return 0
