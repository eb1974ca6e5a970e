"""Golden cases: each folder of `tests/golden` is a solution and the bundle that must come of it, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support import golden
from support.solutions import ROOT

from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle

OPTIONS = "options.json"
CASES = golden.cases(OPTIONS)
# Scripts and the client are tested where they are written; the protos are the input, unchanged.
_NOT_COMPARED = (
    "orchestrator_client/",
    "protobuf/",
    "microservice/",
    "kubernetes-client-script.py",
    "requirements.txt",
)


def _compared(bundle: Bundle) -> dict[str, bytes]:
    files = {path: data for path, data in bundle.files.items() if not path.startswith(_NOT_COMPARED)}
    names = "".join(f"{name}: {json.dumps(original)}\n" for name, original in bundle.names.items())
    return {**files, "names.txt": names.encode()}


@pytest.mark.parametrize("case", CASES)
def test_a_solution_becomes_the_expected_bundle(case: str, request: pytest.FixtureRequest) -> None:
    files = _compared(golden.built(DEPLOYER, case, OPTIONS))

    expected = golden.GOLDEN / case / "expected"
    kept = golden.kept(expected, files, regenerate=request.config.getoption("--regenerate"))
    assert {path: data.decode() for path, data in files.items()} == kept


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
            [sys.executable, "-c", _PRINT_DIGESTS, *(str(golden.GOLDEN / case) for case in CASES)],
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
