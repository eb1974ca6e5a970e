"""Solutions for tests: folders on disk (samples, corpus, golden cases) as the values that deployers take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shared.deployer import Assets, Images
from shared.solution import Ids, SolutionFiles
from shared.solution_folder import from_files

ROOT = Path(__file__).parent.parent.parent

IMAGES = Images(
    orchestrator="registry.example.org:5000/slipway/orchestrator:1.0",
    probe="registry.example.org:5000/graphene/probe:1.0",
    nginx="registry.example.org:5000/nginx:1.0",
)


def read(folder: Path, *, ids: Ids | None = None) -> SolutionFiles:
    """Return the solution in a folder: its own files and the protos, nothing else."""
    paths = [path for path in folder.iterdir() if path.is_file()] + sorted(folder.glob("microservice/*.proto"))
    return from_files({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, ids=ids)


def samples() -> Iterator[tuple[str, SolutionFiles]]:
    """Return our own samples by name."""
    folders = sorted(path.parent for name in ("blueprint", "model") for path in ROOT.glob(f"samples/*/{name}.json"))
    return ((folder.name, read(folder)) for folder in folders)


def corpus(test_data: Path) -> Iterator[tuple[str, SolutionFiles]]:
    """Return the real solutions of the test data by name."""
    folders = sorted((test_data / "corpus" / "solutions").iterdir())
    return ((folder.name, read(folder)) for folder in folders)


def assets() -> Assets:
    """Return assets with an image for everything and no static files."""
    return Assets(images=IMAGES)
