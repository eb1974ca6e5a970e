"""Tells how the deployment is: the nodes, why some are not ready, and where the others are reached."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import List

from shared.finishing.addresses import (
    ORCHESTRATOR,
    Address,
    address_lines,
    addresses,
    for_people,
    forward_line,
    is_web_ui,
    machines_of,
    node_port,
)
from shared.finishing.answering import answers, is_host
from shared.finishing.causes import Cause, cause_lines, listed_names
from shared.finishing.diagnosis import Snapshot, causes_of
from shared.finishing.kubectl import KubectlError
from shared.finishing.objects import INSTANCE_LABEL, Manifest, key_of, label_of, name_of, title_of
from shared.finishing.progress import summary, table
from shared.finishing.pruning import followed
from shared.finishing.readiness import FAILED, READY, node_states
from shared.finishing.report import EXIT_DONE, EXIT_FAILED, EXIT_NOT_READY
from shared.finishing.session import Session
from shared.finishing.terminal import shell_line
from shared.finishing.waiting import survey

LOG_LINES = 5
ADDRESSES_SHOWN = 12
# Of the logs that explain failures so many are fetched: each is a call, and more nobody reads.
LOGS_SHOWN = 3
# Machines that are tried for node ports: they are alike.
MACHINES_TRIED = 2
FOLLOWED_LINES = 100
# `kubectl logs` follows five containers by default.
MOST_FOLLOWED = 50


def tell_status(session: Session) -> int:
    """Print the nodes, why some are not ready, and the addresses; change nothing."""
    session.doing("asking the cluster")
    snapshot = survey(session.kubectl, session.selector)
    there = {key_of(manifest) for manifest in snapshot.objects}
    wanted = followed(session.manifests)
    missing = [manifest for manifest in wanted if key_of(manifest) not in there]
    if len(missing) == len(wanted):
        raise KubectlError(f"nothing of {session.instance} is in namespace {session.kubectl.namespace}")
    nodes = node_states(snapshot.find(session.workloads), snapshot.of("Pod"))
    for line in table(nodes, now=datetime.now(timezone.utc), width=250, height=len(nodes) + 2):
        session.terminal.say(line)
    if missing:
        titles = listed_names([title_of(manifest) for manifest in missing])
        session.terminal.warn(f"missing: {titles}. Run the script without --status to apply the bundle")
    status = tell_state(session, snapshot)
    session.terminal.say(summary(nodes))
    tell_addresses(session, snapshot)
    return status or (EXIT_NOT_READY if missing else EXIT_DONE)


def tell_logs(session: Session) -> int:
    """Follow the logs of a node until Ctrl-C, or until its pods are gone; return kubectl's verdict."""
    node, nodes = session.chosen.logs, [name_of(workload) for workload in session.workloads]
    if node not in nodes:
        raise ValueError(f"--logs: expected one of {', '.join(nodes)}; found {node}")
    session.doing(f"following the logs of {node}; it goes on")
    selector = f"app={node},{INSTANCE_LABEL}={session.instance}"
    options = ("--follow", "--all-containers", "--prefix", f"--tail={FOLLOWED_LINES}", "--ignore-errors")
    return session.kubectl.attend("logs", "-l", selector, *options, f"--max-log-requests={MOST_FOLLOWED}")


def tell_state(session: Session, snapshot: Snapshot) -> int:
    """Note the nodes in the report, explain what is not ready, and return the exit status that this means."""
    note_nodes(session, snapshot)
    report = session.report
    if report.ready:
        return EXIT_DONE
    session.doing("asking the cluster why nodes are not ready")
    report.causes = causes_of(snapshot.find(session.workloads), snapshot, session.kubectl.get("events"))
    session.terminal.warn("not ready:")
    for line in cause_lines(report.causes):
        session.terminal.warn("  " + line)
    for cause in [cause for cause in report.causes if cause.log][:LOGS_SHOWN]:
        _tell_log(session, cause)
    return EXIT_FAILED if FAILED in [node.state for node in report.nodes] else EXIT_NOT_READY


def note_nodes(session: Session, snapshot: Snapshot) -> None:
    """Note in the report how the nodes are."""
    session.report.nodes = node_states(snapshot.find(session.workloads), snapshot.of("Pod"))
    session.report.ready = all(node.state == READY for node in session.report.nodes)


def tell_addresses(session: Session, snapshot: Snapshot) -> None:
    """Print how each Service for people is reached, and how a pipeline is started by hand."""
    session.doing("looking for the addresses")
    report = session.report
    report.addresses = find_addresses(session, snapshot)
    lines = address_lines(report.addresses)
    for line in lines[:ADDRESSES_SHOWN]:
        session.terminal.say(line)
    if len(lines) > ADDRESSES_SHOWN:
        session.terminal.say(f"and {len(lines) - ADDRESSES_SHOWN} more in the same way; --status --json lists all")
    for address in report.addresses:
        if address.service == ORCHESTRATOR:
            _tell_client(session, address)


def find_addresses(session: Session, snapshot: Snapshot) -> List[Address]:
    """Return how the Services are reached; node ports are tried, and named only where somebody answers."""
    wanted = {key_of(manifest) for manifest in session.manifests}
    own = [manifest for manifest in snapshot.of("Service", "Ingress") if key_of(manifest) in wanted]
    hosts = _hosts(session, snapshot, own)
    return addresses(own, namespace=session.kubectl.namespace, hosts=hosts, answers=answers)


def _hosts(session: Session, snapshot: Snapshot, services: List[Manifest]) -> List[str]:
    """Return the host at which node ports answer from here: a machine, else that of the API server."""
    ready = [node.name for node in session.report.nodes if node.state == READY]
    with_port = [service for service in for_people(services) if node_port([service], name_of(service))]
    first = next((service for service in with_port if label_of(service, "app") in ready), None)
    if first is None:
        return []
    port, web = node_port([first], name_of(first)) or 0, is_web_ui(first)
    for machine in machines_of(snapshot.of("Pod"))[:MACHINES_TRIED]:
        if is_host(machine, port, web=web):
            return [machine]
    host = session.kubectl.host()
    return [host] if host and is_host(host, port, web=web) else []


def _tell_log(session: Session, cause: Cause) -> None:
    """Print the last words of a container."""
    if cause.log is None:
        return
    where = (cause.log.pod, "-n", session.kubectl.namespace, "-c", cause.log.container)
    previous = ["--previous"] if cause.log.previous else []
    try:
        text = session.kubectl.run("logs", *where, f"--tail={LOG_LINES}", *previous)
    except KubectlError:
        return
    lines = text.strip().splitlines()
    session.terminal.warn(f"the last lines of {cause.node}:" if lines else f"{cause.node} has written nothing")
    for line in lines:
        session.terminal.warn("  | " + line)


def _tell_client(session: Session, address: Address) -> None:
    endpoint = address.url or f"127.0.0.1:{address.port}"
    if not address.url:
        line = forward_line(session.kubectl.namespace, address.service, address.port, address.port)
        session.terminal.say(f"To reach the orchestrator, leave this running (or use --forward): {line}")
    client, base = session.base / "orchestrator_client" / "orchestrator_client.py", f"--basepath={session.base}"
    session.terminal.say(f"Please run {shell_line(['python', str(client), f'--endpoint={endpoint}', base])}")
