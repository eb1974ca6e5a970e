"""Puts every node together and writes the table that tells a playground without a cluster which image is which program."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from assemble import SAMPLES, assemble, names

VARIABLES = ["COUNT", "GAMES", "INTERVAL_MS", "PATIENCE_SECONDS", "POINTS", "SECRET", "SEED", "THRESHOLD", "WARM_UP"]
"""What the nodes read, beside where they listen."""


def write(target: Path) -> None:
    """Make `target/images.json` and the folders that it names; what was made before is made anew."""
    shutil.rmtree(target / "nodes", ignore_errors=True)
    programs = {f"slipway/sample-{name.partition('/')[2]}:1": program(name, target) for name in names()}
    target.mkdir(parents=True, exist_ok=True)
    draft = target / "images.json.draft"
    draft.write_text(json.dumps({"images": programs}, indent=2) + "\n", encoding="utf-8")
    draft.replace(target / "images.json")


def program(name: str, target: Path) -> dict[str, object]:
    """Assemble the node SAMPLE/NODE, and return its entry."""
    folder = Path("nodes") / name
    assemble(name, target / folder)
    sample, _, node = name.partition("/")
    has_web_ui = (SAMPLES / sample / "nodes" / node / "web.py").is_file()
    return {
        "command": [sys.executable, "node.py"],
        "folder": str(folder),
        "environment": VARIABLES,
        "webUi": has_web_ui,
    }


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("target", metavar="FOLDER", type=Path, help="the folder of the runtime: process:FOLDER")
    write(parser.parse_args().target)


if __name__ == "__main__":
    main()
