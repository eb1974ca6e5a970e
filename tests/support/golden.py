"""Bundles beside those that somebody has looked at, and which were kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.solutions import IMAGES, ROOT, read

from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.solution import Ids, RevisionId, SolutionId

GOLDEN = ROOT / "tests" / "golden"


def cases(options: str) -> list[str]:
    """Return the names of the cases that have this file of options."""
    return sorted(path.parent.name for path in GOLDEN.glob(f"*/{options}"))


def built(deployer: Deployer[Any], case: str, options: str) -> Bundle:
    """Build a case."""
    chosen = deployer.parse_options(json.loads((GOLDEN / case / options).read_bytes()))
    ids = Ids(SolutionId(f"golden-{case}"), RevisionId("revision-1"))
    return deployer.build(read(GOLDEN / case, ids=ids), chosen, Assets(deployer.load_files(), IMAGES))


def kept(folder: Path, files: Mapping[str, bytes], *, regenerate: bool) -> dict[str, str]:
    """Return the kept files as texts; with `regenerate`, these are kept from now on."""
    if regenerate:
        shutil.rmtree(folder, ignore_errors=True)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
