"""`slipway token`: a token for trying things out, signed with the secret of a `slipway up` folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.errors import NotFoundError
from slipway import terminal
from slipway.client import Client
from slipway.platform import SECRET_FILE, Platform


def run(arguments: argparse.Namespace) -> int:
    """Print the token."""
    data = Path(arguments.data)
    if not (data / SECRET_FILE).is_file():
        raise NotFoundError(f"--data: expected the folder of a `slipway up`, found no {SECRET_FILE} in {data}")
    terminal.say(Client(Platform(data, ())).token(arguments.user, arguments.minutes * 60))
    return 0
