"""What a security scanner says about the bundles of samples and golden cases, but for what we do on purpose."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.bundle import Bundle

SCAN_SECONDS = 600

Tools = Callable[[str, str], Path]
Failures = dict[str, set[str]]
"""Check → bundles that fail it."""

ALWAYS = {
    "CKV_K8S_8": "liveness: a node that computes for minutes is busy, not dead; a restart would lose its work",
    "CKV_K8S_11": "CPU limits: they slow a node down that nobody else competes with; an option sets them",
    "CKV_K8S_13": "memory limits: only the author knows what a model needs, a wrong guess kills it; an option sets them",
    "CKV_K8S_15": "pull policy: IfNotPresent works without the registry; option imagePullPolicy has Always",
    "CKV_K8S_21": "namespace: chosen by whoever applies the bundle, never written into it",
    "CKV_K8S_22": "read-only root: images of strangers write where they like; ours, the orchestrator's, is read-only",
    "CKV_K8S_43": "digest: the image is the author's reference, unchanged",
}
DEFAULT_PROFILE = {
    "CKV_K8S_9": "readiness: nobody waits for a node without operations, nor for the nginx beside the probe",
    "CKV_K8S_23": "root: allowed, as most images in the marketplaces run as root",
    "CKV_K8S_25": "added capabilities: the three that the preparation of a shared folder needs to change its owner",
    "CKV_K8S_37": "capabilities: dropped as a whole in profile restricted, else only NET_RAW",
    "CKV_K8S_40": "high user id: the image's own user",
}


@pytest.fixture(scope="module")
def failures(own_bundles: dict[str, Bundle], tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Failures:
    folder = tmp_path_factory.mktemp("bundles")
    for name, bundle in own_bundles.items():
        _write(folder / name, bundle)
    checkov = tools("checkov", "checkov-requirements.txt") / "checkov"
    command = [checkov, "-d", folder, "--framework", "kubernetes", "--skip-download", "--compact", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SCAN_SECONDS)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 1_000
    found: Failures = defaultdict(set)
    for failed in report["results"]["failed_checks"]:
        found[failed["check_id"]].add(failed["file_path"].split("/")[1])
    return found


def test_nothing_is_found_but_what_we_do_on_purpose(failures: Failures) -> None:
    unexpected = {check: bundles for check, bundles in failures.items() if check not in ALWAYS | DEFAULT_PROFILE}

    assert unexpected == {}


def test_the_restricted_profile_leaves_little_to_find(failures: Failures) -> None:
    assert sorted(check for check, bundles in failures.items() if "golden-restricted" in bundles) == sorted(ALWAYS)


def test_no_exception_outlives_its_reason(failures: Failures) -> None:
    assert sorted(failures) == sorted(ALWAYS | DEFAULT_PROFILE)


def _write(folder: Path, bundle: Bundle) -> None:
    for path, data in bundle.files.items():
        if path.startswith(("deployments/", "policies/")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
