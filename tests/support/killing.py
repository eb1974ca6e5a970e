"""A kubectl that kills whoever called it after a call of one's choice: for programs that must be able to begin again."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

from support.cluster import Kubectl


def killing_after(kubectl: Kubectl, call: int, desk: Path) -> tuple[Kubectl, Path]:
    """Return the same kubectl, whose caller dies by SIGKILL when its call number `call` is done, and the list of calls."""
    folder = desk / f"killing-{call}"
    folder.mkdir()
    calls = folder / "calls"
    calls.touch()
    stand_in = folder / "kubectl"
    log = shlex.quote(str(calls))
    stand_in.write_text(
        f'#!/bin/sh\nnumber=$(wc -l <{log})\nprintf "%s\\n" "$*" >>{log}\n{shlex.quote(kubectl.program)} "$@"\n'
        f'status=$?\n[ "$number" -eq {call} ] && kill -9 "$PPID"\nexit $status\n',
        encoding="utf-8",
    )
    stand_in.chmod(0o755)
    path = os.pathsep.join([str(folder), kubectl.environment["PATH"]])
    return replace(kubectl, environment={**kubectl.environment, "PATH": path}), calls
