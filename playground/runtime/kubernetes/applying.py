"""Brings the namespace of a deployment to what its record wants. Every step may be repeated, and so may the whole.

First comes what stands around the deployment, then a trial of all objects of a new revision, so that one that the API
server refuses changes nothing; then the stages of the finishing script, and its rules of what goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.runtime.deployment import DeploymentId
from playground.runtime.kept import Goal
from playground.runtime.kubernetes import admission, credentials, desired, guard, words
from playground.runtime.kubernetes.admission import Admitted, Rules
from playground.runtime.kubernetes.api import RefusedError
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.cluster import FORBIDDEN, INVALID, Cluster, is_passing
from playground.runtime.kubernetes.packs import Packs
from playground.runtime.kubernetes.records import Kept
from playground.runtime.kubernetes.settings import Settings
from shared.errors import InvalidSolutionError
from shared.finishing import pruning
from shared.finishing.objects import title_of
from shared.finishing.refusing import explained_refusal
from shared.finishing.stages import in_stages

_TOKEN_BYTES = 32
_GRACE_SECONDS = 2  # of pods whose data are about to go: there is nothing to save
_IMMUTABLE = "field is immutable"
# What stands in every bundle and a revision may lose; claims and Secrets never go by themselves.
_LOOKED_AT = ("Deployment", "Job", "Service", "NetworkPolicy", "ConfigMap", "ServiceAccount")

Manifest = dict[str, Any]


class NotYetError(Exception):
    """Something has to happen in the cluster first: try again soon."""


class HopelessError(Exception):
    """The wish cannot be fulfilled without another bundle; the message says why."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What was done."""

    notes: tuple[str, ...] = ()
    """For the owner."""
    has_emptied: bool = False
    """The claims that were to go have gone: now what runs on new ones can begin."""


class Applier:
    """Works on one deployment at a time per call; safe to use from many threads."""

    def __init__(self, cluster: Cluster, cache: Cache, packs: Packs, settings: Settings, rules: Rules) -> None:
        self._cluster = cluster
        self._cache = cache
        self._packs = packs
        self._settings = settings
        self._rules = rules

    def bring(self, kept: Kept) -> Brought:
        """Do what the record wants.

        Raises:
            NotYetError: it is on its way; ask again.
            HopelessError: see there.
            UnreachableError, RefusedError: as the API says; ask again later.
            UnavailableError: the files of the revision cannot be read now.
        """
        record = kept.record
        if not record.has_objects:
            return Brought()
        try:
            files = self._packs.files(kept.id, record, record.revision)
            admitted = admission.admitted(files, record.solution_name, record.revision.ids, self._rules)
        except InvalidSolutionError as refused:
            raise HopelessError("; ".join(str(finding) for finding in refused.findings.errors[:3])) from refused
        labels = words.labels(self._settings.installation, kept.id)
        pulls = credentials.pull_secrets(admitted.registries, self._settings.logins)
        # Through a pod of its own a shared folder is looked at.
        helper = credentials.for_image(self._settings.helper_image, self._settings.logins)
        self._guard(kept, admitted, [*pulls, *helper])
        if record.emptying is not None:
            self._empty(kept, record.emptying.claims)
            return Brought(has_emptied=True)
        wanted = desired.objects(admitted, record, labels, pulls, awake=record.goal is Goal.RUN)
        if record.checked != record.current:
            self._try(kept, wanted)
        existing = self._existing(kept)
        notes = [note for _, group in in_stages(wanted) for each in group for note in self._apply(kept, each)]
        return Brought((*notes, *self._prune(kept, existing, wanted)))

    def bind(self, deployment: DeploymentId) -> None:
        """Give the server its rights in a namespace that it has made."""
        binding = guard.role_binding(self._settings)
        if binding is not None:
            labels = words.labels(self._settings.installation, deployment, part=words.GUARD)
            self._cluster.create(desired.labelled(binding, labels), deployment)

    def _guard(self, kept: Kept, admitted: Admitted, pulls: Sequence[Manifest]) -> None:
        """Apply what stands around the deployment, before anything of it is there."""
        self.bind(kept.id)
        installation = self._settings.installation
        around = words.labels(installation, kept.id, part=words.GUARD)
        has_own = admission.has_policies(admitted.objects)
        for each in guard.objects(self._settings, self._rules.borders, has_own_policies=has_own):
            self._cluster.apply(desired.labelled(each, around), kept.id)
        secret = words.labels(installation, kept.id, part=words.CREDENTIALS)
        for each in pulls:
            self._cluster.apply(desired.labelled(each, secret), kept.id)
        if any(map(desired.is_orchestrator, admitted.objects)):
            # Made once: a token that changed would lock the orchestrator's door until its pod is a new one.
            token = credentials.token_secret(secrets.token_urlsafe(_TOKEN_BYTES))
            if self._cluster.get("Secret", kept.id, words.ORCHESTRATOR_TOKEN) is None:
                self._cluster.create(desired.labelled(token, secret), kept.id)

    def _try(self, kept: Kept, wanted: Sequence[Manifest]) -> None:
        """Show all objects to the API server; nothing is stored."""
        for each in wanted:
            try:
                self._cluster.apply(each, kept.id, is_trial=True)
            except RefusedError as refused:
                if not _is_settled_later(each, refused):
                    _refuse(each, refused)

    def _apply(self, kept: Kept, wanted: Manifest) -> Iterator[str]:
        try:
            self._cache.note(self._cluster.apply(wanted, kept.id))
        except RefusedError as refused:
            if wanted["kind"] == "Job" and _IMMUTABLE in refused.message:
                self._cluster.delete("Job", kept.id, wanted["metadata"]["name"])
                self._cache.note(self._cluster.apply(wanted, kept.id))
            elif _is_settled_later(wanted, refused) and self._is_there(kept, wanted):
                yield f"{title_of(wanted)} stays as it is: its size or class cannot become what the bundle asks for"
            else:
                _refuse(wanted, refused)

    def _is_there(self, kept: Kept, wanted: Manifest) -> bool:
        return self._cluster.get(wanted["kind"], kept.id, wanted["metadata"]["name"]) is not None

    def _existing(self, kept: Kept) -> list[Manifest]:
        selector = f"{words.DEPLOYMENT}={kept.id},!{words.PART}"
        return [each for kind in _LOOKED_AT for each in self._cluster.all(kind, kept.id, selector)]

    def _prune(self, kept: Kept, existing: list[Manifest], wanted: list[Manifest]) -> Iterator[str]:
        """Delete what a former revision had and this one has not."""
        try:
            old = pruning.to_prune(existing, wanted)
        except ValueError:  # the objects say that they are of several bundles: nobody knows what is old
            return
        for each in old:
            self._cluster.delete(each["kind"], kept.id, each["metadata"]["name"], uid=each["metadata"]["uid"])
        if old:
            yield f"of a former revision: {', '.join(map(title_of, old[:5]))}{' …' if len(old) > 5 else ''} deleted"  # noqa: PLR2004

    def _empty(self, kept: Kept, claims: Mapping[str, str]) -> None:
        """Stop everything and delete these claims; return when they have gone."""
        selector = f"{words.DEPLOYMENT}={kept.id}"
        for workload in self._cluster.all("Deployment", kept.id, selector):
            if workload["spec"].get("replicas") != 0:
                name = workload["metadata"]["name"]
                self._cluster.merge("Deployment", kept.id, name, {"spec": {"replicas": 0}})
        for job in self._cluster.all("Job", kept.id, selector):
            self._cluster.delete("Job", kept.id, job["metadata"]["name"], uid=job["metadata"]["uid"])
        pods = self._cluster.all("Pod", kept.id, selector)
        for pod in pods:
            if "deletionTimestamp" not in pod["metadata"]:
                self._cluster.delete("Pod", kept.id, pod["metadata"]["name"], grace_seconds=_GRACE_SECONDS)
        if pods:
            raise NotYetError
        left = [
            (name, uid)
            for name, uid in claims.items()
            if (found := self._cluster.get("PersistentVolumeClaim", kept.id, name)) is not None
            and found["metadata"]["uid"] == uid
        ]
        for name, uid in left:
            self._cluster.delete("PersistentVolumeClaim", kept.id, name, uid=uid)
        if left:
            raise NotYetError


def _is_settled_later(wanted: Manifest, refused: RefusedError) -> bool:
    """Tell whether a refusal is about what exists already and does not change: a Job, or a claim."""
    if wanted["kind"] == "Job":
        return _IMMUTABLE in refused.message
    return wanted["kind"] == "PersistentVolumeClaim" and refused.code in {FORBIDDEN, INVALID}


def _refuse(wanted: Manifest, refused: RefusedError) -> None:
    """Raise what a refusal means: some pass, most are for the author of the bundle."""
    if is_passing(refused) or (refused.code == FORBIDDEN and "quota" not in refused.message):
        raise refused
    what, hint = explained_refusal(refused.message)
    is_known = "quota" in what or "limit range" in what
    text = f"{what}; {hint}" if is_known else f"the cluster refuses it: {refused.message}"
    raise HopelessError(f"{title_of(wanted)}: {text}") from refused
