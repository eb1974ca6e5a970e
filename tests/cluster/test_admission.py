"""Every object that we emit, shown to a real API server with strict field validation; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml
from support import bundles
from support.bundles import Named
from support.cluster import Ended, Kubectl
from support.graphs import graph
from support.solutions import objects

NewNamespace = Callable[..., Kubectl]

SEEDS = range(50)
DRY_RUN = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
WARN = "pod-security.kubernetes.io/warn"
GROUPS = ("samples", "golden cases", "corpus", *(f"graphs {at} to {at + 9}" for at in SEEDS[::10]))


@pytest.fixture(params=GROUPS)
def emitted(request: pytest.FixtureRequest) -> list[Named]:
    if request.param == "samples":
        return list(bundles.of_samples())
    if request.param == "golden cases":
        return list(bundles.golden())
    if request.param == "corpus":
        return list(bundles.of_corpus(request.getfixturevalue("test_data")))
    first = int(request.param.split()[1])
    return list(bundles.of_graphs(SEEDS[first : first + 10]))


def _shown(space: Kubectl, named: Iterable[Named], folder: Path) -> dict[str, Ended]:
    """Show each bundle as its user does, by its kustomization."""
    return {name: space.run(*DRY_RUN, "-k", str(bundles.unpack(bundle, folder / name))) for name, bundle in named}


def test_every_bundle_is_accepted_without_a_warning(
    new_namespace: NewNamespace, emitted: list[Named], tmp_path: Path
) -> None:
    answers = _shown(new_namespace(**{WARN: "baseline"}), emitted, tmp_path)

    accepted = {name: len(ended.out.splitlines()) for name, ended in answers.items()}
    assert {name: ended.err for name, ended in answers.items() if ended.status or ended.err} == {}
    assert accepted == {name: len(objects(bundle)) for name, bundle in emitted}


def test_the_restricted_profile_is_what_pod_security_calls_restricted(
    new_namespace: NewNamespace, tmp_path: Path
) -> None:
    restricted = [graph(seed) for seed in SEEDS if graph(seed).options.get("profile") == "restricted"]
    named = [(str(at), bundles.built(made.files, made.options)) for at, made in enumerate(restricted)]

    answers = _shown(new_namespace(**{WARN: "restricted"}), named, tmp_path)

    assert {name: ended.err for name, ended in answers.items() if ended.status or ended.err} == {}
    assert len(answers) == 15


def test_pods_of_another_profile_are_warned_about(new_namespace: NewNamespace, tmp_path: Path) -> None:
    answers = _shown(new_namespace(**{WARN: "restricted"}), list(bundles.of_samples())[:1], tmp_path)

    assert [ended.err.count('would violate PodSecurity "restricted:latest"') for ended in answers.values()] == [4]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ports": [{"port": "8556"}]}, "expected numeric (int or float), got string"),
        ({"ports": [{"port": 8556}], "externalIP": "1.2.3.4"}, ".spec.externalIP: field not declared in schema"),
        ({"ports": [{"port": 8556}, {"port": 8556}]}, "duplicate entries for key"),
    ],
    ids=["a text for a number", "an unknown field", "a port twice"],
)
def test_what_is_wrong_is_refused(change: dict[str, object], told: str, space: Kubectl) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": change}

    ended = space.run(*DRY_RUN, "-f", "-", given=yaml.safe_dump(service))

    assert ended.status == 1
    assert told in ended.err


def test_a_dry_run_stores_nothing(space: Kubectl, tmp_path: Path) -> None:
    _shown(space, list(bundles.of_samples())[:1], tmp_path)

    assert space.objects() == []
