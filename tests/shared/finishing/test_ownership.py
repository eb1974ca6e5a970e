"""Whose objects are there: those of others stop a run, those that others changed meanwhile are told."""

from __future__ import annotations

import pytest
from support.finishing_desk import CLAIM, service, workload

from shared.finishing.objects import instance_of
from shared.finishing.ownership import foreign, overtaken

OTHERS = {"app.kubernetes.io/instance": "other-2"}


def test_an_object_of_another_instance_is_foreign():
    assert foreign([workload(**OTHERS)], [workload()]) == ["Deployment/a (instance other-2)"]


def test_an_object_without_labels_is_foreign():
    bare = {"kind": "Deployment", "metadata": {"name": "a"}}

    assert foreign([bare], [workload()]) == ["Deployment/a (instance unknown)"]


def test_only_the_same_kind_and_name_is_in_the_way():
    assert foreign([workload(name="b", **OTHERS), service("a", **OTHERS), CLAIM], [workload(), CLAIM]) == []


def test_what_is_gone_or_of_another_revision_was_overtaken():
    newer = service(**{"slipway.dev/revision-id": "revision-2"})

    assert overtaken([newer, CLAIM], [workload(), service(), CLAIM]) == [
        "Deployment/a (gone)",
        "Service/orchestrator (revision revision-2)",
    ]


def test_a_bundle_has_one_instance():
    assert instance_of([workload(), {"kind": "Secret", "metadata": {"name": "by-hand"}}]) == "demo-1"


@pytest.mark.parametrize("objects", [[], [{"kind": "Secret", "metadata": {}}], [workload(), service(**OTHERS)]])
def test_manifests_of_no_instance_or_of_several_are_no_bundle(objects: list[dict[str, object]]):
    with pytest.raises(ValueError, match="is this one bundle"):
        instance_of(objects)
