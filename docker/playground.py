# ruff: noqa: INP001 - a program that lies beside nothing else
"""Becomes the playground of docker-compose.yml: without a cluster it runs what it has in its own image, the nodes of our samples."""

import os
from pathlib import Path

from slipway.samples import write_programs

DATA = Path("/data")  # what SLIPWAY_PLAYGROUND_RUNTIME names
SERVICE = "/app/bin/service"


def main() -> None:
    """Put the nodes together anew, as this version has them, then be the server: signals and the exit code are its own."""
    write_programs(DATA)
    os.execv(SERVICE, [SERVICE])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
