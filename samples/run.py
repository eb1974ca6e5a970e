"""Runs one node of a sample on this machine: `python samples/run.py sensor-stream/sensor`. Ctrl-C ends it.

Variables of the node (PORT, WEB_UI_PORT, …) are taken from the environment; it listens on this machine only.
"""

import argparse
import os
import shutil
import sys

from assemble import SAMPLES, assemble, names

BUILD = SAMPLES.parent / "build" / "samples"


def main() -> None:
    """Assemble the node, then become it: signals and the exit code are the node's own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("name", metavar="SAMPLE/NODE", choices=names(), help=", ".join(names()))
    name = parser.parse_args().name
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    assemble(name, folder)
    os.environ.setdefault("HOST", "127.0.0.1")
    os.chdir(folder)
    os.execv(sys.executable, [sys.executable, "node.py"])  # noqa: S606 no shell is the point


if __name__ == "__main__":
    main()
