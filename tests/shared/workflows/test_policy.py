"""What may be asked for, and what of it is refused before anything is built."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from shared.workflows.policy import Policy, as_kubernetes


def read(**options: Any) -> Policy:
    return msgspec.convert(options, Policy)


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": {"LEVEL": "{{workflow.name}}"}},
        {"nodes": {"a": {"command": ["run", "{{=1}}"]}}},
        {"nodes": {"a": {"command": ["run"], "args": ["--name={{x}}"]}}},
    ],
)
def test_what_has_to_stand_inline_must_not_be_live(options: dict[str, Any]):
    with pytest.raises(msgspec.ValidationError, match=r"expected no '\{\{'"):
        read(**options)


def test_args_need_a_command():
    with pytest.raises(msgspec.ValidationError, match="expected a command with args"):
        read(nodes={"a": {"args": ["--fast"]}})


@pytest.mark.parametrize("cron", ["30 5 * * 1-5", "*/5 0-6 1,15 JAN-MAR MON", "@daily"])
def test_schedules_are_cron_expressions(cron: str):
    assert read(schedule={"cron": [cron]}).schedule.cron == (cron,)


@pytest.mark.parametrize("cron", ["", "daily", "* * * *", "{{x}} * * * *", "* * * * *\n", "* * * * * && x"])
def test_anything_else_is_no_schedule(cron: str):
    with pytest.raises(msgspec.ValidationError):
        read(schedule={"cron": [cron]})


def test_a_schedule_that_no_engine_starts_is_refused_with_its_place():
    with pytest.raises(
        msgspec.ValidationError, match=r"cron\[1\]: expected an hour from 0 to 23, found .1 25 \* \* \*."
    ):
        read(schedule={"cron": ["@daily", "1 25 * * *"]})


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_schedule_may_name_a_time_zone(zone: str):
    assert read(schedule={"cron": ["@daily"], "timeZone": zone}).schedule.time_zone == zone


@pytest.mark.parametrize("zone", ["Europe/Berlln", "Europe", "Local", "berlin", "posix/Europe/Berlin"])
def test_a_time_zone_that_no_engine_knows_is_refused(zone: str):
    with pytest.raises(
        msgspec.ValidationError, match=rf"timeZone: expected a name in the IANA database, found .{zone}."
    ):
        read(schedule={"cron": ["@daily"], "timeZone": zone})


def test_time_zones_are_known_where_the_machine_has_none():
    lines = "import zoneinfo; from shared.workflows import time_zones; print(zoneinfo.TZPATH, len(time_zones.known()) > 400)"
    made = subprocess.run(
        [sys.executable, "-c", lines], env={"PYTHONTZPATH": ""}, capture_output=True, text=True, check=True
    )

    assert made.stdout == "() True\n"


def test_no_wait_is_longer_than_the_longest():
    with pytest.raises(msgspec.ValidationError, match=r"backoff of at most maxBackoff \(300\), found 400"):
        read(retries={"backoff": 400})


def test_a_schedule_has_at_least_one_time():
    with pytest.raises(msgspec.ValidationError):
        read(schedule={"cron": []})


@pytest.mark.parametrize(
    "options",
    [
        {"retries": {"limit": -1}},
        {"deadlines": {"start": 0}},
        {"mode": "helm"},
        {"caching": {"maxAge": 0}},
        {"secrets": {"KEY": {"secret": "../x", "key": "y"}}},
        {"parameters": {"run-seconds": 1}},
        {"hostNetwork": True},
    ],
)
def test_values_without_a_meaning_are_refused(options: dict[str, Any]):
    with pytest.raises(msgspec.ValidationError):
        read(**options)


def test_what_pods_need_becomes_options_of_kubernetes():
    policy = read(nodes={"a": {"gpu": {"count": 2}, "nodeSelector": {"disk": "fast"}}}, imagePullSecrets=["registry"])

    made = as_kubernetes(policy, {"a": "service", "b": "job"})

    assert (made.nodes["a"].gpu.count, made.nodes["b"].kind) == (2, "job")
    assert (made.image_pull_secrets, made.service_type, made.webui) == (("registry",), "ClusterIP", False)
