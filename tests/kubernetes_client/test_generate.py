"""Golden cases: each folder of `tests/golden` is a solution and the bundle that must come of it, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.solutions import IMAGES, ROOT, read

from kubernetes_client.files import load_files
from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.solution import Ids, RevisionId, SolutionId

GOLDEN = ROOT / "tests" / "golden"
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


_PRINT_DIGESTS = """\
import json, pathlib, sys
from kubernetes_client.generate import DEPLOYER
from shared.deployer import Assets
from support.solutions import IMAGES, ROOT, read
for folder in map(pathlib.Path, sys.argv[1:]):
    options = DEPLOYER.parse_options(json.loads((folder / "options.json").read_bytes()))
    print(DEPLOYER.build(read(folder), options, Assets(DEPLOYER.load_files(), IMAGES)).digest)
"""


def test_hash_seed_locale_and_time_zone_change_nothing() -> None:
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    first = {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"}
    second = {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu"}

    digests = [
        subprocess.run(
            [sys.executable, "-c", _PRINT_DIGESTS, *(str(GOLDEN / case) for case in CASES)],
            env=path | environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.splitlines()
        for environment in (first, second)
    ]

    assert len(digests[0]) == len(CASES)
    assert digests[0] == digests[1]


def _write(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
