"""`slipway check`: every finding about a solution, without building anything."""

from __future__ import annotations

import argparse
import json

from shared import blueprint
from slipway import source, terminal


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 when one is an error (with `--strict`: or a warning)."""
    findings = blueprint.parse(source.read(arguments.solution)).findings
    if arguments.json:
        terminal.say(json.dumps(findings.to_json()))
    else:
        for finding in findings:
            terminal.say(str(finding))
        terminal.say(findings.header)
    return 1 if findings.errors or (arguments.strict and findings.warnings) else 0
