"""Deletes what belongs to the instance, and nothing else: claims on request only, the namespace only if it was ours alone."""

from __future__ import annotations

from typing import List

from shared.finishing.causes import listed_names
from shared.finishing.changes import DELETED, KEPT, Change
from shared.finishing.connection import is_still_there
from shared.finishing.kubectl import KubectlError
from shared.finishing.objects import Manifest, key_of, name_of, of_kinds
from shared.finishing.pruning import PRUNED_RESOURCES, is_our_namespace, remaining
from shared.finishing.report import EXIT_DONE
from shared.finishing.session import Session

CLAIMS = "persistentvolumeclaims"
# Lists that the cluster makes up while it answers: reading them costs much, and nobody keeps anything there.
COMPUTED_GROUPS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")


def delete(session: Session) -> int:
    """Delete the deployment and return the exit status. Done twice, it finds nothing the second time."""
    kubectl, say, dry_run = session.kubectl, session.terminal.say, session.chosen.dry_run
    session.doing("looking for what belongs to this solution")
    namespace = kubectl.find("namespace", kubectl.namespace)
    if namespace is None:
        say(f"namespace {kubectl.namespace} does not exist: there is nothing to delete")
        return EXIT_DONE
    found = kubectl.get(f"{PRUNED_RESOURCES},{CLAIMS},secrets", session.selector)
    claims = of_kinds(found, "PersistentVolumeClaim")
    kept = [] if session.chosen.delete_data else claims
    doomed = [manifest for manifest in found if manifest not in kept]
    session.report.changes = [Change(*key_of(m), DELETED) for m in doomed] + [Change(*key_of(m), KEPT) for m in kept]
    if dry_run:
        return _would_delete(session)
    session.doing("deleting; run the same command again to delete the rest")
    if doomed:
        kubectl.delete(doomed)
    say(f"{len(doomed)} objects of {session.instance} deleted")
    if kept:
        names = listed_names([name_of(claim) for claim in kept])
        say(f"kept with the data on them: claim {names}; --delete-data deletes them, too")
    if is_our_namespace(namespace):
        _delete_namespace(session, namespace)
    return EXIT_DONE


def _would_delete(session: Session) -> int:
    for change in session.report.changes:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say("nothing was deleted")
    return EXIT_DONE


def _delete_namespace(session: Session, namespace: Manifest) -> None:
    """Delete the namespace that we made, unless somebody may miss something in it."""
    kubectl = session.kubectl
    session.doing("looking whether the namespace is empty")
    try:
        left = remaining(_everything(session), session.instance)
    except KubectlError as problem:
        session.terminal.say(f"namespace {kubectl.namespace} stays: not all that is in it can be seen ({problem})")
        return
    if left:
        session.terminal.say(f"namespace {kubectl.namespace} stays: {listed_names(left)} is in it")
        return
    session.doing("deleting the namespace")
    session.report.changes.append(Change("Namespace", kubectl.namespace, DELETED))
    try:
        kubectl.delete([namespace])
    except KubectlError as problem:
        if not is_still_there(problem.told):
            raise
        session.terminal.say(f"namespace {kubectl.namespace} is being deleted, which takes a while")
        return
    session.terminal.say(f"namespace {kubectl.namespace} deleted: this script had made it, and nothing else was in it")


def _everything(session: Session) -> List[Manifest]:
    """Return all objects in the namespace, of whatever kind the cluster knows."""
    listed = session.kubectl.run("api-resources", "--verbs=list", "--namespaced", "-o", "name")
    kinds = [kind for kind in listed.split() if not kind.endswith(COMPUTED_GROUPS)]
    return session.kubectl.get(",".join(kinds))
