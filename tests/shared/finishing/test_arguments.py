"""The command line: Graphene's options as they were, and what cannot be meant refused before anything happens."""

from __future__ import annotations

import argparse

import pytest

from shared.finishing.arguments import GRAPHENE_CONFIG, read_arguments

HOSTILE = ("-x", "--all", "a b", "a/b", "A", "$(id)", "a\nb", "")


def read(*arguments: str) -> argparse.Namespace:
    """Return what a command line for namespace `demo` means."""
    return read_arguments(["-n", "demo", *arguments], script="/home/me/solution/kubernetes-client-script.py")


def test_without_options_the_bundle_beside_the_script_is_deployed():
    chosen = read()

    assert (chosen.action, chosen.namespace, chosen.base_path) == ("deploy", "demo", "/home/me/solution")
    assert (chosen.image_pull_policy, chosen.secret_name, chosen.timeout) == (None, None, None)
    assert chosen.config_file == GRAPHENE_CONFIG == "/home/ai4eu/playground-app/config.json"


def test_the_calls_of_graphene_mean_what_they_did():
    # As its playground calls the script, with and without a pull secret.
    with_secret = read("-bp", "/s", "-sn", "registry", "-ps", "/d.json", "--config-file", "/c.json")
    without = read("-bp", "/s", "--image_pull_policy", "IfNotPresent")

    assert (with_secret.secret_name, with_secret.path_docker_secret) == ("registry", "/d.json")
    assert (with_secret.base_path, with_secret.config_file) == ("/s", "/c.json")
    assert without.image_pull_policy == "IfNotPresent"


@pytest.mark.parametrize(
    ("arguments", "action"),
    [
        (["--status"], "status"),
        (["--logs", "a"], "logs"),
        (["--delete", "--delete-data"], "delete"),
        (["--delete", "--dry-run"], "delete"),
        (["--status", "--run"], "status"),
        (["--forward", "--timeout", "0"], "deploy"),
    ],
)
def test_there_is_one_action(arguments: list[str], action: str):
    assert read(*arguments).action == action


@pytest.mark.parametrize(
    "arguments",
    [
        *([f"--namespace={value}"] for value in HOSTILE),
        *([f"--logs={value}"] for value in HOSTILE),
        *([f"--secret_name={value}"] for value in HOSTILE),
        ["--timeout", "-1"],
        ["--timeout", "nan"],
        ["--timeout", "inf"],
        ["--timeout", "soon"],
        ["--path_docker_secret", "x"],
        ["--image_pull_policy", "Sometimes"],
        ["--delete-data"],
        ["--status", "--delete"],
        ["--forward", "--run"],
        ["--run", "--json"],
        ["--forward", "--delete"],
        ["--logs", "a", "--json"],
        ["--dry-run", "--status"],
        ["--unknown"],
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        read(*arguments)

    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err
