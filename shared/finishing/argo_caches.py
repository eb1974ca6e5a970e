"""What Argo keeps of steps that are cached: ConfigMaps that it makes itself, where its controller is, and never empties.

Argo replaces all labels with its own, so they are known by their names, in which namespace and instance stand.
"""

from __future__ import annotations

from typing import List

from shared.finishing.connection import is_forbidden
from shared.finishing.kubectl import Kubectl, KubectlError, objects_in
from shared.finishing.objects import Manifest, name_of
from shared.finishing.speaking import say, warn

CACHES = "configmaps"
CACHE_SELECTOR = "workflows.argoproj.io/configmap-type=Cache"
# A ConfigMap takes 1 MiB; what does not fit any more, Argo does not keep, and only its log says so.
NEARLY_FULL_BYTES = 768 * 1024


def is_caching(workflow: Manifest) -> bool:
    """Answer whether a workflow has a step whose output is kept."""
    return any("memoize" in template for template in workflow["spec"].get("templates", []))


def caches_of(kubectl: Kubectl, instance: str) -> List[Manifest]:
    """Return the ConfigMaps with what is kept for this workflow, as far as they may be seen."""
    places = (["--all-namespaces"], ["-n", kubectl.namespace])
    for place in places:
        try:
            found = objects_in(kubectl.run("get", CACHES, *place, "-o", "json", "-l", CACHE_SELECTOR))
        except KubectlError as problem:
            if not is_forbidden(problem.told):
                raise
        else:
            return [each for each in found if name_of(each).startswith(f"{kubectl.namespace}.{instance}-cache-")]
    return []


def remove_full_caches(kubectl: Kubectl, instance: str) -> None:
    """Remove what would soon be full: Argo makes it anew, and its step runs again once for each input."""
    full = [each for each in caches_of(kubectl, instance) if bytes_in(each) > NEARLY_FULL_BYTES]
    for cache in full:
        if has_removed(kubectl, cache):
            say(f"cache {name_of(cache)} was nearly full ({bytes_in(cache) // 1024} KiB of 1024) and is removed")


def has_removed(kubectl: Kubectl, cache: Manifest) -> bool:
    """Remove one and return True; where that is not allowed, say who can."""
    name, place = name_of(cache), str(cache["metadata"].get("namespace", kubectl.namespace))
    try:
        kubectl.run("delete", CACHES, name, "-n", place, "--ignore-not-found")
    except KubectlError as problem:
        if not is_forbidden(problem.told):
            raise
        warn(f"cache {name} stays: you may not delete ConfigMaps in namespace {place}; whoever looks after Argo can")
        return False
    return True


def bytes_in(cache: Manifest) -> int:
    """Return how much is in a ConfigMap."""
    return sum(len(text.encode()) for entry in (cache.get("data") or {}).items() for text in entry)
