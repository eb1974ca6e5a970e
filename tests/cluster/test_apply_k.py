"""The whole life of a bundle by `kubectl apply -k` alone, on fake nodes: made, made again, removed."""

from __future__ import annotations

from pathlib import Path

from support.bundles import manifests
from support.cluster import INSTANCE, KINDS, Kubectl, identity, settled, versions

CLAIMS = "persistentvolumeclaims"
ALL_BUT_CLAIMS = KINDS.replace(f"{CLAIMS},", "")


def test_a_bundle_comes_up_stays_as_it_is_and_goes(bundle_folder: Path, space: Kubectl) -> None:
    expected = {identity(each) for each in manifests(bundle_folder)}

    space("apply", "-k", str(bundle_folder))
    first = settled(space)
    again = space("apply", "-k", str(bundle_folder))
    second = versions(space)
    space("delete", ALL_BUT_CLAIMS, "-l", INSTANCE)
    left = {identity(each) for each in space.objects()}
    space("delete", "-k", str(bundle_folder), "--ignore-not-found")

    assert first.keys() == expected
    assert {line.rpartition(" ")[2] for line in again.splitlines()} == {"unchanged"}
    assert second == first
    assert left == {name for name in expected if name.startswith("PersistentVolumeClaim/")}
    assert space.objects() == []
