"""The table of a process runtime: which image stands for which program. Nothing else is ever run.

`images.json` in the folder of the runtime, written by the operator (for the samples by `samples/table.py`):

    {"images": {"slipway/sample-sensor:1": {
        "command": ["/usr/bin/python3", "node.py"], "folder": "nodes/sensor",
        "environment": ["COUNT", "SEED"], "webUi": false}},
     "limits": {"running": 20, "runningPerOwner": 5, "keptPerOwner": 50, "memoryMib": 2048}}
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from playground.runtime import turns
from shared.errors import SettingsError

FILE = "images.json"


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What runs in place of an image. It listens on HOST and PORT, a web UI on WEB_UI_PORT."""

    command: tuple[str, ...]
    """Arguments, the program first; never a shell's line."""
    folder: str
    """Where it runs; relative to the folder of the runtime."""
    environment: tuple[str, ...] = ()
    """Variables that a bundle may set; all others of a bundle are left out, with a finding."""
    web_ui: bool = False
    """It has a web UI: a bundle cannot tell, every node gets a Service for one."""


class Limits(turns.Limits, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How much may run, and how much each may use."""

    memory_mib: int = 2048
    """Writable memory of each process."""
    shared_folder_mib: int = 1024
    """What a shared folder may hold for an upload to be taken."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The programs by image, and the limits."""

    images: dict[str, Program]
    limits: Limits = Limits()


def read(folder: Path) -> Table:
    """Return the table in the folder of a runtime.

    Raises:
        SettingsError: there is none, or it has another form.
    """
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Table)
    except (OSError, msgspec.DecodeError) as problem:
        expected = f"a table of images in {FILE} of the runtime's folder"
        raise SettingsError(f"SLIPWAY_PLAYGROUND_RUNTIME: expected {expected}: {_words(problem)}") from problem


def _words(problem: Exception) -> str:
    return "there is none" if isinstance(problem, FileNotFoundError) else str(problem)
