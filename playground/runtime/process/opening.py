"""Opens the process runtime in a folder that holds its table of images."""

from __future__ import annotations

from pathlib import Path

from playground.runtime.process import images
from playground.runtime.process.runtime import ProcessRuntime


def opened(folder: Path) -> ProcessRuntime:
    """Return the runtime; deployments that ran when the last server ended go on.

    Raises:
        SettingsError: there is no table of images, or it has another form.
        UnavailableError: another server has the folder.
    """
    return ProcessRuntime(folder, images.read(folder))
