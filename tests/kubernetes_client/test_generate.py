"""Golden cases: each folder of `tests/golden` is a solution and the bundle that must come of it, byte for byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.solutions import IMAGES, read

from kubernetes_client.files import load_files
from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.solution import Ids, RevisionId, SolutionId

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/options.json"))
# Scripts and the client are tested where they are written; the protos are the input, unchanged.
_NOT_COMPARED = (
    "orchestrator_client/",
    "protobuf/",
    "microservice/",
    "kubernetes-client-script.py",
    "requirements.txt",
)


def _build(case: str) -> Bundle:
    folder = GOLDEN / case
    options = DEPLOYER.parse_options(json.loads((folder / "options.json").read_bytes()))
    ids = Ids(SolutionId(f"golden-{case}"), RevisionId("revision-1"))
    return DEPLOYER.build(read(folder, ids=ids), options, Assets(load_files(), IMAGES))


def _compared(bundle: Bundle) -> dict[str, bytes]:
    files = {path: data for path, data in bundle.files.items() if not path.startswith(_NOT_COMPARED)}
    names = "".join(f"{name}: {json.dumps(original)}\n" for name, original in bundle.names.items())
    return {**files, "names.txt": names.encode()}


@pytest.mark.parametrize("case", CASES)
def test_a_solution_becomes_the_expected_bundle(case: str, request: pytest.FixtureRequest) -> None:
    expected = GOLDEN / case / "expected"
    files = _compared(_build(case))
    if request.config.getoption("--regenerate"):
        _write(expected, files)

    found = {path.relative_to(expected).as_posix(): path.read_bytes() for path in expected.rglob("*") if path.is_file()}

    assert sorted(files) == sorted(found)
    assert {path: data.decode() for path, data in files.items()} == {
        path: data.decode() for path, data in found.items()
    }


def _write(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
