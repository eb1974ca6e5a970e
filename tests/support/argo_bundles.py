"""Bundles that the Argo deployer makes of our samples, as folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.bundles import sample_options, unpack
from support.solutions import IMAGES, ROOT, read

from services.argo.generate import DEPLOYER
from shared.deployer import Assets


def emitted(sample: str, folder: Path, **options: Any) -> Path:
    """Write the bundle of a sample into a new folder, and return it."""
    chosen = DEPLOYER.parse_options({**sample_options(sample), **options})
    return unpack(DEPLOYER.build(read(ROOT / "samples" / sample), chosen, Assets({}, IMAGES)), folder)
