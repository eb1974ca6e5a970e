"""What the deployer needs to know, and what it refuses to start with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.deployer import environment
from support.playground import KEY, SECRET
from support.solutions import ROOT

from playground.deployer.__main__ import prepare
from playground.deployer.settings import Settings
from shared import settings
from shared.errors import SettingsError


def loaded(**changes: str) -> Settings:
    return settings.load(Settings, environment(Path("/solutions"), "http://playground:8080", **changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SLIPWAY_PLAYGROUND_URL": ""}, "SLIPWAY_PLAYGROUND_URL: required"),
        ({"SLIPWAY_PLAYGROUND_URL": "playground:8080"}, "SLIPWAY_PLAYGROUND_URL: expected http"),
        ({"SLIPWAY_PLAYGROUND_URL": "http://u:p@playground"}, "SLIPWAY_PLAYGROUND_URL: expected http"),
        ({"SLIPWAY_PLAYGROUND_PAGES": "javascript:x"}, "SLIPWAY_PLAYGROUND_PAGES: expected http"),
        ({"SLIPWAY_PLAYGROUND_KEY": ""}, "SLIPWAY_PLAYGROUND_KEY: required"),
        ({"SLIPWAY_PLAYGROUND_KEY": "x" * 31}, "SLIPWAY_PLAYGROUND_KEY: expected at least 32 bytes"),
        ({"SLIPWAY_PLAYGROUND_PUSH_SECONDS": "0"}, "SLIPWAY_PLAYGROUND_PUSH_SECONDS: expected a whole number from 1"),
        ({"SLIPWAY_ORCHESTRATOR_IMAGE": ""}, "SLIPWAY_ORCHESTRATOR_IMAGE: required"),
        ({"SLIPWAY_COMPAT": "graphene,anonymous-download"}, "SLIPWAY_COMPAT: expected graphene alone"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(changes: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(**changes)

    assert str(refused.value).startswith(expected)
    assert "x" * 31 not in str(refused.value)


def test_visitors_are_sent_where_the_service_pushes_unless_told_otherwise() -> None:
    assert loaded().pages.base == "http://playground:8080/"
    assert loaded(SLIPWAY_PLAYGROUND_PAGES="https://play.example.org/x").pages.base == "https://play.example.org:443/x/"


def test_threads_are_left_when_as_many_push_as_may() -> None:
    chosen = loaded()

    assert chosen.concurrent_pushes + chosen.builds.concurrent_builds < chosen.web.threads


def test_the_settings_do_not_show_their_secrets() -> None:
    assert KEY not in repr(loaded())
    assert SECRET not in repr(loaded())


def test_what_is_prepared_makes_an_application(tmp_path: Path) -> None:
    chosen = settings.load(Settings, environment(tmp_path, "http://127.0.0.1:1"))

    assert prepare(chosen)().test_client().get("/healthz").status_code == 200


def test_a_start_without_settings_ends_with_2_and_names_them() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "playground.deployer"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("slipway-playground-deployer: ")
    assert "; SLIPWAY_PLAYGROUND_URL: required (" in ended.stderr


def test_the_service_carries_nothing_of_clusters_and_orchestrators() -> None:
    code = (
        "import sys, playground.deployer.__main__;"
        "print(sorted({'boto3', 'grpc', 'google.protobuf', 'lightkube', 'playground.server.app'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ended.stdout == "[]\n"
