"""Opens the runtime that the settings name; only that one is imported."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from playground.runtime.interface import Runtime
from playground.server.settings import ProcessPlace, Settings


def opened(settings: Settings) -> Runtime:
    """Return the runtime.

    Raises:
        SettingsError: its own settings are wrong.
        UnavailableError: another server has the folder of a process runtime.
    """
    if isinstance(settings.runtime, ProcessPlace):
        from playground.runtime.process.opening import opened as in_processes  # noqa: PLC0415

        return in_processes(settings.runtime.folder)
    return cast("Runtime", import_module("playground.runtime.kubernetes.opening").opened())
