"""The main action: refuse what is not ours, apply, prune, wait, explain, tell the addresses."""

from __future__ import annotations

from typing import List

from shared.finishing.addresses import ORCHESTRATOR, node_port
from shared.finishing.applying import Application
from shared.finishing.arguments import PATIENCE_SECONDS
from shared.finishing.bundle_files import DOCKERINFO, write_orchestrator_port
from shared.finishing.causes import listed_names
from shared.finishing.changes import CREATED, UNCHANGED, Change
from shared.finishing.diagnosis import Snapshot
from shared.finishing.kubectl import KubectlError
from shared.finishing.objects import WORKLOAD_KINDS, Manifest, key_of, name_of, of_kinds
from shared.finishing.ownership import foreign, overtaken
from shared.finishing.progress import summary
from shared.finishing.pruning import FOLLOWED_KINDS, FOLLOWED_RESOURCES, followed
from shared.finishing.report import EXIT_DONE, EXIT_FAILED, EXIT_NOT_READY
from shared.finishing.session import Session
from shared.finishing.telling import note_nodes, tell_addresses, tell_state
from shared.finishing.waiting import survey, wait


def deploy(session: Session) -> int:
    """Bring the namespace to what the bundle says, and return the exit status."""
    session.doing("making sure of the namespace")
    is_new = session.ensure_namespace()
    manifests = session.pull_secret() + session.manifests
    existing = [] if is_new else existing_objects(session, manifests)
    session.doing("applying")
    application = Application(session.kubectl, existing, say=session.terminal.say)
    try:
        application.apply(manifests)
        _tell_playground(session, application.objects)
        application.prune(manifests)
    finally:
        session.report.changes = application.changes
    return _wait(session, application.objects)


def would_deploy(session: Session) -> int:
    """Tell what a deployment would change, as the API server answers a dry run, and return the exit status."""
    session.doing("asking what would change")
    manifests = session.pull_secret() + session.manifests
    if session.kubectl.find("namespace", session.kubectl.namespace) is None:
        return _would_create_all(session, manifests)
    existing = existing_objects(session, manifests)
    application = Application(session.kubectl, existing, say=lambda _: None, dry_run=True)
    application.apply(manifests)
    application.prune(manifests)
    session.report.changes = application.changes
    changed = [change for change in application.changes if change.what != UNCHANGED]
    for change in changed:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say(f"{len(application.changes) - len(changed)} objects stay as they are; nothing was written")
    return EXIT_DONE


def existing_objects(session: Session, manifests: List[Manifest]) -> List[Manifest]:
    """Return what is in the namespace of the kinds that a bundle has, once it is sure that nothing is in our way.

    Raises:
        KubectlError: objects of somebody else stand there under our names.
    """
    session.doing("looking for objects of others")
    added = {str(m["kind"]).lower() for m in manifests if m["kind"] not in (*FOLLOWED_KINDS, "Secret", "Namespace")}
    found = session.kubectl.get(",".join([FOLLOWED_RESOURCES, *sorted(added)]))
    # Secrets are looked at by name: most people may not list them, and nobody should read more of them than they must.
    for secret in of_kinds(manifests, "Secret"):
        there = session.kubectl.find("secret", name_of(secret))
        found += [there] if there else []
    others = foreign(found, manifests)
    if others:
        raise KubectlError(f"not ours, left untouched: {', '.join(others)}; choose another namespace")
    return found


def _would_create_all(session: Session, manifests: List[Manifest]) -> int:
    namespace = session.kubectl.namespace
    if session.chosen.no_create_namespace:
        raise KubectlError(f"namespace {namespace} does not exist, and --no-create-namespace was given")
    session.report.changes = [
        Change("Namespace", namespace, CREATED),
        *(Change(*key_of(m), CREATED) for m in manifests),
    ]
    for change in session.report.changes:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say("the namespace does not exist yet, so the cluster could check nothing; nothing was written")
    return EXIT_DONE


def _tell_playground(session: Session, objects: List[Manifest]) -> None:
    """Put the orchestrator's node port where Graphene's playground dials it; a folder that is read-only stays so."""
    port = node_port(objects, ORCHESTRATOR)
    if not port:
        return
    try:
        write_orchestrator_port(session.base, port)
    except (OSError, ValueError) as problem:
        session.terminal.warn(f"{DOCKERINFO} keeps its port, for Graphene's tools: {problem}")


def _wait(session: Session, applied: List[Manifest]) -> int:
    """Wait as long as was asked for, and tell what came of it."""
    session.doing("waiting for the nodes; everything is applied")
    timeout = session.chosen.timeout
    seconds = PATIENCE_SECONDS if timeout is None else timeout
    if seconds > 0:
        workloads = of_kinds(applied, *WORKLOAD_KINDS)
        snapshot = wait(session.kubectl, workloads, session.selector, seconds=seconds, show=session.terminal.progress)
    else:
        snapshot = survey(session.kubectl, session.selector)
    _refuse_mixture(session, snapshot)
    if seconds == 0:
        note_nodes(session, snapshot)
        tell_addresses(session, snapshot)
        return EXIT_DONE
    status = tell_state(session, snapshot)
    session.terminal.say(summary(session.report.nodes))
    if status != EXIT_FAILED:
        tell_addresses(session, snapshot)
    return EXIT_DONE if status == EXIT_NOT_READY and timeout is None else status


def _refuse_mixture(session: Session, snapshot: Snapshot) -> None:
    """Say so when somebody else has applied or deleted the same solution meanwhile."""
    lost = overtaken(list(snapshot.objects), followed(session.manifests))
    if lost:
        raise KubectlError(
            "somebody else deploys or deletes this solution here at the same time; what is not as this bundle has it: "
            f"{listed_names(lost)}. Agree on one, and run this again"
        )
