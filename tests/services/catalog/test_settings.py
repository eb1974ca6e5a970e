"""What the catalog's settings accept."""

from __future__ import annotations

import pytest

from services.catalog.settings import DeployerPlace, Settings
from shared.errors import SettingsError
from shared.settings import load

GOOD = {
    "SLIPWAY_CATALOG_STORE": "folder:/var/lib/slipway",
    "SLIPWAY_CATALOG_CDS_USER": "deployer",
    "SLIPWAY_CATALOG_CDS_PASSWORD": "sixteen bytes and more",
    "SLIPWAY_JWT_SECRET": "a secret that is long enough for every single test",
}


def test_deployers_are_read_as_names_and_urls() -> None:
    environ = {
        **GOOD,
        "SLIPWAY_CATALOG_DEPLOYERS": "kubernetes-client=http://127.0.0.1:8081, argo=https://argo.example/x",
    }

    assert load(Settings, environ).deployers == (
        DeployerPlace("kubernetes-client", "http://127.0.0.1:8081/"),
        DeployerPlace("argo", "https://argo.example:443/x/"),
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLIPWAY_CATALOG_STORE", "acumos:http://cds.example/ccds"),
        ("SLIPWAY_CATALOG_STORE", "/var/lib/slipway"),
        ("SLIPWAY_CATALOG_CDS_PASSWORD", "fifteen letters"),
        ("SLIPWAY_CATALOG_CDS_USER", "de:ployer"),
        ("SLIPWAY_CATALOG_DEPLOYERS", "kubernetes-client"),
        ("SLIPWAY_CATALOG_DEPLOYERS", "Kubernetes=http://a.example"),
        ("SLIPWAY_CATALOG_DEPLOYERS", "a=http://a.example,a=http://b.example"),
        ("SLIPWAY_CATALOG_DEPLOYERS", "a=http://user:secret@a.example"),
        ("SLIPWAY_CATALOG_DEPLOYERS", "a=file:///etc/passwd"),
    ],
)
def test_a_bad_value_stops_the_start_and_is_not_repeated(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, {**GOOD, variable: value})

    assert variable in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("variable", sorted(GOOD))
def test_what_is_required_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load(Settings, {name: value for name, value in GOOD.items() if name != variable})


def test_secrets_are_not_shown() -> None:
    assert "sixteen" not in repr(load(Settings, GOOD))
