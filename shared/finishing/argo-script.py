#!/usr/bin/env python3
"""Submit the workflow of this bundle, follow it, stop it, remove it.

Needs Python 3.8 or newer and kubectl. Run with --help. Generated from shared/finishing of Slipway.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import shutil
import signal
import string
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple, Type
from urllib.parse import urlsplit


# --- objects: What is read off API objects as `kubectl -o json` prints them: names, labels, whose they are. Pure.

Manifest = Dict[str, Any]
Key = Tuple[str, str]

INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
SOLUTION_LABEL = "slipway.dev/solution-id"
REVISION_LABEL = "slipway.dev/revision-id"
MANAGER = "slipway"
WORKLOAD_KINDS = ("Deployment", "Job")


def name_of(manifest: Manifest) -> str:
    """Return the name of an object."""
    return str(manifest.get("metadata", {}).get("name", ""))


def key_of(manifest: Manifest) -> Key:
    """Return (kind, name): what tells objects of one namespace apart."""
    return str(manifest.get("kind", "")), name_of(manifest)


def title_of(manifest: Manifest) -> str:
    """Return `Kind/name`, as people read it."""
    return "/".join(key_of(manifest))


def label_of(manifest: Manifest, label: str) -> str:
    """Return the value of a label, empty when it is missing."""
    return str((manifest.get("metadata", {}).get("labels") or {}).get(label, ""))


def is_ending(manifest: Manifest) -> bool:
    """Answer whether somebody has asked to delete the object already."""
    return "deletionTimestamp" in manifest.get("metadata", {})


def of_kinds(manifests: Iterable[Manifest], *kinds: str) -> List[Manifest]:
    """Return the objects of some kinds, in the order given."""
    return [manifest for manifest in manifests if manifest.get("kind") in kinds]


def pod_spec_of(workload: Manifest) -> Dict[str, Any]:
    """Return the spec of the pods that a Deployment or a Job makes."""
    spec: Dict[str, Any] = workload.get("spec", {}).get("template", {}).get("spec", {})
    return spec


def instance_of(manifests: Iterable[Manifest]) -> str:
    """Return the one instance that the objects of a bundle belong to.

    Raises:
        ValueError: they carry no instance, or several.
    """
    found = sorted({label_of(manifest, INSTANCE_LABEL) for manifest in manifests} - {""})
    if len(found) != 1:
        raise ValueError(
            f"expected manifests with one {INSTANCE_LABEL}, found {', '.join(found) or 'none'}: is this one bundle?"
        )
    return found[0]


def selector_of(instance: str) -> str:
    """Return the label selector of everything that belongs to an instance."""
    return f"{INSTANCE_LABEL}={instance},{MANAGED_BY_LABEL}={MANAGER}"


# --- names: What a person types is checked before kubectl is called at all, so that no value can read as an option. Pure.

# RFC 1123 label and subdomain, RFC 1035 label: what Kubernetes takes as the name of a namespace, a Secret, a Service.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SECRET_PATTERN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NODE_PATTERN = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class UsageError(ValueError):
    """The command line cannot be meant so; nothing was done."""


def checked_namespace(value: str) -> str:
    """Return the namespace.

    Raises:
        UsageError: it is none.
    """
    return _checked(NAMESPACE_PATTERN, value, what="namespace: lower-case letters, digits and '-', at most 63")


def checked_secret(value: str) -> str:
    """Return the name of a Secret.

    Raises:
        UsageError: it is none.
    """
    return _checked(SECRET_PATTERN, value, what="secret name: lower-case letters, digits, '-' and '.'")


def checked_node(value: str) -> str:
    """Return the name of a node.

    Raises:
        UsageError: it is none.
    """
    return _checked(NODE_PATTERN, value, what="node: lower-case letters, digits and '-', at most 63")


def _checked(pattern: re.Pattern[str], value: str, *, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"expected a {what}; found {value!r}")
    return value


# --- connection: What kubectl's words mean for whoever calls it: try again, ask for another way, or give up. Pure.

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


# --- kubectl: Calls `kubectl`: argument lists only, a timeout on every call, patience with a cluster that is away for a moment.

CALL_SECONDS = 300
REQUEST_SECONDS = 20
# A pod has 30 s to end, and whatever waits for it goes after it.
DELETE_SECONDS = 180
# A cluster that never answered is probably the wrong one; one that did comes back.
FIRST_ABSENCE_SECONDS = 10.0
ABSENCE_SECONDS = 120.0
LONGEST_PAUSE_SECONDS = 5.0


class KubectlError(Exception):
    """`kubectl` is missing, failed or took too long; the text is for the person at the terminal."""

    def __init__(self, words: str, told: str = "") -> None:
        super().__init__(words)
        self.told = told
        """All that kubectl wrote to stderr."""


class Kubectl:
    """The cluster that the current kubeconfig names, in one namespace that was checked before."""

    def __init__(self, namespace: str, *, warn: Callable[[str], None]) -> None:
        program = shutil.which("kubectl")
        if program is None:
            raise KubectlError("kubectl is not on the PATH: see https://kubernetes.io/docs/tasks/tools/")
        self.program = program
        self.namespace = namespace
        self._warn = warn
        self._has_answered = False
        self._server_side = True

    def run(self, *arguments: str, given: Optional[str] = None, asks: bool = True) -> str:
        """Run kubectl and return its output; repeat it for a while when the cluster does not answer.

        `asks`: the call asks the cluster, so that its success shows that the cluster is there.

        Raises:
            KubectlError: with kubectl's own words.
        """
        began, pause, warned = time.monotonic(), 1.0, False
        while True:
            try:
                output = self._once(arguments, given)
            except KubectlError as problem:
                # A kubeconfig that was there a moment ago is being written anew, by a login for example.
                is_rewritten = self._has_answered and knows_no_cluster(problem.told)
                if not is_passing(problem.told) and not is_rewritten:
                    self._has_answered = self._has_answered or asks
                    raise
                patience = ABSENCE_SECONDS if self._has_answered else FIRST_ABSENCE_SECONDS
                if time.monotonic() + pause > began + patience:
                    raise KubectlError(f"the cluster did not answer for {patience:.0f} s: {problem}") from problem
                if not warned:
                    last = in_words(problem.told).splitlines()[-1]
                    self._warn(f"the cluster does not answer, trying again for {patience:.0f} s: {last}")
                    warned = True
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._has_answered = self._has_answered or asks
                return output

    def read_manifests(self, text: str) -> List[Manifest]:
        """Return the objects in YAML. kubectl parses it, since the standard library knows no YAML; nothing is sent."""
        rest = ("--validate=false", "-o", "json", "-n", self.namespace, "-f", "-")
        try:
            return objects_in(self.run("create", "--dry-run=client", *rest, given=text, asks=False))
        except KubectlError as problem:
            if 'invalid argument "client"' not in problem.told:  # kubectl before 1.18
                raise
        return objects_in(self.run("create", "--dry-run", *rest, given=text, asks=False))

    def apply(self, manifests: List[Manifest], *, dry_run: bool = False) -> List[Manifest]:
        """Apply objects in one call and return them as they then are; `dry_run`: as they would be.

        Server-side with our field manager; by kubectl itself where it is too old for that.
        """
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        common = [*(["--dry-run=server"] if dry_run else []), "-n", self.namespace, "-o", "json", "-f", "-"]
        if self._server_side:
            managed = ("--server-side", "--force-conflicts", "--field-manager", MANAGER)
            try:
                return objects_in(self.run("apply", *managed, *common, given=document))
            except KubectlError as problem:
                if "unknown flag" not in problem.told:
                    raise
            self._server_side = False
            self._warn("this kubectl is old and cannot apply on the server's side; it applies by itself")
        try:
            return objects_in(self.run("apply", *common, given=document))
        except KubectlError as problem:
            if not is_too_large_to_copy(problem.told):
                raise
            words = (
                f"{problem}\nthis kubectl keeps a copy of each object in an annotation, and one is too large for that: "
            )
            raise KubectlError(
                f"{words}kubectl 1.18 or newer applies it on the server's side", problem.told
            ) from problem

    def get(self, kinds: str, selector: str = "") -> List[Manifest]:
        """Return the objects of some kinds (`deployments,jobs`) in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return objects_in(self.run("get", kinds, "-n", self.namespace, "-o", "json", *chosen))

    def find(self, kind: str, name: str) -> Optional[Manifest]:
        """Return one object, or None when it is not there."""
        found = self.run("get", kind, name, "-n", self.namespace, "--ignore-not-found", "-o", "json")
        return next(iter(objects_in(found)), None)

    def delete(self, manifests: List[Manifest]) -> None:
        """Delete objects and wait until they are gone; what is gone already is no error.

        Raises:
            KubectlError: also when something is still there after `DELETE_SECONDS`: see `is_still_there`.
        """
        names = [
            {"apiVersion": m["apiVersion"], "kind": m["kind"], "metadata": {"name": m["metadata"]["name"]}}
            for m in manifests
        ]
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": names})
        options = ("--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
        self.run("delete", *options, "-n", self.namespace, "-f", "-", given=document)

    def create_namespace(self) -> str:
        """Create the namespace, labelled as ours: only such a one may ever be deleted again.

        Returns `created`, `there`, `terminating`, or `forbidden` to somebody who may not create namespaces.
        """
        metadata = {"name": self.namespace, "labels": {MANAGED_BY_LABEL: MANAGER}}
        document = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        try:
            self.run("create", "-f", "-", given=document)
        except KubectlError as problem:
            if is_terminating(problem.told):
                return "terminating"
            if "AlreadyExists" in problem.told:
                return "there"
            if is_forbidden(problem.told):
                return "forbidden"
            raise
        return "created"

    def host(self) -> Optional[str]:
        """Return the host name of the API server: on many small clusters node ports answer there."""
        url = self.run("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return urlsplit(url.strip()).hostname

    def attend(self, *arguments: str) -> int:
        """Run kubectl for the person at the terminal until it ends or they end it; return its exit status."""
        return subprocess.run([self.program, *arguments, "-n", self.namespace], check=False).returncode

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kubectl for something that goes on; the caller reads its output and ends it."""
        return subprocess.Popen(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )

    def _once(self, arguments: tuple[str, ...], given: Optional[str]) -> str:
        verb = arguments[0]
        command = [self.program, *arguments, f"--request-timeout={REQUEST_SECONDS}s"]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            words = f"kubectl {verb}: no answer within {CALL_SECONDS} s"
            raise KubectlError(words, "connection timed out") from late
        if done.returncode:
            raise KubectlError(_explained_failure(verb, done.stderr), done.stderr)
        return done.stdout


def objects_in(text: str) -> List[Manifest]:
    """Return the objects in kubectl's JSON output: one, a List, or several behind each other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        found.extend(_flat(value))
    return found


def _flat(value: Dict[str, Any]) -> List[Manifest]:
    return list(value["items"]) if value.get("kind", "").endswith("List") else [value]


def _explained_failure(verb: str, told: str) -> str:
    if knows_no_cluster(told):
        return "kubectl knows no cluster: set KUBECONFIG to the file that you got for yours, or see `kubectl config`"
    if wants_login(told):
        return "the cluster does not know you: log in again with the program of whoever runs it, then run this again"
    return f"kubectl {verb} failed: {in_words(told)}"


# --- speaking: What scripts of workflows share at the terminal: lines that nothing from a cluster can steer, and values as people type them.

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
POLL_SECONDS = 2.0
SUFFIX_LETTERS = 5


def exit_status_of(act: Callable[[], int], *, interrupted: str, failures: Tuple[Type[Exception], ...]) -> int:
    """Return the exit status of what a script does; `failures` are one line, and no traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return act()
    except KeyboardInterrupt:
        warn(interrupted)
        return EXIT_INTERRUPTED
    except failures as problem:
        warn(f"error: {problem}")
        return EXIT_FAILED


def add_everywhere(
    parser: argparse.ArgumentParser,
    verbs: List[argparse.ArgumentParser],
    *flags: str,
    told: str,
    default: Optional[str] = None,
    metavar: Optional[str] = None,
) -> None:
    """Let an option stand before the verb or after it; what stands after it counts."""
    parser.add_argument(*flags, help=told, default=default, metavar=metavar)
    for verb in verbs:
        # With a default of its own, the verb would overwrite what stands before it.
        verb.add_argument(*flags, help=told, default=argparse.SUPPRESS, metavar=metavar)


def name_and_value(text: str) -> Tuple[str, str]:
    """Return both sides of `NAME=VALUE`.

    Raises:
        UsageError: it has no `=`.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--parameter: expected NAME=VALUE, found {text!r}")
    return name, value


def changes_between(before: Dict[str, str], after: Dict[str, str]) -> List[str]:
    """Return a line for each task that has changed."""
    return [f"{name}: {state}" for name, state in sorted(after.items()) if before.get(name) != state]


def suffix() -> str:
    """Return what makes the name of a run its own."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=SUFFIX_LETTERS))


def say(text: str) -> None:
    """Print a line of what happens; nothing that comes from the cluster can steer the terminal."""
    print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text), flush=True)


def warn(text: str) -> None:
    """Print lines of what is wrong."""
    shown = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    print("".join(shown), file=sys.stderr, flush=True)


# --- workflow_runs: One run of a workflow as Argo's object tells it: its phase, its tasks, and whether it is over. Pure.

ENDED_PHASES = ("Succeeded", "Failed", "Error")
SUCCEEDED = "Succeeded"
# Nodes of the status that are no tasks but hold others together.
GROUPING_TYPES = ("DAG", "Steps", "StepGroup", "Retry", "TaskGroup")


def phase_of(workflow: Manifest) -> str:
    """Return the phase of a run; one that Argo has not seen yet waits for it."""
    return str(workflow.get("status", {}).get("phase") or "Pending")


def is_seen(workflow: Manifest) -> bool:
    """Answer whether a controller has looked at a run."""
    return bool(workflow.get("status", {}).get("phase"))


def has_ended(workflow: Manifest) -> bool:
    """Answer whether a run is over."""
    return phase_of(workflow) in ENDED_PHASES


def tasks_of(workflow: Manifest) -> Dict[str, str]:
    """Return the phase of each task by its name, with what Argo says about it."""
    found = {}
    for node in (workflow.get("status", {}).get("nodes") or {}).values():
        is_kept = bool((node.get("memoizationStatus") or {}).get("hit"))
        if is_kept or node.get("type") not in GROUPING_TYPES:
            told = ", from the cache" if is_kept else f": {node['message']}" if node.get("message") else ""
            found[str(node.get("displayName", ""))] = f"{node.get('phase', 'Pending')}{told}"
    return found


def latest_of(workflows: List[Manifest]) -> Manifest:
    """Return the run that was submitted last.

    Raises:
        ValueError: there is none.
    """
    if not workflows:
        raise ValueError("no run of this workflow is there: submit one")
    return max(workflows, key=lambda each: (str(each["metadata"].get("creationTimestamp", "")), name_of(each)))


def submission_of(workflow: Manifest, name: str, parameters: Dict[str, str]) -> Manifest:
    """Return the workflow under this name, with other values of some parameters.

    Raises:
        ValueError: it has no such parameter.
    """
    spec: Dict[str, Any] = workflow["spec"]
    declared = spec.get("arguments", {}).get("parameters", [])
    unknown = sorted(set(parameters) - {each["name"] for each in declared})
    if unknown:
        known = ", ".join(each["name"] for each in declared) or "none at all"
        raise ValueError(f"--parameter {unknown[0]}: this workflow has {known}")
    given = [{**each, "value": parameters.get(each["name"], each.get("value"))} for each in declared]
    spec = {**spec, **({"arguments": {"parameters": given}} if given else {})}
    metadata = {key: value for key, value in workflow["metadata"].items() if key != "generateName"}
    return {**workflow, "metadata": {**metadata, "name": name}, "spec": spec}


# --- needed_secrets: Which Secrets a workflow refers to, and what it deploys: they are looked for before anything is written. Pure.

# `<instance>-<digest>-bundle-<n>` holds manifests by file name; one that does not fit is cut into `<file>.000`, ….
BUNDLE_MAP = re.compile(r"-bundle-[0-9]+\Z")
PIECE_NUMBER = re.compile(r"\.[0-9]{3}\Z")


def secrets_of(manifests: List[Manifest]) -> List[str]:
    """Return the names of the Secrets that pods need, but of those that the manifests themselves make."""
    made = {name_of(each) for each in of_kinds(manifests, "Secret")}
    return sorted({name for each in manifests for name in named_in(each)} - made)


def named_in(part: Any) -> Iterator[str]:
    """Yield the names of Secrets that any part of an object refers to."""
    if isinstance(part, list):
        for each in part:
            yield from named_in(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "imagePullSecrets":
                yield from map(str, (each["name"] for each in value or []))
            elif key == "secretKeyRef":
                yield str(value["name"])
            else:
                yield from named_in(value)


def deployed_with_secrets(manifests: List[Manifest]) -> List[str]:
    """Return, as YAML, the manifests that the workflow deploys and that name a Secret: ConfigMaps carry them.

    kubectl knows the kinds of these; of others, that need not be so.
    """
    pieces: Dict[str, bytes] = {}
    for each in of_kinds(manifests, "ConfigMap"):
        if BUNDLE_MAP.search(name_of(each)):
            pieces.update({name: text.encode() for name, text in (each.get("data") or {}).items()})
            pieces.update({name: base64.b64decode(text) for name, text in (each.get("binaryData") or {}).items()})
    files: Dict[str, bytes] = {}
    for name in sorted(pieces):
        whole = PIECE_NUMBER.sub("", name)
        files[whole] = files.get(whole, b"") + pieces[name]
    texts = (content.decode("utf-8", "replace") for content in files.values())
    return [text for text in texts if "imagePullSecrets" in text or "secretKeyRef" in text or "kind: Secret" in text]


# --- following: Follows runs of a workflow to their end, and ends those that go on: with a limit, since nobody may look after them.

RUNS = "workflows.argoproj.io"
SCHEDULES = "cronworkflows.argoproj.io"
# A controller gives a run a phase at once, also one that has to wait for others.
UNSEEN_SECONDS = 60.0
LONGEST_UNSEEN_SECONDS = 120.0


def follow(kubectl: Kubectl, name: str, *, ending_since: Optional[float] = None) -> int:
    """Tell what happens to a run until it is over, and return whether it succeeded as an exit status.

    `ending_since`: when (`time.monotonic`) it was told to end, to be deleted then. It may be gone, or be given up where
    no controller sees it.

    Raises:
        ValueError: it is gone, and was not told to end.
    """
    began = time.monotonic() if ending_since is None else ending_since
    shown: Dict[str, str] = {}
    is_told = False
    while True:
        run = kubectl.find(RUNS, name)
        if run is None:
            if ending_since is None:
                raise ValueError(f"the run {name} is gone")
            return EXIT_DONE
        now = tasks_of(run)
        for line in changes_between(shown, now):
            say(f"  {line}")
        shown = now
        if has_ended(run):
            message = run["status"].get("message")
            say(f"{name}: {phase_of(run)}{f': {message}' if message else ''}")
            return EXIT_DONE if phase_of(run) == SUCCEEDED else EXIT_FAILED
        if not is_seen(run):
            waited = time.monotonic() - began
            if ending_since is not None and waited >= LONGEST_UNSEEN_SECONDS:
                say(
                    f"{name} has no phase after {LONGEST_UNSEEN_SECONDS:.0f} s: nobody stops it, so it is deleted as it is"
                )
                return EXIT_FAILED
            if waited >= UNSEEN_SECONDS and not is_told:
                say(f"{name} has no phase yet: no controller of Argo seems to look after namespace {kubectl.namespace}")
                is_told = True
        time.sleep(POLL_SECONDS)


def tell_to_end(kubectl: Kubectl, name: str, how: str) -> None:
    """Tell a run to end: `Stop`, in order, or `Terminate`, at once."""
    # A run that is held (suspended) is looked at again only when it goes on.
    change(kubectl, RUNS, name, {"shutdown": how})
    say(f"{name} is told to {how.lower()}")


def end_runs(kubectl: Kubectl, selector: str) -> None:
    """End the runs that go on, and see to it that no schedule starts another one meanwhile."""
    for schedule in kubectl.get(SCHEDULES, selector):
        # Deleting it would delete its runs at once, without their exit handlers.
        change(kubectl, SCHEDULES, name_of(schedule), {"suspend": True})
    handled: Set[str] = set()
    while True:
        # The last one may have been started just before its schedule was suspended.
        found = {name_of(run) for run in kubectl.get(RUNS, selector) if not has_ended(run)} - handled
        if not found:
            return
        say("a run goes on: it is stopped first, so that its exit handler can remove what it has made")
        for name in sorted(found):
            tell_to_end(kubectl, name, "Stop")
        since = time.monotonic()
        for name in sorted(found):
            follow(kubectl, name, ending_since=since)
        handled |= found


def change(kubectl: Kubectl, kind: str, name: str, spec: Dict[str, object]) -> None:
    """Change some fields of a spec; what is gone needs no change."""
    patch = json.dumps({"spec": spec})
    try:
        kubectl.run("patch", kind, name, "-n", kubectl.namespace, "--type=merge", f"--patch={patch}")
    except KubectlError as problem:
        if "(NotFound)" not in problem.told:
            raise


# --- argo_caches: What Argo keeps of steps that are cached: ConfigMaps that it makes itself, where its controller is, and never empties.

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


# --- argo: The finishing script of the Argo deployer: submits the workflow that it lies beside, follows it, stops it, removes it.

WORKFLOW_FOLDER = "argo"
COMPONENT = "workflow-argo"
REMOVED = (
    SCHEDULES,
    RUNS,
    "workflowtemplates.argoproj.io",
    "configmaps",
    "secrets",
    "rolebindings",
    "roles",
    "serviceaccounts",
)
RUN_HELP = "name of a run; without it the one that was submitted last"


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the script and return its exit status."""
    chosen = read_command_line(sys.argv[1:] if arguments is None else arguments)
    return exit_status_of(
        lambda: int(chosen.action(Kubectl(chosen.namespace, warn=warn), chosen)),
        interrupted="stopped here; what runs in the cluster goes on",
        failures=(KubectlError, OSError, ValueError),
    )


def read_command_line(arguments: List[str]) -> argparse.Namespace:
    """Read the command line; what cannot be meant ends the program with status 2 before kubectl is called at all."""
    parser = argparse.ArgumentParser(
        description="Submit this workflow to the cluster of the current kubeconfig, follow it, stop it, remove it.",
        epilog="Exit status: 0 done, and a run that was followed has succeeded; 1 failed, in words; 2 wrong usage; "
        "130 interrupted.",
    )
    actions = parser.add_subparsers(dest="verb", required=True)
    submits = actions.add_parser("submit", help="apply what the workflow needs, and start a run")
    submits.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of this run")
    submits.add_argument("--watch", action="store_true", help="then follow it")
    watches = actions.add_parser("watch", help="follow a run to its end")
    stops = actions.add_parser("stop", help="end a run in order: its exit handler runs")
    stops.add_argument("--terminate", action="store_true", help="at once, without the exit handler")
    for each in (watches, stops):
        each.add_argument("name", nargs="?", default="", help=RUN_HELP)
    deletes = actions.add_parser("delete", help="remove all of it, but the claims and the data on them")
    deletes.add_argument("--delete-data", action="store_true", help="the claims and their data, too")
    acts = ((submits, submit), (watches, watch), (stops, stop), (deletes, remove))
    for each, action in acts:
        each.set_defaults(action=action)
    told = "required: a namespace that Argo's controller looks after"
    add_everywhere(parser, [each for each, _ in acts], "-n", "--namespace", told=told)
    chosen = parser.parse_args(arguments)
    if chosen.namespace is None:
        parser.error("the following arguments are required: -n/--namespace")
    try:
        checked_namespace(chosen.namespace)
        refuse_odd_run(getattr(chosen, "name", ""))
        chosen.parameters = dict(map(name_and_value, getattr(chosen, "parameter", [])))
    except UsageError as problem:
        parser.error(str(problem))
    return chosen


def refuse_odd_run(name: str) -> None:
    """Refuse what cannot be the name of a run, and could read as an option.

    Raises:
        UsageError: with what it is.
    """
    if name and not SECRET_PATTERN.fullmatch(name):
        raise UsageError(f"expected the name of a run, found {name!r}")


def submit(kubectl: Kubectl, chosen: argparse.Namespace) -> int:
    """Apply what the workflow needs and start one run."""
    manifests = bundled(kubectl)
    (workflow,) = of_kinds(manifests, "Workflow")
    name = f"{workflow['metadata']['generateName']}{suffix()}"
    submitted = submission_of(workflow, name, chosen.parameters)
    refuse_missing_secrets(kubectl, manifests)
    refuse_foreign(kubectl, [each for each in manifests if each is not workflow])
    applied = kubectl.apply([each for each in manifests if each is not workflow])
    say(f"{len(applied)} objects are there")
    if is_caching(workflow):
        remove_full_caches(kubectl, instance_of(manifests))
    start(kubectl, submitted)
    say(f"submitted: {name}")
    return follow(kubectl, name) if chosen.watch else EXIT_DONE


def watch(kubectl: Kubectl, chosen: argparse.Namespace) -> int:
    """Follow a run."""
    return follow(kubectl, name_of(run_of(kubectl, chosen.name)))


def stop(kubectl: Kubectl, chosen: argparse.Namespace) -> int:
    """End a run."""
    run = run_of(kubectl, chosen.name)
    if has_ended(run):
        say(f"{name_of(run)} has ended already: {phase_of(run)}")
    else:
        tell_to_end(kubectl, name_of(run), "Terminate" if chosen.terminate else "Stop")
    return EXIT_DONE


def remove(kubectl: Kubectl, chosen: argparse.Namespace) -> int:
    """Remove what belongs to this workflow. Done twice, it finds nothing the second time."""
    instance = instance_of(bundled(kubectl))
    selector = f"{INSTANCE_LABEL}={instance},{COMPONENT_LABEL}={COMPONENT}"
    end_runs(kubectl, selector)
    found = kubectl.get(",".join(REMOVED), selector)
    claims = kubectl.get("persistentvolumeclaims", selector)
    doomed = [*found, *(claims if chosen.delete_data else [])]
    if doomed:
        kubectl.delete(doomed)
    caches = [each for each in caches_of(kubectl, instance) if has_removed(kubectl, each)]
    say(f"{len(found) + len(caches)} objects deleted")
    if claims:
        names = ", ".join(map(name_of, claims))
        say(f"deleted with the data on them: {names}" if chosen.delete_data else f"kept with the data on them: {names}")
    return EXIT_DONE


def bundled(kubectl: Kubectl) -> List[Manifest]:
    """Return the objects of the bundle, accounts first: Kubernetes deletes a Secret for the token of one that is not there.

    Raises:
        ValueError: this script lies beside none.
    """
    folder = Path(__file__).resolve().parent / WORKFLOW_FOLDER
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ValueError(f"no manifests in {folder}: is this an unpacked bundle?")
    found = kubectl.read_manifests(one_stream([file.read_text(encoding="utf-8") for file in files]))
    return sorted(found, key=lambda each: each["kind"] != "ServiceAccount")


def one_stream(documents: List[str]) -> str:
    """Return several documents of YAML as one text."""
    return "".join(f"---\n{document}\n" for document in documents)


def refuse_missing_secrets(kubectl: Kubectl, manifests: List[Manifest]) -> None:
    """Refuse to start what would wait for a Secret, in the workflow itself or in what it deploys.

    Raises:
        ValueError: with the names of those that are not there.
    """
    deployed = deployed_with_secrets(manifests)
    told = [*manifests, *(kubectl.read_manifests(one_stream(deployed)) if deployed else [])]
    missing = [name for name in secrets_of(told) if is_missing(kubectl, name)]
    if missing:
        raise ValueError(f"the namespace has no Secret {', '.join(missing)}, which the nodes need: create it first")


def refuse_foreign(kubectl: Kubectl, manifests: List[Manifest]) -> None:
    """Refuse to overwrite what somebody else has under one of our names.

    Raises:
        ValueError: with its name.
    """
    instance = instance_of(manifests)
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    asked = ("get", "-n", kubectl.namespace, "--ignore-not-found", "-o", "json", "-f", "-")
    for there in objects_in(kubectl.run(*asked, given=document)):
        if (label_of(there, INSTANCE_LABEL), label_of(there, COMPONENT_LABEL)) != (instance, COMPONENT):
            raise ValueError(f"not ours, left untouched: {title_of(there)}; choose another namespace")


def start(kubectl: Kubectl, workflow: Manifest) -> None:
    """Create the run. Its name is ours, so that a call which is repeated after a broken connection starts no second one."""
    try:
        kubectl.run("create", "-n", kubectl.namespace, "-f", "-", given=json.dumps(workflow))
    except KubectlError as problem:
        if "AlreadyExists" not in problem.told:
            raise


def run_of(kubectl: Kubectl, name: str) -> Manifest:
    """Return a run by its name, or the one that was submitted last."""
    if not name:
        return latest_of(kubectl.get(RUNS, f"{INSTANCE_LABEL}={instance_of(bundled(kubectl))}"))
    run = kubectl.find(RUNS, name)
    if run is None:
        raise ValueError(f"there is no run {name}")
    return run


def is_missing(kubectl: Kubectl, secret: str) -> bool:
    """Answer whether a Secret is not there; who may not look at it has to trust that it is."""
    try:
        return not kubectl.run("get", "secret", secret, "-n", kubectl.namespace, "--ignore-not-found", "-o", "name")
    except KubectlError as problem:
        if not is_forbidden(problem.told):
            raise
        return False


if __name__ == "__main__":
    sys.exit(main())
