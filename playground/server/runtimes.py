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
    """
    if isinstance(settings.runtime, ProcessPlace):
        return cast("Runtime", import_module("playground.runtime.process.opening").opened(settings.runtime.folder))
    return cast("Runtime", import_module("playground.runtime.kubernetes.opening").opened())
