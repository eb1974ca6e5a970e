"""Emission of Argo workflows beside hera, Argo's Python SDK: in process, and as a whole process. hera writes two objects only."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.environments import environment

from services.argo.generate import DEPLOYER
from shared import archive, blueprint
from shared.deployer import Assets, Images
from tests.bench import pipelines
from tests.bench.rows import Row, interleaved, milliseconds

SIZES = (3, 30, 300)
NAMES = tuple(f"argo: generate + zip, {size} nodes" for size in SIZES) + tuple(
    f"slipway build argo, {size} nodes" for size in SIZES
)
HERE = Path(__file__).parent
_PROGRAM = HERE / "hera_emission.py"
_BAR = 1 / 8
_IMAGES = Images(orchestrator="registry.example.org:5000/slipway/orchestrator:1.0")


def rows() -> Iterator[Row]:
    """Yield the rows, smallest pipeline first; without hera's environment nothing is beside them."""
    try:
        python = str(environment("hera", HERE.parent / "manifests" / "hera-requirements.txt") / "python")
    except (subprocess.SubprocessError, OSError):
        yield from (Row(name, None, "ms", peer_name="hera cannot be installed") for name in NAMES)
        return
    with subprocess.Popen(
        [python, str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as hera:
        yield from (_in_process(size, hera) for size in SIZES)
        if hera.stdin:
            hera.stdin.close()
    yield from (_whole_process(size, python) for size in SIZES)


def _in_process(size: int, hera: subprocess.Popen[str]) -> Row:
    solution = blueprint.parse(pipelines.files(size)).solution
    if solution is None or hera.stdin is None or hera.stdout is None:
        raise AssertionError("the measured pipeline must be sound, and hera be there")
    assets, options = Assets(DEPLOYER.load_files(), _IMAGES), DEPLOYER.parse_options({"mode": "services"})

    def peer() -> float:
        print(size, file=hera.stdin, flush=True)
        return float(hera.stdout.readline()) if hera.stdout else 0.0

    ours, theirs = interleaved(
        lambda: milliseconds(lambda: archive.write(DEPLOYER.generate(solution, options, assets).sealed)), peer
    )
    bar = _BAR if size == max(SIZES) else None
    return Row(f"argo: generate + zip, {size} nodes", ours, "ms", theirs, "hera, two objects", most_ratio=bar)


def _whole_process(size: int, python: str) -> Row:
    with tempfile.TemporaryDirectory() as desk:
        folder, bundle = Path(desk) / "solution", Path(desk) / "bundle.zip"
        for path, data in pipelines.folder(size).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        command = [sys.executable, "-m", "slipway", "build", "argo", str(folder), "-o", str(bundle)]

        def run(*arguments: str) -> float:
            return milliseconds(lambda: subprocess.run(arguments, check=True, capture_output=True, timeout=300))

        ours, theirs = interleaved(lambda: run(*command), lambda: run(python, str(_PROGRAM), "--once", str(size)))
    name = f"slipway build argo, {size} nodes"
    return Row(name, ours, "ms", theirs, "python with hera, two objects")
