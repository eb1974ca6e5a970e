"""What the options accept, and what their JSON Schema says."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from kubernetes_client.generate import DEPLOYER
from shared.errors import InvalidOptionsError
from shared.kubernetes.options import Options

BAD_QUANTITIES = ["", "1Gi\n", "-1Gi", "1 Gi", "1gi", "Gi", "1e3", "0", "1Gi; rm", "٣Gi"]
REFUSED: list[dict[str, Any]] = [
    {"unknown": 1},
    {"replicas": -1},
    {"replicas": 101},
    {"replicas": "2"},
    {"environment": {"1A": "x"}},
    {"environment": {"A-B": "x"}},
    {"environment": {"A\n": "x"}},
    {"environment": {"A": None}},
    {"environment": {"A": [1]}},
    {"resources": {"requests": {"cpu": -1}}},
    {"resources": {"requests": {"cpu": True}}},
    {"resources": {"requests": {"memory": 0}}},
    {"resources": {"limits": {"memory": 10**15}}},
    {"sharedFolder": {"size": 0}},
    {"environment": {"A": "nul\x00"}},
    {"nodeSelector": {"a b": "x"}},
    {"nodeSelector": {"a": "b c"}},
    {"nodeSelector": {"a": "b\n"}},
    {"imagePullSecrets": ["Upper"]},
    {"imagePullPolicy": "Sometimes"},
    {"serviceType": "ExternalName"},
    {"profile": "privileged"},
    {"gpu": {"count": 0}},
    {"gpu": {"resource": "gpu"}},
    {"runAsUser": 2**31},
    {"webuiIngress": {}},
    {"webuiIngress": {"host": "*"}},
    {"webuiIngress": {"host": "a_b.example"}},
    {"webuiIngress": {"host": "apps.example.org", "annotations": {"a": "b"}}},
    {"sharedFolder": {"storageClass": ""}},
    {"sharedFolder": {"prepare": "always"}},
    {"nodes": {"a": {"kind": "cronjob"}}},
    {"nodes": {"a": {"hostNetwork": True}}},
    {"tolerations": [{"effect": "NoSchedule"}]},
    {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
    {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
]


def test_nothing_is_required() -> None:
    assert DEPLOYER.parse_options({}) == Options()


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_what_kubernetes_would_refuse_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionsError):
        DEPLOYER.parse_options(options)


@pytest.mark.parametrize("quantity", BAD_QUANTITIES)
def test_a_malformed_amount_of_memory_is_refused(quantity: str) -> None:
    with pytest.raises(InvalidOptionsError, match=r"\$\.resources\.limits\.memory"):
        DEPLOYER.parse_options({"resources": {"limits": {"memory": quantity}}})


@pytest.mark.parametrize("quantity", ["2", "0.5", "500m", "0"])
def test_an_amount_of_cores_is_accepted(quantity: str) -> None:
    options = DEPLOYER.parse_options({"resources": {"requests": {"cpu": quantity}}})

    assert options.resources.requests.cpu == quantity


@pytest.mark.parametrize("size", ["1Gi", "1.5Ti", "1000000", "20G"])
def test_an_amount_of_bytes_is_accepted(size: str) -> None:
    options = DEPLOYER.parse_options({"sharedFolder": {"size": size}})

    assert options.shared_folder.size == size


@pytest.mark.parametrize(
    ("part", "value"),
    [("cpu", 0.0005), ("cpu", 1e-7), ("memory", 1.00005), ("memory", float("nan")), ("memory", float("inf"))],
)
def test_a_number_that_kubernetes_would_not_take_is_refused(part: str, value: float) -> None:
    with pytest.raises(InvalidOptionsError, match=r"\$\.resources\.requests"):
        DEPLOYER.parse_options({"resources": {"requests": {part: value}}})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 2**64])
def test_a_variable_is_no_number_beyond_64_bits(value: float) -> None:
    with pytest.raises(InvalidOptionsError, match=r"\$\.environment"):
        DEPLOYER.parse_options({"environment": {"A": value}})


def test_the_message_names_the_place() -> None:
    with pytest.raises(InvalidOptionsError, match=r"at `\$\.webuiIngress\.host`"):
        DEPLOYER.parse_options({"webuiIngress": {"host": "Not A Host"}})


def test_text_from_a_command_line_is_read_as_the_type_that_is_expected() -> None:
    options = DEPLOYER.parse_options({"replicas": "3", "webui": "false", "runAsUser": "1000"}, from_text=True)

    assert (options.replicas, options.webui, options.run_as_user) == (3, False, 1000)


def test_digits_from_a_command_line_stay_the_text_that_they_are() -> None:
    options = DEPLOYER.parse_options({"environment": {"CODE": "0800", "ON": "true"}}, from_text=True)

    assert options.environment == {"CODE": "0800", "ON": "true"}


def test_the_schema_tells_defaults_and_meanings() -> None:
    properties = DEPLOYER.schema["$defs"]["Options"]["properties"]

    assert properties["serviceType"]["default"] == "NodePort"
    assert properties["imagePullPolicy"]["default"] == "IfNotPresent"
    assert "10001" in DEPLOYER.schema["$defs"]["SharedFolders"]["properties"]["prepare"]["description"]


def test_every_option_is_described() -> None:
    definitions = DEPLOYER.schema["$defs"]

    undescribed = [
        name
        for name, schema in definitions["Options"]["properties"].items()
        if not any("description" in part for part in _parts(schema, definitions))
    ]

    assert undescribed == []


@pytest.mark.parametrize("options", [each for each in REFUSED if "tolerations" not in each], ids=str)
def test_a_validator_with_the_schema_refuses_the_same(options: dict[str, Any]) -> None:
    assert not jsonschema_rs.validator_for(DEPLOYER.schema).is_valid(options)


def test_a_validator_with_the_schema_accepts_what_we_accept() -> None:
    options = {
        "environment": {"A": "two\nlines", "PORT": 8080, "RATE": 0.5, "DEBUG": True},
        "resources": {"requests": {"cpu": 1, "memory": 1073741824}, "limits": {"cpu": 1.5}},
        "nodes": {"a": {"gpu": None, "tolerations": [{"key": "k", "operator": "Exists"}]}},
        "webuiIngress": {"host": "*.apps.example.org"},
        "sharedFolder": {"size": "2Gi", "storageClass": "nfs.fast"},
    }

    assert DEPLOYER.parse_options(options)
    assert jsonschema_rs.validator_for(DEPLOYER.schema).is_valid(options)


def _parts(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [schema, *schema.get("anyOf", [])]
    return parts + [definitions[part["$ref"].removeprefix("#/$defs/")] for part in parts if "$ref" in part]
