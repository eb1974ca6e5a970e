"""What a namespace is to hold: the bundle's objects, and what stands around them."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
import yaml
from support.solutions import ROOT

from playground.runtime.deployment import DeploymentId, Push
from playground.runtime.kubernetes import credentials, desired, guard, record, words
from playground.runtime.kubernetes.admission import Admitted
from playground.runtime.kubernetes.record import KeptRevision
from playground.runtime.kubernetes.settings import Settings
from shared.errors import SettingsError
from shared.findings import Findings
from shared.principal import Principal
from shared.settings import Secret, load

RECORD = record.new(Push(Principal("u"), "s", None, "d", {}))
LABELS = words.labels("here", DeploymentId("x"))


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": name, "image": "i"}, {"name": "other", "image": "i"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": template, **spec}}


def wanted(*objects: dict[str, Any], awake: bool = True, **more: Any) -> list[dict[str, Any]]:
    changed = msgspec.structs.replace(RECORD, **more)
    return desired.objects(Admitted(objects, Findings(), frozenset()), changed, LABELS, [], awake=awake)


def test_asleep_means_no_pods_and_awake_as_many_as_before() -> None:
    job, three, one = workload("Job", "j"), workload("Deployment", "a", replicas=3), workload("Deployment", "b")

    asleep, awake = wanted(job, three, one, awake=False), wanted(job, three, one)

    assert [each["spec"].get("suspend", each["spec"].get("replicas")) for each in asleep] == [True, 0, 0]
    assert [each["spec"].get("suspend", each["spec"].get("replicas")) for each in awake] == [False, 3, 1]


def test_objects_and_pods_carry_the_labels_by_which_they_are_found() -> None:
    (made,) = wanted(workload("Deployment", "a"))

    assert made["metadata"]["labels"] == {"slipway.dev/playground": "here", "slipway.dev/deployment": "x"}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "a", **LABELS}


def test_a_restart_is_another_text_on_the_pods_that_are_meant() -> None:
    made = wanted(workload("Deployment", "a"), workload("Deployment", "b"), restarts={"b": "2026"})

    assert [each["spec"]["template"]["metadata"].get("annotations") for each in made] == [
        None,
        {"slipway.dev/restarted-at": "2026"},
    ]


def test_only_the_orchestrator_finds_the_token_and_only_ours() -> None:
    bundle = workload("Deployment", "orchestrator")
    bundle["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "SLIPWAY_ORCHESTRATOR_TOKEN", "value": "of the bundle"},
        {"name": "A", "value": "1"},
    ]

    pods = [each["spec"]["template"]["spec"] for each in wanted(bundle, workload("Deployment", "a"))]

    assert pods[0]["containers"][0]["env"] == [
        {"name": "A", "value": "1"},
        {"name": "SLIPWAY_ORCHESTRATOR_TOKEN_FILE", "value": "/var/run/slipway/orchestrator/token"},
    ]
    assert pods[0]["volumes"] == [{"name": "slipway-token", "secret": {"secretName": "slipway-orchestrator-token"}}]
    assert "volumes" not in pods[1]
    assert "volumeMounts" not in pods[0]["containers"][1]


def test_a_deployment_gets_the_logins_of_its_own_registries_alone() -> None:
    logins = {
        "registry.example.org": Secret('{"auth": "a"}'),
        "other.example.org": Secret('{"auth": "b"}'),
        "https://index.docker.io/v1/": Secret('{"auth": "c"}'),
    }

    made = credentials.pull_secrets(["registry.example.org", "docker.io", "none.example.org"], logins)

    contents = [json.loads(base64.b64decode(each["data"][".dockerconfigjson"]))["auths"] for each in made]
    assert contents == [
        {"https://index.docker.io/v1/": {"auth": "c"}},
        {"registry.example.org": {"auth": "a"}},
    ]
    assert {each["type"] for each in made} == {"kubernetes.io/dockerconfigjson"}


def test_the_namespace_tells_whose_it_is_without_a_name() -> None:
    revision = KeptRevision(1, "Sol ution", "r/1", "ab" * 32, 0.0, ())
    changed = msgspec.structs.replace(RECORD, current=1, revisions=(revision,))

    labels = guard.namespace_labels(load(Settings, {}), DeploymentId("x"), changed)

    assert labels["slipway.dev/owner"] == words.owner_hash("u")
    assert labels["slipway.dev/digest"] == ("ab" * 32)[:63]
    assert labels["slipway.dev/solution-id"].startswith("Sol-ution-")
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"


def test_node_ports_are_closed_unless_the_operator_opens_them() -> None:
    def quota(**environ: str) -> dict[str, str]:
        settings = load(Settings, environ)
        objects = guard.objects(settings, guard.borders(settings, "srv"), has_own_policies=True)
        hard: dict[str, str] = objects[0]["spec"]["hard"]
        return hard

    assert quota()["services.nodeports"] == "0"
    assert "services.nodeports" not in quota(SLIPWAY_PLAYGROUND_NODE_PORTS="true")


def test_what_hands_out_credentials_is_closed_whatever_the_operator_says() -> None:
    borders = guard.borders(load(Settings, {"SLIPWAY_PLAYGROUND_CLOSED_NETWORKS": "192.0.2.0/24"}), "srv")

    assert list(map(str, borders.closed)) == ["192.0.2.0/24", "169.254.169.254/32", "fd00:ec2::254/128"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REGISTRIES", "team"),
        ("REGISTRIES", "registry.example.org/a b"),
        ("CLOSED_NETWORKS", "10.0.0.1/8"),
        ("SERVICE_ACCOUNT", "only-a-name"),
        ("POD_SECURITY", "privileged"),
        ("CPU", "lots"),
        ("REGISTRY_LOGINS", "[]"),
        ("INSTALLATION", "Upper"),
        ("HELPER_IMAGE", "no image"),
    ],
)
def test_a_setting_of_another_form_stops_the_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(Settings, {f"SLIPWAY_PLAYGROUND_{variable}": value})

    assert f"SLIPWAY_PLAYGROUND_{variable}" in str(refused.value)
    assert value not in str(refused.value)


def test_logins_are_not_shown() -> None:
    settings = load(
        Settings, {"SLIPWAY_PLAYGROUND_REGISTRY_LOGINS": '{"auths": {"registry.example.org": {"auth": "canary"}}}'}
    )

    assert "canary" not in repr(settings)


def rules() -> dict[str, list[dict[str, Any]]]:
    documents = yaml.safe_load_all((ROOT / "deploy/playground/rbac.yaml").read_text(encoding="utf-8"))
    return {f"{each['kind']}/{each['metadata']['name']}": each["rules"] for each in documents if "rules" in each}


def test_the_rights_of_the_server_name_each_verb_and_no_secret_in_the_whole_cluster() -> None:
    found = rules()
    everywhere = found["ClusterRole/slipway-playground-server"]

    assert all("*" not in (*rule["verbs"], *rule["resources"]) for each in found.values() for rule in each)
    assert {verb for each in found.values() for rule in each for verb in rule["verbs"]} == {
        *("get", "list", "watch", "create", "patch", "delete", "bind")
    }
    assert not any({"secrets", "configmaps", "pods/exec"} & set(rule["resources"]) for rule in everywhere)
    assert [rule["resourceNames"] for rule in everywhere if "bind" in rule["verbs"]] == [
        ["slipway-playground-deployment"]
    ]
