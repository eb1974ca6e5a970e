"""Which program stands for an image: `images.json`, as `samples/table.py` writes it. Nothing else is ever run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shared.errors import UsageError
from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError

FILE = "images.json"
_SHOWN = 8


class _Entry(msgspec.Struct, frozen=True):
    command: tuple[str, ...]
    folder: str
    environment: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True):
    images: dict[str, _Entry]


@dataclass(frozen=True, slots=True)
class Stand:
    """What runs in place of an image: it listens on HOST and PORT, and takes these variables."""

    command: tuple[str, ...]
    folder: Path
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs by image."""

    images: Mapping[str, Stand]

    def of(self, image: str, path: str) -> Stand:
        """Return what stands for an image.

        Raises:
            PackageError: nothing does.
        """
        if image not in self.images:
            known = sorted(self.images)
            shown = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
            expected = f"an image that this machine has a program for ({shown or 'there is none'})"
            raise PackageError(f"{path}.image: expected {expected}, found {quoted(image)}")
        return self.images[image]


def read(folder: Path) -> Programs:
    """Read the table in a folder.

    Raises:
        UsageError: there is none, or it has another form.
    """
    try:
        table = msgspec.json.decode((folder / FILE).read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as problem:
        raise UsageError(
            f"--images: expected a folder with {FILE}, as samples/table.py makes it: {problem}"
        ) from problem
    base = folder.resolve()
    return Programs(
        {
            image: Stand(entry.command, base / entry.folder, frozenset(entry.environment))
            for image, entry in table.images.items()
        }
    )
