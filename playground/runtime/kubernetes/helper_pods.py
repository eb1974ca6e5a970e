"""Makes the pods of `helper_pod` when somebody wants to look into a shared folder, and clears away those that have ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec
from lightkube import ApiError, Client
from lightkube.resources.core_v1 import Pod as ApiPod

from playground.runtime.deployment import DeploymentId
from playground.runtime.kubernetes import helper_pod, words
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.objects import Pod, manifest
from shared.errors import UnavailableError
from shared.finishing.readiness import is_pod_ready, phase_of
from shared.finishing.refusing import explained_refusal

START_SECONDS = 30.0
_OVER = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperPods:
    """See the module. Its methods may be called from many threads, and by several copies of the server."""

    client: Client
    cache: Cache
    installation: str
    image: str
    """It has `python3`."""
    pull_secrets: Sequence[str] = ()
    """In the deployment's namespace."""
    idle_seconds: float = helper_pod.IDLE_SECONDS

    def ready(self, deployment: DeploymentId, claims: Sequence[str]) -> str:
        """Return the name of a pod that is ready, which may take some seconds.

        Raises:
            UnavailableError: there is none yet, or the cluster makes none; it says why.
        """
        wanted = {made["metadata"]["name"]: made for made in self._manifests(deployment, claims)}
        end = time.monotonic() + START_SECONDS
        while True:
            version = self.cache.version
            found = [pod for pod in self.cache.pods(deployment) if pod.metadata.name in wanted]
            for pod in found:
                if is_pod_ready(manifest(pod)):
                    return pod.metadata.name
            self._clear(found)
            if not found:
                self._make(list(wanted.values()))
            if time.monotonic() > end:
                phase = phase_of(manifest(found[0])) if found else "not there yet"
                raise UnavailableError(f"the shared folder is being opened ({phase}): try again in a moment")
            self.cache.wait_changed(version, 1.0)

    def tidy(self, deployment: DeploymentId) -> None:
        """Remove the pods that have ended."""
        pods = self.cache.pods(deployment)
        self._clear([pod for pod in pods if pod.metadata.labels.get(words.PART) == words.SHARED_FOLDER_HELPER])

    def _manifests(self, deployment: DeploymentId, claims: Sequence[str]) -> list[dict[str, Any]]:
        """Return the pod that is wanted, and the one for namespaces that allow no container that runs as root."""
        return [
            helper_pod.manifest(
                deployment,
                claims,
                installation=self.installation,
                image=self.image,
                pull_secrets=self.pull_secrets,
                prepares=prepares,
                idle_seconds=self.idle_seconds,
            )
            for prepares in (True, False)
        ]

    def _make(self, manifests: list[dict[str, Any]]) -> None:
        """Make the first of the pods that the namespace allows; another copy of the server may just have done so."""
        *others, last = manifests
        for made in (*others, last):
            try:
                self.cache.note(self.client.create(msgspec.convert(made, ApiPod)))
            except ApiError as problem:
                said = problem.status.message or ""
                if problem.status.reason == "AlreadyExists":
                    return
                if "violates PodSecurity" in said and made is not last:
                    continue
                told = explained_refusal(said)[0] if problem.status.reason == "Forbidden" else "the cluster refuses"
                raise UnavailableError(f"the shared folder cannot be opened: {told}") from problem
            except httpx2.HTTPError as problem:
                raise UnavailableError("the shared folder cannot be reached now") from problem
            return

    def _clear(self, pods: Sequence[Pod]) -> None:
        for pod in pods:
            if pod.status.phase in _OVER and pod.metadata.deletion_timestamp is None:
                # Somebody else may have done so; and what cannot be done now is tried again.
                with suppress(httpx2.HTTPError):
                    self.client.delete(ApiPod, pod.metadata.name, namespace=pod.metadata.namespace, grace_period=0)
