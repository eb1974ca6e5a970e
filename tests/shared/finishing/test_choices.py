"""What the person who deploys adds to a workload."""

from __future__ import annotations

import pytest
from support.finishing_desk import service, workload

from shared.finishing.choices import rules_of, with_choices

NOTHING = {"pull_policy": None, "pull_secret": None, "rules": []}


def pod_of(manifest: dict[str, object], **choices: object) -> dict[str, object]:
    return with_choices(manifest, **{**NOTHING, **choices})["spec"]["template"]["spec"]


def test_a_rule_reaches_the_images_that_begin_like_its_pattern():
    rule = {"docker_image_pattern": "registry.example/a", "name": "KEY", "value": "new"}
    job = workload("Job", image="registry.example/a:1")
    job["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "KEY", "value": "old"},
        {"name": "B", "value": ""},
    ]

    assert pod_of(job, rules=[rule])["containers"][0]["env"] == [
        {"name": "B", "value": ""},
        {"name": "KEY", "value": "new"},
    ]


def test_a_rule_for_other_images_changes_nothing():
    rule = {"docker_image_pattern": ".*/b", "name": "KEY", "value": "new"}

    assert with_choices(workload(), **{**NOTHING, "rules": [rule]}) == workload()


def test_the_pull_policy_reaches_the_containers_that_prepare_the_pod_too():
    manifest = workload()
    manifest["spec"]["template"]["spec"]["initContainers"] = [{"name": "prepare", "image": "b"}]

    pod = pod_of(manifest, pull_policy="Never")

    assert [c["imagePullPolicy"] for c in pod["containers"] + pod["initContainers"]] == ["Never", "Never"]


def test_a_pull_secret_joins_those_of_the_bundle_once():
    manifest = workload()
    manifest["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "first"}]

    once = with_choices(manifest, **{**NOTHING, "pull_secret": "mine"})

    assert pod_of(once, pull_secret="mine")["imagePullSecrets"] == [{"name": "first"}, {"name": "mine"}]


def test_what_makes_no_pods_stays_as_it_is():
    assert with_choices(service(), pull_policy="Always", pull_secret="mine", rules=[]) == service()


def test_a_configuration_without_rules_has_none():
    assert rules_of({"host": "x"}) == []


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"environment_variables": {}},
        {"environment_variables": ["x"]},
        {"environment_variables": [{"docker_image_pattern": "a", "name": "A"}]},
        {"environment_variables": [{"docker_image_pattern": "a", "name": "A", "value": 1}]},
        {"environment_variables": [{"docker_image_pattern": "(", "name": "A", "value": "1"}]},
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(config: object):
    with pytest.raises(ValueError, match="expected"):
        rules_of(config)
