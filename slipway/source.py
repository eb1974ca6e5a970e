"""Reads the SOLUTION argument: a folder, a zip file, or `id:SOLUTION/REVISION` in the configured persistence."""

from __future__ import annotations

import os
from pathlib import Path

from shared import solution_folder
from shared.errors import TooLargeError, UsageError
from shared.findings import quoted
from shared.principal import LOCAL_OPERATOR
from shared.solution import Ids, SolutionFiles

MOST_BYTES = 64 * 1024 * 1024  # what the archive reader allows unpacked, too
MOST_FILES = 10_000


def read(solution: str) -> SolutionFiles:
    """Return the files of a solution.

    Raises:
        UsageError: there is nothing of that name.
        SlipwayError: it is no solution, or whatever the persistence answers.
    """
    if solution.startswith("id:"):
        return _from_persistence(solution.removeprefix("id:"))
    files = _read(Path(solution))
    if files is None:
        raise UsageError(f"SOLUTION: expected a folder, a zip file or id:SOLUTION/REVISION, found {quoted(solution)}")
    return solution_folder.from_files(files)


def bundle(name: str) -> dict[str, bytes]:
    """Return the files of a bundle by path.

    Raises:
        UsageError: there is nothing of that name.
        SlipwayError: it is larger than a bundle may be, or a zip that is not read.
    """
    files = _read(Path(name))
    if files is None:
        raise UsageError(f"BUNDLE: expected a folder or a zip file, found {quoted(name)}")
    return files


def _read(path: Path) -> dict[str, bytes] | None:
    if path.is_dir():
        return _files(path)
    return _from_zip(path) if path.is_file() else None


def _from_persistence(text: str) -> SolutionFiles:
    from shared import settings
    from shared.persistence.select import PersistenceSettings, open_persistence

    solution_id, _, revision_id = text.partition("/")
    ids = Ids.parse(solution_id, revision_id)
    persistence = open_persistence(settings.load(PersistenceSettings, os.environ))
    return persistence.load(ids, LOCAL_OPERATOR)


def _from_zip(path: Path) -> dict[str, bytes]:
    from shared import archive

    if path.stat().st_size > MOST_BYTES:
        raise TooLargeError(f"{path.name}: expected at most {MOST_BYTES} bytes, found {path.stat().st_size}")
    return archive.read(path.read_bytes())


def _files(folder: Path) -> dict[str, bytes]:
    """Return the regular files below `folder` by relative POSIX path; links and hidden files are left out."""
    files: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        size += path.stat().st_size
        if size > MOST_BYTES or len(files) >= MOST_FILES:
            raise TooLargeError(f"{folder.name}: expected at most {MOST_FILES} files and {MOST_BYTES} bytes")
        files[name] = path.read_bytes()
    if not files:
        raise UsageError(f"{quoted(str(folder))}: expected files, found none")
    return files
