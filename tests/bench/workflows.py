"""Emission of workflows beside the Python SDKs of their engines, in process and as a whole process.

Argo, mode `services`, beside hera, which writes two of a bundle's objects only. Kubeflow, mode `steps`, beside the kfp
compiler, which writes the file that is uploaded. So there are two ways of ours in process: from the parsed solution to that
file (plan, both documents, our lint), and to the whole zip (custom resources, ConfigMaps, protos, descriptors, readme too).
kfp goes from its components to the file, which says the same but for the sidecars that only ours has; once more without
labels, which cost it much. In process protoc has run before, as in a service that has seen the protos; else it runs each time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.environments import environment

from services.argo.generate import DEPLOYER as ARGO
from services.kubeflow import generate as kubeflow
from services.kubeflow.generate import DEPLOYER as KUBEFLOW
from services.kubeflow.options import Options
from shared import archive, blueprint
from shared.deployer import Assets, Deployer, Images
from shared.solution import Solution
from shared.workflows import objects
from shared.workflows.lint import kubeflow as lint
from tests.bench import pipelines
from tests.bench.rows import Row, interleaved, milliseconds

SIZES = (3, 30, 300)
_ARGO = {"mode": "services"}
_KUBEFLOW = {"mode": "steps", "release": "2.18"}
_OF_ARGO = ("argo: generate + zip, {} nodes", "slipway build argo, {} nodes")
_OF_KUBEFLOW = (
    "kubeflow: plan to IR file, {} steps",
    "kubeflow: the same, beside less, {} steps",
    "kubeflow: generate + zip, {} steps",
    "slipway build kubeflow, {} steps",
)
NAMES = tuple(name.format(size) for name in (*_OF_ARGO, *_OF_KUBEFLOW) for size in SIZES)

HERE = Path(__file__).parent
_IMAGES = Images(orchestrator="registry.example.org:5000/slipway/orchestrator:1.0")
Peer = Callable[..., float]
"""Number of nodes, and perhaps a word → milliseconds."""


def rows() -> Iterator[Row]:
    """Yield the rows, smallest pipeline first; without the environment of an SDK nothing is beside its rows."""
    for sdk, names, measured in (("hera", _OF_ARGO, _argo), ("kfp", _OF_KUBEFLOW, _kubeflow)):
        try:
            python = str(environment(sdk, HERE.parent / "manifests" / f"{sdk}-requirements.txt") / "python")
        except (subprocess.SubprocessError, OSError):
            missing = (name.format(size) for name in names for size in SIZES)
            yield from (Row(name, None, "ms", peer_name=f"{sdk} cannot be installed") for name in missing)
            continue
        yield from measured([python, "-W", "ignore", str(HERE / f"{sdk}_emission.py")])


def _argo(program: list[str]) -> Iterator[Row]:
    name, whole = _OF_ARGO
    options = ARGO.parse_options(_ARGO)
    with _answering(program) as hera:
        for size in SIZES:
            ours, theirs = interleaved(_zipped(ARGO, size, options), lambda size=size: hera(size))
            yield Row(name.format(size), ours, "ms", theirs, "hera, two objects", most_ratio=_bar(1 / 8, size))
    for size in SIZES:
        ours, theirs = _whole_process(size, "argo", _ARGO, program)
        yield Row(whole.format(size), ours, "ms", theirs, "python with hera, two objects")


def _kubeflow(program: list[str]) -> Iterator[Row]:
    name, beside_less, bundle, whole = _OF_KUBEFLOW
    options = KUBEFLOW.parse_options(_KUBEFLOW)
    with _answering(program) as kfp, tempfile.TemporaryDirectory() as desk:
        for size in SIZES:
            to_file, zipped, theirs, less = interleaved(
                _to_file(size, options, Path(desk) / "pipeline.yaml"),
                _zipped(KUBEFLOW, size, options),
                lambda size=size: kfp(size),
                lambda size=size: kfp(size, "bare"),
            )
            yield Row(name.format(size), to_file, "ms", theirs, "kfp, IR file", most_ratio=_bar(1 / 20, size))
            yield Row(beside_less.format(size), to_file, "ms", less, "kfp, IR file without labels")
            yield Row(bundle.format(size), zipped, "ms", theirs, "kfp, IR file only")
    for size in SIZES:
        ours, theirs = _whole_process(size, "kubeflow", _KUBEFLOW, program)
        yield Row(whole.format(size), ours, "ms", theirs, "python with kfp, IR file only")


def _to_file(size: int, options: Options, path: Path) -> Callable[[], float]:
    solution, assets = _solution(size), Assets(KUBEFLOW.load_files(), _IMAGES)

    def emit() -> None:
        planned, made = kubeflow.translate(solution, options, assets)
        if lint.check(made.pipeline, made.platform, objects.config_maps(planned), release=options.for_release).errors:
            raise AssertionError("what is measured must be sound")
        path.write_bytes(made.content)

    return lambda: milliseconds(emit)


def _zipped(deployer: Deployer[Any], size: int, options: Any) -> Callable[[], float]:
    solution, assets = _solution(size), Assets(deployer.load_files(), _IMAGES)
    return lambda: milliseconds(lambda: archive.write(deployer.generate(solution, options, assets).sealed))


def _solution(size: int) -> Solution:
    solution = blueprint.parse(pipelines.files(size)).solution
    if solution is None:
        raise AssertionError("the measured pipeline must be sound")
    return solution


def _bar(ratio: float, size: int) -> float | None:
    return ratio if size == max(SIZES) else None


@contextmanager
def _answering(program: list[str]) -> Iterator[Peer]:
    """Yield what asks a program that answers each number of nodes with the time that it took."""
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as peer:
        given, answers = peer.stdin, peer.stdout
        if given is None or answers is None:
            raise AssertionError("both are pipes")

        def ask(size: int, *words: str) -> float:
            print(size, *words, file=given, flush=True)
            return float(answers.readline())

        yield ask
        given.close()


def _whole_process(size: int, deployer: str, options: dict[str, str], program: list[str]) -> list[float]:
    """Return milliseconds of `slipway build` and of the program."""
    with tempfile.TemporaryDirectory() as desk:
        folder, bundle = Path(desk) / "solution", Path(desk) / "bundle.zip"
        for path, data in pipelines.folder(size).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        chosen = [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
        command = [sys.executable, "-m", "slipway", "build", deployer, str(folder), "-o", str(bundle), *chosen]

        def run(*arguments: str) -> float:
            return milliseconds(lambda: subprocess.run(arguments, check=True, capture_output=True, timeout=300))

        peer = [*program, "--once", str(size), str(Path(desk) / "package.yaml")]
        return interleaved(lambda: run(*command), lambda: run(*peer))
