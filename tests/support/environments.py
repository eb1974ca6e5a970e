"""Environments of their own for tools that are too large, or pin too much, to live beside the others."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from support.solutions import ROOT

INSTALL_SECONDS = 900


def environment(name: str, requirements: Path) -> Path:
    """Return the `bin` folder of `.venv-<name>`, made anew when the requirements have changed since.

    Raises:
        subprocess.CalledProcessError: the packages could not be installed.
    """
    folder = ROOT / f".venv-{name}"
    stamp = folder / "made-from"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(requirements))
        stamp.write_text(wanted, encoding="ascii")
    return folder / "bin"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS)
