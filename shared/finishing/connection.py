"""What kubectl's words mean for whoever calls it: try again, ask for another way, or give up. Pure."""

from __future__ import annotations

import re
from typing import List

# The cluster did not answer, or not yet: the same call may succeed in a moment, and all of ours may be repeated.
PASSING = (
    "connection refused",
    "was refused - did you specify the right host or port",
    "connection reset by peer",
    "connection timed out",
    "i/o timeout",
    "tls handshake timeout",
    "client connection lost",
    "context deadline exceeded",
    "client.timeout exceeded",
    "request canceled",
    "no route to host",
    "network is unreachable",
    "no such host",
    "name resolution",
    "server misbehaving",
    "broken pipe",
    "unexpected eof",
    ": eof",
    "currently unable to handle the request",
    "not yet ready to handle request",
    "too many requests",
    "etcdserver:",
    "cannot be fulfilled on resourcequotas",  # two objects were counted against a quota at once
    "apiserver is shutting down",
    "the server was unable to return a response in the time allotted",
)
# Where kubectl looks when nobody has told it of a cluster.
NO_CLUSTER = (
    "localhost:8080 was refused",
    "dial tcp 127.0.0.1:8080",
    "dial tcp [::1]:8080",
    "no configuration has been",
)
# A refused pod template is quoted whole: its beginning and its end tell enough.
PART_SHOWN = 1000
NO_LOGIN = ("you must be logged in to the server", "the server has asked for the client to provide credentials")


def is_passing(told: str) -> bool:
    """Answer whether a failed call is worth repeating."""
    lowered = told.lower()
    if "x509" in lowered or knows_no_cluster(told):
        return False
    return any(words in lowered for words in PASSING)


def knows_no_cluster(told: str) -> bool:
    """Answer whether kubectl has no kubeconfig."""
    return any(words in told.lower() for words in NO_CLUSTER)


def wants_login(told: str) -> bool:
    """Answer whether the cluster does not know who calls."""
    return any(words in told.lower() for words in NO_LOGIN)


def is_terminating(told: str) -> bool:
    """Answer whether the namespace is on its way out and takes nothing more."""
    return "because it is being terminated" in told or ("object is being deleted" in told and "namespaces" in told)


def is_too_large_to_copy(told: str) -> bool:
    """Answer whether an object does not fit into the annotation in which kubectl keeps what it has applied."""
    return "metadata.annotations: Too long" in told


def is_still_there(told: str) -> bool:
    """Answer whether something that is deleted takes longer to go than we wait."""
    return "timed out waiting for the condition" in told


def is_forbidden(told: str) -> bool:
    """Answer whether the person lacks a right."""
    return "(Forbidden)" in told


def unchangeable_jobs(told: str) -> List[str]:
    """Return the Jobs that exist with another pod template, which Kubernetes never changes."""
    return re.findall(r'The Job "([^"]+)" is invalid:[^\n]*field is immutable', told)


def unchangeable_claims(told: str) -> List[str]:
    """Return the claims that exist with another size or class than they are asked for."""
    invalid = r'The PersistentVolumeClaim "([^"]+)" is invalid'
    refused = r'persistentvolumeclaims "([^"]+)" is forbidden: only dynamically provisioned pvc can be resized'
    return sorted({*re.findall(invalid, told), *re.findall(refused, told)})


def in_words(told: str) -> str:
    """Return kubectl's words without its log lines (`E1121 05:02:46.435174 …`), shortened to what a person reads."""
    lines = [line for line in told.strip().splitlines() if not re.match(r"[EWI]\d{4} \d\d:\d\d:\d\d", line)]
    text = "\n".join(lines).strip() or told.strip()
    return text if len(text) <= 2 * PART_SHOWN else f"{text[:PART_SHOWN]}\n...\n{text[-PART_SHOWN:]}"
