"""Command lines of the scripts of workflows: those that our documents show are understood, wherever the options stand."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from support.solutions import ROOT

from shared.finishing import argo, kubeflow

ReadCommandLine = Callable[[list[str]], argparse.Namespace]
ARGO_VERBS = ("submit", "watch", "stop", "delete")
KUBEFLOW_VERBS = ("upload", "run", "watch", "schedule", "stop", "delete")
SHOWN = {
    "docs/argo.md": ("argo", ARGO_VERBS),
    "services/argo/assets/readme.txt": ("argo", ARGO_VERBS),
    "docs/kubeflow.md": ("kubeflow", KUBEFLOW_VERBS),
    "services/kubeflow/assets/readme.txt": ("kubeflow", KUBEFLOW_VERBS),
}
READ: dict[str, ReadCommandLine] = {"argo": argo.read_command_line, "kubeflow": kubeflow.read_command_line}
# What stands for something that the reader knows.
STANDING_FOR = {
    "NAMESPACE": "flows",
    "PROFILE": "ada",
    "NAME": "name",
    "RUN": "run-1",
    "FILE": "/dev/null",
    "VERB": "delete",
    "URL": "https://kubeflow.example.org",
}


def whole(line: str) -> list[str]:
    """Return the arguments of a command line, all that may stand in it included: `[--watch]…` is `--watch`."""
    words = shlex.split(re.sub(r"[\[\]…]", " ", line), comments=True)
    return [STANDING_FOR.get(word, word) for word in words]


def command_lines(document: str) -> list[list[str]]:
    """Return the arguments of each call of the script, and of each verb that the text names."""
    engine, verbs = SHOWN[document]
    text = (ROOT / document).read_text(encoding="utf-8")
    called = [whole(line) for line in re.findall(rf"{engine}-script\.py +([^`\n]+)", text)]
    named = [whole(span) for span in re.findall(r"`([^`\n]+)`", text) if span.split()[0] in verbs]
    given = ["--url", "http://localhost"] if engine == "kubeflow" else ["-n", "flows"]
    return called + [[*given, *each] for each in named]


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [(SHOWN[document][0], line) for document in SHOWN for line in command_lines(document)],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_every_command_line_that_is_shown_is_understood(
    engine: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(kubeflow.TOKEN_VARIABLE, raising=False)

    assert READ[engine](arguments).verb in arguments


@pytest.mark.parametrize("document", SHOWN)
def test_every_document_shows_command_lines(document: str) -> None:
    _, verbs = SHOWN[document]

    assert {word for line in command_lines(document) for word in line} >= {*verbs[:2], "--watch", "stop", "delete"}


@pytest.mark.parametrize("document", SHOWN)
def test_large_workflows_are_applied_where_no_copy_is_kept_in_an_annotation(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    applied = re.findall(r"kubectl apply [^`\n]+", text)

    assert applied != []
    assert [line for line in applied if "--server-side" not in line] == []


@pytest.mark.parametrize("verb", ARGO_VERBS)
def test_the_namespace_stands_before_the_verb_or_after_it(verb: str) -> None:
    lines = (
        ["-n", "flows", verb],
        [verb, "-n", "flows"],
        [verb, "--namespace=flows"],
        ["-n", "x", verb, "-n", "flows"],
    )

    assert [argo.read_command_line(line).namespace for line in lines] == ["flows"] * 4


@pytest.mark.parametrize("verb", KUBEFLOW_VERBS)
def test_where_and_as_whom_stands_before_the_verb_or_after_it(verb: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    given = ["--url=https://k", "-n", "ada", "--experiment", "tries", "--token-file", str(tmp_path / "token")]

    read = [
        kubeflow.read_command_line(line) for line in ([*given, verb], [verb, *given], [*given[:3], verb, *given[3:]])
    ]

    told = ("https://k", "ada", "tries", str(tmp_path / "token"))
    assert [(each.url, each.namespace, each.experiment, each.token_file) for each in read] == [told] * 3


def test_the_defaults_hold_after_a_verb() -> None:
    read = kubeflow.read_command_line(["upload", "--url=https://k"])

    assert (read.namespace, read.experiment, read.token_file) == ("", "slipway", None)


@pytest.mark.parametrize(("engine", "missing"), [("argo", "-n/--namespace"), ("kubeflow", "--url")])
def test_what_has_to_be_said_is_asked_for(engine: str, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        READ[engine](["watch"])

    assert ended.value.code == 2
    assert f"the following arguments are required: {missing}" in capsys.readouterr().err


@pytest.mark.parametrize("engine", READ)
@pytest.mark.parametrize("verb", [(), ("watch",)])
def test_help_tells_what_has_to_be_said(engine: str, verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        READ[engine]([*verb, "--help"])

    assert ended.value.code == 0
    assert "required: " in capsys.readouterr().out
