"""Emission: parse, generate and zip in process beside PyYAML's dumpers, and as a whole process beside kustomize."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from kubernetes_client.generate import DEPLOYER
from shared import archive, blueprint
from shared.deployer import Assets, Images
from tests.bench import pipelines
from tests.bench.rows import Row, interleaved, milliseconds

SIZES = (3, 30, 300)
NAMES = tuple(f"generate + zip, {size} nodes" for size in SIZES) + tuple(
    f"slipway build, {size} nodes" for size in SIZES
)


def rows() -> Iterator[Row]:
    """Yield the rows, smallest pipeline first."""
    assets = Assets(DEPLOYER.load_files(), Images(orchestrator="registry.example.org:5000/slipway/orchestrator:1.0"))
    for size in SIZES:
        yield from _in_process(size, assets)
    for size in SIZES:
        yield _whole_process(size)


def _in_process(size: int, assets: Assets) -> Iterator[Row]:
    solution = blueprint.parse(pipelines.files(size)).solution
    if solution is None:
        raise AssertionError("the measured pipeline must be sound")
    options = DEPLOYER.parse_options({})
    sealed = DEPLOYER.generate(solution, options, assets).sealed
    objects = [yaml.load(data, yaml.CSafeLoader) for path, data in sealed.items() if path.endswith(".yaml")]

    def dump(dumper: type[yaml.CSafeDumper | yaml.SafeDumper]) -> float:
        return milliseconds(lambda: [yaml.dump(o, Dumper=dumper, sort_keys=False) for o in objects])

    ours, compiled, pure = interleaved(
        lambda: milliseconds(lambda: archive.write(DEPLOYER.generate(solution, options, assets).sealed)),
        lambda: dump(yaml.CSafeDumper),
        lambda: dump(yaml.SafeDumper),
    )
    bar = 0.5 if size == max(SIZES) else None
    name = f"generate + zip, {size} nodes, beside "
    yield Row(name + "C dumper", ours, "ms", compiled, "PyYAML C, the same objects", most_ratio=bar)
    yield Row(name + "pure dumper", ours, "ms", pure, "PyYAML pure, the same objects")


def _whole_process(size: int) -> Row:
    kubectl = shutil.which("kubectl")
    with tempfile.TemporaryDirectory() as desk:
        folder, bundle = Path(desk) / "solution", Path(desk) / "bundle"
        for path, data in pipelines.folder(size).items():
            _write(folder / path, data)
        target = Path(desk) / "solution.zip"
        build = [sys.executable, "-m", "slipway", "build", "kubernetes-client", str(folder), "-o", str(target)]
        subprocess.run(build, check=True, capture_output=True)
        for path, data in archive.read(target.read_bytes()).items():
            _write(bundle / path, data)

        def ours() -> float:
            return milliseconds(lambda: subprocess.run(build, check=True, capture_output=True))

        def kustomize() -> float:
            command = [str(kubectl), "kustomize", str(bundle)]
            return milliseconds(lambda: subprocess.run(command, check=True, capture_output=True))

        name = f"slipway build, {size} nodes"
        if kubectl is None:
            (alone,) = interleaved(ours)
            return Row(name, alone, "ms", None, "kubectl kustomize (not installed)")
        mine, theirs = interleaved(ours, kustomize)
        return Row(name, mine, "ms", theirs, "kubectl kustomize of the bundle")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
