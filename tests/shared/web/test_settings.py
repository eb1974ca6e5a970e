"""The sections of a service's settings: what their variables take."""

from __future__ import annotations

import pytest

from shared import settings
from shared.errors import SettingsError
from shared.web.settings import BuildSettings, SessionSettings, WebSettings


def test_the_defaults_are_safe_ones():
    web, builds = settings.load(WebSettings, {}), settings.load(BuildSettings, {})

    assert (web.bind, web.metrics_bind, web.trusted_proxies) == ("127.0.0.1:8080", "127.0.0.1:9090", 0)
    assert (web.workers, web.threads, builds.concurrent_builds) == (2, 4, 3)
    assert (builds.is_graphene, builds.allows_anonymous_download) == (False, False)


@pytest.mark.parametrize(
    ("text", "is_graphene", "allows_anonymous_download"),
    [
        ("graphene", True, False),
        ("graphene,anonymous-download", True, True),
        (" anonymous-download , graphene ", True, True),
    ],
)
def test_the_compatibility_profile_has_two_words(text: str, *, is_graphene: bool, allows_anonymous_download: bool):
    builds = settings.load(BuildSettings, {"SLIPWAY_COMPAT": text})

    assert (builds.is_graphene, builds.allows_anonymous_download) == (is_graphene, allows_anonymous_download)


@pytest.mark.parametrize("text", ["anonymous-download", "Graphene", "graphene,all", ",", "yes"])
def test_another_profile_is_refused(text: str):
    with pytest.raises(SettingsError, match="SLIPWAY_COMPAT: expected graphene, or graphene,anonymous-download"):
        settings.load(BuildSettings, {"SLIPWAY_COMPAT": text})


def test_a_short_session_key_is_refused_and_not_shown():
    with pytest.raises(SettingsError, match="SLIPWAY_SESSION_KEY: expected at least 32 bytes") as refused:
        settings.load(SessionSettings, {"SLIPWAY_SESSION_KEY": "hunter2" * 4})

    assert "hunter2" not in str(refused.value)


def test_a_session_key_of_32_bytes_is_taken():
    assert settings.load(SessionSettings, {"SLIPWAY_SESSION_KEY": "k" * 32}).key.reveal() == "k" * 32


def test_an_unset_session_key_is_made_and_masked():
    first, second = settings.load(SessionSettings, {}), settings.load(SessionSettings, {})

    assert len(first.key.reveal()) >= 32
    assert first.key != second.key
    assert first.key.reveal() not in repr(first)


@pytest.mark.parametrize("text", ["0.0.0.0:80", "[::]:8080", "[::1]:1", "localhost:65535", "slipway.example.org:8080"])
def test_an_address_has_a_host_and_a_port(text: str):
    environ = {"SLIPWAY_BIND": text, "SLIPWAY_METRICS_BIND": text}

    assert settings.load(WebSettings, environ) == WebSettings(bind=text, metrics_bind=text)


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "localhost", "localhost:0", "localhost:65536", "::1:80", "unix:/x", "off"]
)
def test_something_else_is_no_address(text: str):
    with pytest.raises(SettingsError, match="SLIPWAY_BIND: expected host:port"):
        settings.load(WebSettings, {"SLIPWAY_BIND": text})


def test_metrics_may_be_off():
    assert settings.load(WebSettings, {"SLIPWAY_METRICS_BIND": "off"}).metrics_bind == "off"
