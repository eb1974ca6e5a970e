"""The whole life of a bundle in the hands of Flux, which takes the folder as it is: made, left alone, changed, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import flux as controllers
from support.bundles import built, manifests, sample_options, unpack, whole
from support.cluster import Kubectl, identity, settled, versions
from support.fake_nodes import FakeNodes
from support.flux import Flux
from support.solutions import ROOT, read

pytestmark = pytest.mark.xdist_group("flux")  # its custom resources belong to the whole cluster
CLAIM = "PersistentVolumeClaim/"


@pytest.fixture
def flux(space: Kubectl, tmp_path: Path) -> Iterator[Flux]:
    """Return a Flux that works in the namespace alone."""
    desk = tmp_path / "flux"
    desk.mkdir()
    with controllers.started(space, desk) as started:
        yield started


def word_count(fake_nodes: FakeNodes, folder: Path, **options: object) -> Path:
    """Return the unpacked bundle of a sample that has a Job, a claim and a web UI."""
    files = read(ROOT / "samples" / "word-count")
    return unpack(built(files, fake_nodes.options({**sample_options("word-count"), **options}), static=whole()), folder)


def names(folder: Path) -> set[str]:
    """Return the objects of an unpacked bundle."""
    return {identity(each) for each in manifests(folder)}


def test_flux_takes_a_bundle_as_it_is_and_keeps_its_claims(
    flux: Flux, space: Kubectl, fake_nodes: FakeNodes, tmp_path: Path
) -> None:
    bundle = word_count(fake_nodes, tmp_path / "bundle")

    flux.give(bundle)
    first = settled(space)
    flux.reconcile()
    second = versions(space)
    flux.leave()
    left = {identity(each) for each in space.objects()}

    assert first.keys() == names(bundle)
    assert second == first
    assert left == {name for name in names(bundle) if name.startswith(CLAIM)}


def test_flux_makes_a_changed_job_anew_and_prunes_what_is_no_more(
    flux: Flux, space: Kubectl, fake_nodes: FakeNodes, tmp_path: Path
) -> None:
    first = word_count(fake_nodes, tmp_path / "first")
    second = word_count(fake_nodes, tmp_path / "second", environment={"REVISION": "2"}, webui=False)

    flux.give(first)
    jobs = {job["metadata"]["name"]: job["metadata"]["uid"] for job in space.objects("jobs.batch")}
    flux.give(second)

    found = {identity(each) for each in space.objects()}
    anew = {job["metadata"]["name"]: job["metadata"]["uid"] for job in space.objects("jobs.batch")}
    assert names(first) - names(second)
    assert found == names(second)
    assert jobs.keys() == anew.keys()
    assert jobs != anew
