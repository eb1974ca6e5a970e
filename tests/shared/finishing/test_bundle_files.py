"""The files of an unpacked bundle: read whole, and only `dockerinfo.json` ever written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shared.finishing.bundle_files import (
    docker_config,
    environment_rules,
    has_login,
    manifests_text,
    write_orchestrator_port,
)

ENTRIES = {
    "docker_info_list": [{"container_name": "a", "port": "8556"}, {"container_name": "orchestrator", "port": "1"}]
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle with a manifest in each folder."""
    for folder in ("deployments", "policies"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").write_text(f"kind: {folder}")
    (tmp_path / "dockerinfo.json").write_text(json.dumps(ENTRIES))
    return tmp_path


def test_all_manifests_become_one_stream(bundle: Path):
    (bundle / "deployments" / "notes.txt").write_text("no manifest")
    (bundle / "deployments" / "a.yaml").write_text("\ufeffname: ä", encoding="utf-8")

    assert manifests_text(bundle) == "---\nname: ä\n---\nkind: deployments\n---\nkind: policies\n"


def test_a_folder_without_manifests_is_no_bundle(tmp_path: Path):
    with pytest.raises(ValueError, match="is this an unpacked"):
        manifests_text(tmp_path)


def test_the_port_is_written_once_and_the_mode_of_the_file_stays(bundle: Path):
    file = bundle / "dockerinfo.json"
    file.chmod(0o664)

    assert write_orchestrator_port(bundle, 31001)
    assert not write_orchestrator_port(bundle, 31001)

    assert [entry["port"] for entry in json.loads(file.read_text())["docker_info_list"]] == ["8556", 31001]
    assert file.stat().st_mode & 0o777 == 0o664
    assert sorted(path.name for path in bundle.iterdir()) == ["deployments", "dockerinfo.json", "policies"]


def test_a_link_stays_a_link(bundle: Path):
    real = bundle / "real.json"
    (bundle / "dockerinfo.json").rename(real)
    (bundle / "dockerinfo.json").symlink_to(real)

    write_orchestrator_port(bundle, 31001)

    assert (bundle / "dockerinfo.json").is_symlink()
    assert json.loads(real.read_text())["docker_info_list"][1]["port"] == 31001


def test_what_is_no_json_stays_as_it_is(bundle: Path):
    (bundle / "dockerinfo.json").write_text("{")

    with pytest.raises(ValueError, match="Expecting"):
        write_orchestrator_port(bundle, 31001)

    assert (bundle / "dockerinfo.json").read_text() == "{"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)

    with pytest.raises(OSError, match="No space left"):
        write_orchestrator_port(bundle, 31001)

    assert json.loads((bundle / "dockerinfo.json").read_text()) == ENTRIES
    assert sorted(path.name for path in bundle.iterdir()) == ["deployments", "dockerinfo.json", "policies"]


def test_a_model_has_no_such_file(tmp_path: Path):
    assert not write_orchestrator_port(tmp_path, 31001)


@pytest.mark.parametrize("file", [None, "", "/home/nobody/config.json"])
def test_a_configuration_that_is_missing_has_no_rules(file: str | None):
    assert environment_rules(file) == []


def test_a_configuration_that_is_no_json_is_told(tmp_path: Path):
    (tmp_path / "config.json").write_text("{")

    with pytest.raises(ValueError, match=r"config\.json: Expecting"):
        environment_rules(str(tmp_path / "config.json"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"auths": {"registry.example": {"auth": "bWU6c2VjcmV0"}, "other.example": {}}}', True),
        ('{"auths": {"registry.example": {}}, "credsStore": "desktop"}', False),
        ('{"auths": {}}', False),
        ('{"credsStore": "desktop"}', False),
        ("[]", False),
    ],
)
def test_a_docker_configuration_may_hold_no_login(tmp_path: Path, text: str, *, expected: bool):
    file = tmp_path / "config.json"
    file.write_text(text)

    assert docker_config(str(file)) == text
    assert has_login(text) is expected


def test_a_docker_configuration_that_is_no_json_is_refused_without_a_word_of_it(tmp_path: Path):
    file = tmp_path / "config.json"
    file.write_text("my password")

    with pytest.raises(ValueError, match="expected the JSON of docker") as refused:
        docker_config(str(file))

    assert "password" not in str(refused.value)
