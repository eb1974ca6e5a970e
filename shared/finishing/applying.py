"""Brings the namespace to what the bundle says: stage by stage, then without what an older revision left behind.

Every step may be repeated, and so may the whole after it was stopped anywhere.
"""

from __future__ import annotations

import time
from typing import Callable, List

from shared.finishing.changes import DELETED, KEPT, REPLACED, Change, changes_between, tally
from shared.finishing.connection import is_terminating, unchangeable_claims, unchangeable_jobs
from shared.finishing.kubectl import Kubectl, KubectlError
from shared.finishing.objects import Manifest, key_of, name_of
from shared.finishing.pruning import to_prune
from shared.finishing.refusing import explained_refusal
from shared.finishing.stages import in_stages

TERMINATING_SECONDS = 60.0
TERMINATING_PAUSE_SECONDS = 3.0

Say = Callable[[str], None]


class Application:
    """One run over all stages; what it did is in `changes`, what then is in `objects`."""

    def __init__(self, kubectl: Kubectl, existing: List[Manifest], *, say: Say, dry_run: bool = False) -> None:
        self._kubectl = kubectl
        self._existing = existing
        self._say = say
        self._dry_run = dry_run
        self.changes: List[Change] = []
        self.objects: List[Manifest] = []

    def apply(self, manifests: List[Manifest]) -> None:
        """Apply all stages in order.

        Raises:
            KubectlError: the cluster refuses something; the stages before it are applied.
        """
        for stage, group in in_stages(manifests):
            applied = self._stage(stage, group)
            self.objects += applied
            self._say(f"{stage}: {tally([c for c in self.changes if (c.kind, c.name) in set(map(key_of, group))])}")

    def prune(self, manifests: List[Manifest]) -> None:
        """Delete what an older revision of the same solution had and this one has not."""
        old = to_prune(self._existing, manifests)
        if not old:
            return
        if not self._dry_run:
            self._kubectl.delete(old)
        self.changes += [Change(*key_of(manifest), DELETED) for manifest in old]
        self._say(f"of an older revision: {len(old)} deleted")

    def _stage(self, stage: str, group: List[Manifest]) -> List[Manifest]:
        try:
            applied = self._kubectl.apply(group, dry_run=self._dry_run)
        except KubectlError as problem:
            jobs, claims = unchangeable_jobs(problem.told), unchangeable_claims(problem.told)
            if not jobs and not claims:
                raise _refused(stage, problem) from problem
            return self._without_changing(stage, group, jobs=jobs, claims=claims)
        self.changes += changes_between(self._existing, applied)
        return applied

    def _without_changing(
        self, stage: str, group: List[Manifest], *, jobs: List[str], claims: List[str]
    ) -> List[Manifest]:
        """Make Jobs anew that are others now, and leave claims alone that cannot become what they should."""
        old = [manifest for manifest in group if manifest["kind"] == "Job" and name_of(manifest) in jobs]
        kept = [m for m in group if m["kind"] == "PersistentVolumeClaim" and name_of(m) in claims]
        if old and not self._dry_run:
            self._kubectl.delete(old)
        rest = [m for m in group if m not in kept and not (self._dry_run and m in old)]
        try:
            applied = self._kubectl.apply(rest, dry_run=self._dry_run) if rest else []
        except KubectlError as problem:
            raise _refused(stage, problem) from problem
        others = [manifest for manifest in applied if name_of(manifest) not in jobs or manifest["kind"] != "Job"]
        self.changes += [
            *changes_between(self._existing, others),
            *(Change(*key_of(manifest), REPLACED) for manifest in old),
            *(Change(*key_of(manifest), KEPT) for manifest in kept),
        ]
        for manifest in kept:
            self._say(
                f"claim {name_of(manifest)} stays as it is: its size or class cannot become what the bundle asks for"
            )
        return applied


def ensure_namespace(kubectl: Kubectl, *, create: bool, say: Say) -> bool:
    """Make sure that the namespace is there, and answer whether it is new; one that is being deleted is waited for.

    Raises:
        KubectlError: it is missing and may not be created, or goes on being deleted.
    """
    if not create:
        return _demand_namespace(kubectl, "and --no-create-namespace was given")
    end, waiting = time.monotonic() + TERMINATING_SECONDS, False
    while True:
        found = kubectl.create_namespace()
        if found == "created":
            say(f"namespace {kubectl.namespace}: created")
            return True
        if found == "there":
            return False
        if found == "forbidden":
            return _demand_namespace(kubectl, "and you may not create it: ask whoever runs the cluster for one")
        if time.monotonic() >= end:
            raise KubectlError(_still_terminating(kubectl))
        if not waiting:
            say(f"namespace {kubectl.namespace} is being deleted; waiting for it to be gone")
            waiting = True
        time.sleep(TERMINATING_PAUSE_SECONDS)


def _demand_namespace(kubectl: Kubectl, why: str) -> bool:
    found = kubectl.find("namespace", kubectl.namespace)
    if found is None:
        raise KubectlError(f"namespace {kubectl.namespace} does not exist, {why}")
    if found.get("status", {}).get("phase") == "Terminating":
        raise KubectlError(_still_terminating(kubectl))
    return False


def _still_terminating(kubectl: Kubectl) -> str:
    """Say what holds a namespace up; the cluster keeps the reasons in its conditions."""
    found = kubectl.find("namespace", kubectl.namespace) or {}
    conditions = found.get("status", {}).get("conditions", [])
    held = [str(c.get("message", "")) for c in conditions if c.get("status") == "True"]
    why = f" (held up: {' '.join(held)})" if held else ""
    return f"namespace {kubectl.namespace} is being deleted{why}: try again when it is gone, or choose another one"


def _refused(stage: str, problem: KubectlError) -> KubectlError:
    """Return what the cluster's refusal means to a person."""
    if is_terminating(problem.told):
        return KubectlError(f"{stage}: the namespace is being deleted: try again when it is gone", problem.told)
    what, hint = explained_refusal(problem.told)
    if "quota" in what or "limit range" in what:
        return KubectlError(f"{stage}: {what}; {hint}", problem.told)
    return KubectlError(f"{stage}: {problem}", problem.told)
