"""The samples as the demo and `slipway up` take them: solutions to upload, and programs that the playground may run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.solution import Ids, RevisionId, SolutionId

OPTIONS = "options.json"
SAMPLES = Path(__file__).parent.parent / "samples"
PUT_TOGETHER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One of our own solutions, and the options that it is meant to be built with."""

    files: Mapping[str, bytes]
    """What a solution.zip of it holds: not the programs of its nodes."""
    options: Mapping[str, Any]
    """`options.json` of the sample; a component that runs once must be told from one that serves."""

    @classmethod
    def read(cls, folder: Path) -> Sample:
        """Read a sample's folder."""
        own = [path for path in folder.iterdir() if path.is_file() and path.name != OPTIONS]
        paths = [*own, *(folder / "microservice").glob("*.proto")]
        options = folder / OPTIONS
        return cls(
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)},
            json.loads(options.read_bytes()) if options.is_file() else {},
        )


def revision(sample: str) -> Ids:
    """Return the ids of a sample; a marketplace's revision ids are unique over all solutions."""
    return Ids(SolutionId(sample), RevisionId(f"{sample}-1"))


def samples() -> dict[str, Sample]:
    """Return every sample by name, sorted."""
    folders = sorted({file.parent for name in ("blueprint", "model") for file in SAMPLES.glob(f"*/{name}.json")})
    return {folder.name: Sample.read(folder) for folder in folders}


def write_programs(folder: Path) -> None:
    """Put the nodes of all samples together, with the table that tells a playground's runtime which image is which."""
    arguments = [sys.executable, str(SAMPLES / "table.py"), str(folder)]
    subprocess.run(arguments, check=True, timeout=PUT_TOGETHER_SECONDS)  # noqa: S603 - our own program
