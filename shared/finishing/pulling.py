"""Why an image cannot be pulled: which image, which registry, and what is wrong with the pull secret. Pure.

The kubelet hands on the words of the container runtime, which differ between runtimes and registries; what they have
in common is looked for, and the words themselves are always shown where nothing is recognised.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple

from shared.finishing.causes import Cause, messages_about
from shared.finishing.objects import Manifest

PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable")
DEFAULT_REGISTRY = "docker.io"

# The order counts: "denied: requested access, or does not exist" is about access, and a "429" about neither.
SYMPTOMS: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("limit", ("toomanyrequests", "too many requests", "rate limit")),
    ("login", ("unauthorized", "authentication required", "authorization", "denied", "forbidden", "no basic auth")),
    ("trust", ("x509", "certificate", "server gave http response to https client")),
    ("platform", ("no match for platform", "no matching manifest")),
    ("missing", ("not found", "manifest unknown", "name unknown", "no such image", "not exist")),
    (
        "unreachable",
        (
            "no such host",
            "refused",
            "timeout",
            "timed out",
            "deadline exceeded",
            "unreachable",
            "no route",
            "misbehaving",
        ),
    ),
)


def pull_cause(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Optional[Cause]:
    """Return why the image of a container cannot be pulled, or None when it is not about its image."""
    waiting = status.get("state", {}).get("waiting", {})
    if waiting.get("reason") not in PULL_REASONS:
        return None
    image = _wanted_image(pod, status)
    about = f"{image} of its container {status.get('name')}" if _prepares(pod, status) else image
    if waiting["reason"] == "InvalidImageName":
        return Cause(node, "this is no name of an image", "mend the name in the solution", about=about)
    if waiting["reason"] == "ErrImageNeverPull":
        hint = "load it there, or choose --image_pull_policy IfNotPresent"
        return Cause(node, "the image is not on the machine, and the pull policy is Never", hint, about=about)
    told = _told_by_runtime(pod, waiting, events, image)
    what, hint = _explained(image, told, pod, events)
    return Cause(node, f"the image cannot be pulled: {what}", hint, about=about)


def registry_of(image: str) -> str:
    """Return the host that an image comes from."""
    first, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else DEFAULT_REGISTRY


def symptom_of(told: str) -> str:
    """Return what the words of a container runtime are about: `limit`, `login`, `missing`, …, or nothing."""
    lowered = told.lower()
    return next((name for name, words in SYMPTOMS if any(word in lowered for word in words)), "")


def _wanted_image(pod: Manifest, status: Dict[str, Any]) -> str:
    spec = pod.get("spec", {})
    for container in spec.get("containers", []) + spec.get("initContainers", []):
        if container.get("name") == status.get("name"):
            return str(container.get("image", ""))
    return str(status.get("image", ""))


def _prepares(pod: Manifest, status: Dict[str, Any]) -> bool:
    """Answer whether a container only prepares the pod; its image is another one than the node's."""
    return status.get("name") in [container.get("name") for container in pod.get("spec", {}).get("initContainers", [])]


def _told_by_runtime(pod: Manifest, waiting: Dict[str, Any], events: List[Manifest], image: str) -> str:
    """Return the most telling words: while the kubelet backs off, older ones say only that it does."""
    told = str(waiting.get("message", ""))
    if told and not re.fullmatch(r'Back-off pulling image ".*"', told):
        return told
    failures = [message for message in messages_about(pod, events, "Failed") if image in message]
    return next((message for message in failures if "pull" in message.lower()), told)


def _explained(image: str, told: str, pod: Manifest, events: List[Manifest]) -> Tuple[str, str]:
    registry = registry_of(image)
    symptom = symptom_of(told)
    # A secret that is missing is the cause whatever the registry says to somebody without a login.
    lost = _missing_secrets(pod, events)
    if lost:
        names = ", ".join(lost)
        return f"secret {names}, which the pod names, is missing in the namespace", _secret_hint(lost[0])
    if symptom == "login":
        return _login(registry, pod)
    hints = {
        "missing": (f"registry {registry} has no such image", "push it, or mend its name and tag in the solution"),
        "limit": (f"registry {registry} refuses more downloads for now", "wait, or log in with --secret_name"),
        "trust": (f"the machine does not trust registry {registry} ({_end(told)})", "ask who runs the cluster"),
        "platform": ("it is not made for the processor of the machine", "build the image for that processor, too"),
        "unreachable": (
            f"the machine cannot reach registry {registry} ({_end(told)})",
            "check the host in the image's name, and the cluster's way out",
        ),
    }
    return hints.get(symptom, (told or "the cluster does not say why", ""))


def _login(registry: str, pod: Manifest) -> Tuple[str, str]:
    """Explain a refusal; many registries answer so for an image that does not exist."""
    named = [str(secret.get("name", "")) for secret in pod.get("spec", {}).get("imagePullSecrets", [])]
    if not named:
        what = f"registry {registry} has no such image, or wants a login, and the pod names no pull secret"
        return what, _secret_hint("NAME")
    what = f"registry {registry} has no such image, or does not accept the login in secret {', '.join(named)}"
    return what, f"check that the secret holds a login for {registry}, and the image's name"


def _missing_secrets(pod: Manifest, events: List[Manifest]) -> List[str]:
    named = [str(secret.get("name", "")) for secret in pod.get("spec", {}).get("imagePullSecrets", [])]
    told = " ".join(messages_about(pod, events, "FailedToRetrieveImagePullSecret"))
    found = [name for name in re.findall(r"[a-z0-9.-]+", told.rpartition("(")[2].partition(")")[0]) if name in named]
    return sorted(set(found), key=named.index)


def _end(told: str) -> str:
    """Return the last of the causes, which Go programs put behind each other: what came before repeats the image."""
    return ": ".join(told.split(": ")[-2:])


def _secret_hint(name: str) -> str:
    return f"run again with --secret_name {name} --path_docker_secret ~/.docker/config.json, which creates it"
