"""Why a container that has its image does not run or does not serve: it exits, cannot be made, never gets ready. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from shared.finishing.causes import Cause, LogPlace, messages_about
from shared.finishing.objects import Manifest, name_of

# 128 + the signal, as shells have it; 126 and 127 are theirs, too.
EXIT_CODES = {
    126: "its command cannot be executed",
    127: "its command was not found",
    134: "it aborted itself",
    137: "it was killed (SIGKILL)",
    139: "it crashed (segmentation fault)",
    143: "it was ended (SIGTERM)",
}
NOT_MADE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError")


def start_cause(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Optional[Cause]:
    """Return why a container does not run or does not serve, or None while nothing is wrong with it."""
    state = status.get("state", {})
    waiting = state.get("waiting", {})
    if waiting.get("reason") in NOT_MADE:
        return _not_made(node, waiting)
    ended = state.get("terminated")
    if ended and (ended.get("exitCode") or _ends_too_early(pod, status)):
        return _exited(node, pod, status, ended, previous=False)
    last = status.get("lastState", {}).get("terminated")
    # One that runs again was not ready when it ended, and mostly ends again.
    if last and not status.get("ready") and not ended:
        return _exited(node, pod, status, last, previous=True)
    if waiting:
        return _held_up(node, pod, events)
    if "running" in state and not status.get("ready"):
        return _silent(node, pod, status, events)
    return None


def _ends_too_early(pod: Manifest, status: Dict[str, Any]) -> bool:
    """Answer whether a container that ended well was to go on; those that prepare a pod count as ready when they end."""
    return pod.get("spec", {}).get("restartPolicy", "Always") == "Always" and not status.get("ready")


def pod_cause(node: str, pod: Manifest) -> Optional[Cause]:
    """Return why a pod as a whole was put down: evicted, or its machine lost."""
    status = pod.get("status", {})
    if status.get("phase") == "Failed" and status.get("reason"):
        return Cause(node, f"its pod was put down ({status['reason']}): {status.get('message', 'no more is said')}")
    return None


def _not_made(node: str, waiting: Dict[str, Any]) -> Cause:
    told = str(waiting.get("message", waiting["reason"]))
    if "non-root" in told or "runAsNonRoot" in told:
        hint = "build the image with a numeric user, or the bundle with option runAsUser"
        return Cause(node, f"its image runs as root, which the bundle forbids ({told})", hint)
    if "not found" in told and "secret" in told:
        return Cause(node, f"its container needs something that is missing: {told}")
    return Cause(node, f"its container cannot be made: {told}")


def _exited(node: str, pod: Manifest, status: Dict[str, Any], ended: Dict[str, Any], *, previous: bool) -> Cause:
    name, code = str(status.get("name", "")), int(ended.get("exitCode", 0))
    what = "its container" if name == node else f"its container {name}"
    log = LogPlace(pod=name_of(pod), container=name, previous=previous)
    times = int(status.get("restartCount", 0))
    again = f", restarted {times} times" if times > 1 else ", restarted once" if times else ""
    if ended.get("reason") == "OOMKilled":
        limit = _memory_limit(pod, name)
        hint = "build the bundle with a higher resources.limits.memory"
        return Cause(node, f"{what} needs more memory than its limit of {limit} and was killed{again}", hint, log)
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return Cause(node, f"{what} cannot start: {ended.get('message', ended['reason'])}")
    meaning = f" ({EXIT_CODES[code]})" if code in EXIT_CODES else ""
    hint = "a node is to serve for ever; one that ends is of kind job (option nodes)" if code == 0 else ""
    return Cause(node, f"{what} exits with status {code}{meaning}{again}", hint, log)


def _memory_limit(pod: Manifest, name: str) -> str:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == name:
            return str(container.get("resources", {}).get("limits", {}).get("memory", "the machine's own"))
    return "unknown size"


def _held_up(node: str, pod: Manifest, events: List[Manifest]) -> Optional[Cause]:
    """Explain a container that is still to be made: mostly a volume that cannot be mounted."""
    told = messages_about(pod, events, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
    return Cause(node, f"its container waits: {told[0]}") if told else None


def _silent(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Cause:
    name = str(status.get("name", ""))
    told = messages_about(pod, events, "Unhealthy")
    port = _probed_port(pod, name)
    answer = f"does not answer on port {port}" if port else "is not ready"
    what = f"its container runs, but {answer}{f' ({told[0]})' if told else ''}"
    hint = "a node serves gRPC on port 8061; one that does not gets option probes: none" if port == "8061" else ""
    if told and "grpc health protocol" in told[0]:
        hint = "build the bundle with probes: tcp for this node, which only asks whether the port is open"
    return Cause(node, what, hint, LogPlace(pod=name_of(pod), container=name, previous=False))


def _probed_port(pod: Manifest, name: str) -> str:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == name:
            probe = container.get("startupProbe") or container.get("readinessProbe") or {}
            return str((probe.get("tcpSocket") or probe.get("grpc") or {}).get("port", ""))
    return ""
