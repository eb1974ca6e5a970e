"""Settings are refused at the start, by the name of their variable and never with a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.server.settings import KubernetesPlace, ProcessPlace, Settings
from shared.errors import SettingsError
from shared.settings import load

GOOD = {
    "SLIPWAY_PLAYGROUND_RUNTIME": "process:/data",
    "SLIPWAY_JWT_SECRET": "a secret that is long enough for every single test",
}
CALLERS = "SLIPWAY_PLAYGROUND_DEPLOY_SOLUTION_CALLERS"
LONG = "x" * 32


def read(**changes: str) -> Settings:
    return load(Settings, GOOD | changes)


def test_little_has_to_be_said() -> None:
    found = read()

    assert found.runtime == ProcessPlace(Path("/data"))
    assert (found.key, found.deploy_solution_callers, found.source_systems) == (None, (), ())
    assert (found.web.workers, found.web.threads, found.most_streams) == (1, 64, 48)
    assert (found.sleep_after_minutes, found.delete_after_days) == (720, 0)


def test_a_cluster_may_have_many_workers() -> None:
    found = read(SLIPWAY_PLAYGROUND_RUNTIME="kubernetes", SLIPWAY_WORKERS="3")

    assert (found.runtime, found.web.workers) == (KubernetesPlace(), 3)


@pytest.mark.parametrize(("threads", "streams"), [("4", 2), ("8", 6), ("16", 12), ("64", 48)])
def test_threads_are_kept_from_streams(threads: str, streams: int) -> None:
    assert read(SLIPWAY_THREADS=threads).most_streams == streams


def test_callers_have_names_domains_and_secrets() -> None:
    found = read(**{CALLERS: f"portal:example.org,Example.NET:{LONG};\n other:example.com:a:{LONG}"})

    assert [(each.name, each.domains) for each in found.deploy_solution_callers] == [
        ("portal", ("example.org", "example.net")),
        ("other", ("example.com",)),
    ]
    assert found.deploy_solution_callers[1].secret.reveal() == f"a:{LONG}"
    assert LONG not in repr(found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLIPWAY_PLAYGROUND_RUNTIME", "docker"),
        ("SLIPWAY_PLAYGROUND_RUNTIME", "kubernetes:x"),
        ("SLIPWAY_PLAYGROUND_KEY", "x" * 31),
        ("SLIPWAY_THREADS", "3"),
        ("SLIPWAY_PLAYGROUND_SOURCE_SYSTEMS", "ftp://example.org"),
        ("SLIPWAY_PLAYGROUND_SOURCE_SYSTEMS", "https://user:word@example.org"),
        (CALLERS, f"portal:example.org:{'x' * 31}"),
        (CALLERS, f"portal::{LONG}"),
        (CALLERS, f"portal:localhost:{LONG}"),
        (CALLERS, f"Portal:example.org:{LONG}"),
        (CALLERS, f"a:example.org:{LONG};a:example.org:{LONG}"),
        (CALLERS, LONG),
    ],
)
def test_what_has_another_form_is_named_without_its_value(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{variable: value})

    assert str(refused.value).startswith(f"{variable}: expected ")
    assert value not in str(refused.value)


def test_a_process_runtime_has_one_worker() -> None:
    with pytest.raises(SettingsError, match="SLIPWAY_WORKERS: expected 1 with SLIPWAY_PLAYGROUND_RUNTIME=process"):
        read(SLIPWAY_WORKERS="2")


def test_callers_name_people_by_their_e_mail_only() -> None:
    issuer = {"SLIPWAY_JWT_PRINCIPAL": "oidc", "SLIPWAY_JWT_ISSUER": "https://id.example.org"}

    with pytest.raises(SettingsError, match=f"{CALLERS}: expected SLIPWAY_JWT_PRINCIPAL=graphene"):
        read(**{CALLERS: f"portal:example.org:{LONG}"}, **issuer)
