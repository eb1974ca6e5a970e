"""`make bench [ONLY=text]`: prints a table, writes `build/bench.json`, exits with 1 when a bar does not hold."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench.rows import Row

MODULES = (
    "command_line",
    "emission",
    "finishing",
    "footprint",
    "loading",
    "messages",
    "playground",
    "service",
    "watching",
    "workflows",
)
OUTPUT = Path("build/bench.json")


def main() -> int:
    """Run the chosen modules; a module's rows belong together, so `--only` chooses by module or by row."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="", help="measure modules or rows whose name contains this")
    only = parser.parse_args().only
    rows: list[Row] = []
    for name in MODULES:
        module = importlib.import_module(f"tests.bench.{name}")
        if only in name or any(only in row_name for row_name in module.NAMES):
            rows += show(row for row in module.rows() if only in name or only in row.name)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([row.to_json() for row in rows], indent=2) + "\n", encoding="utf-8")
    missed = [row.name for row in rows if row.holds is False]
    print(f"\n{len(rows)} rows in {OUTPUT}" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


def show(rows: Iterable[Row]) -> list[Row]:
    """Print each row as it comes; return them all."""
    shown = []
    for row in rows:
        ours = "unmeasured" if row.ours is None else f"{row.ours:.4g} {row.unit}"
        peer = f"{row.peer_name or ''} {row.peer:.4g}" if row.peer is not None else (row.peer_name or "")
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
        print(f"{row.name:44} {ours:>18}  {peer:34} {ratio:>6}  {row.bar or '':16} {verdict}", flush=True)
        shown.append(row)
    return shown


if __name__ == "__main__":
    sys.exit(main())
