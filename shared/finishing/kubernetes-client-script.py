#!/usr/bin/env python3
"""Finish the deployment of this bundle: apply, wait, print the addresses.

Needs Python 3.8 or newer and kubectl. Run with --help. Generated from shared/finishing of Slipway.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit


# --- stages: The order in which objects are applied, as pure functions on parsed manifests.

Manifest = Dict[str, Any]

# What others refer to comes first. A claim before the pod that mounts it, a policy last: it selects what then exists.
STAGES: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("namespace", ("Namespace", "ServiceAccount")),
    ("secrets", ("Secret",)),
    ("claims", ("PersistentVolumeClaim",)),
    ("config", ("ConfigMap",)),
    ("workloads", ("Deployment", "Job")),
    ("services", ("Service", "Ingress")),
    ("policies", ("NetworkPolicy",)),
)


def stage_of(manifest: Manifest) -> str:
    """Return the name of the stage that applies `manifest`; a kind we do not know goes last, as `other`."""
    kind = manifest.get("kind", "")
    return next((name for name, kinds in STAGES if kind in kinds), "other")


def in_stages(manifests: List[Manifest]) -> List[Tuple[str, List[Manifest]]]:
    """Return the stages that have something to apply, in order, each with its manifests in the order given."""
    names = [name for name, _ in STAGES] + ["other"]
    grouped = [(name, [m for m in manifests if stage_of(m) == name]) for name in names]
    return [(name, group) for name, group in grouped if group]


# --- ownership: Whose objects stand in the namespace already. Pure: what is not ours stops the run before anything is written.

INSTANCE_LABEL = "app.kubernetes.io/instance"


def foreign(existing: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return `kind/name (instance)` of every existing object that carries the name of one of ours, but not its instance.

    An object without the label counts as foreign too: somebody made it by other means, and we must not take it over.
    """
    wanted = {_identity(manifest): _instance(manifest) for manifest in ours}
    return [
        "{}/{} (instance {})".format(*_identity(found), _instance(found) or "unknown")
        for found in existing
        if _identity(found) in wanted and _instance(found) != wanted[_identity(found)]
    ]


def _identity(manifest: Manifest) -> Tuple[str, str]:
    return manifest.get("kind", ""), manifest["metadata"]["name"]


def _instance(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("labels", {}).get(INSTANCE_LABEL, ""))


# --- changes: What the person who deploys adds to the manifests: pull policy, pull secret, environment. Never written to disk.

EnvironmentRule = Dict[str, str]


def with_choices(
    manifest: Manifest, *, pull_policy: Optional[str], pull_secret: Optional[str], rules: List[EnvironmentRule]
) -> Manifest:
    """Return a workload with the choices of the command line; any other manifest unchanged."""
    if manifest.get("kind") not in ("Deployment", "Job"):
        return manifest
    changed = copy.deepcopy(manifest)
    pod = changed["spec"]["template"]["spec"]
    for container in pod.get("containers", []):
        if pull_policy:
            container["imagePullPolicy"] = pull_policy
        for rule in rules:
            _apply_rule(container, rule)
    if pull_secret:
        secrets = pod.setdefault("imagePullSecrets", [])
        if {"name": pull_secret} not in secrets:
            secrets.append({"name": pull_secret})
    return changed


def rules_of(config: Any) -> List[EnvironmentRule]:
    """Return the `environment_variables` rules of a Graphene configuration file.

    Raises:
        ValueError: a rule lacks `docker_image_pattern`, `name` or `value`, or its pattern is no regular expression.
    """
    entries = config.get("environment_variables", []) if isinstance(config, dict) else None
    if not isinstance(entries, list):
        raise ValueError("environment_variables: expected a list of rules")  # noqa: TRY004 - the file is at fault
    return [_rule(entry) for entry in entries]


def _rule(entry: Any) -> EnvironmentRule:
    keys = ("docker_image_pattern", "name", "value")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in keys):
        raise ValueError("environment_variables: expected rules with the texts " + ", ".join(keys))
    try:
        re.compile(entry["docker_image_pattern"])
    except re.error as problem:
        raise ValueError("docker_image_pattern: expected a regular expression, found " + str(problem)) from problem
    return {key: entry[key] for key in keys}


def _apply_rule(container: Dict[str, Any], rule: EnvironmentRule) -> None:
    if not re.match(rule["docker_image_pattern"], container.get("image", "")):
        return
    others = [variable for variable in container.get("env", []) if variable.get("name") != rule["name"]]
    container["env"] = [*others, {"name": rule["name"], "value": rule["value"]}]


# --- readiness: Whether applied workloads are ready, judged from their status as the API server reports it. Pure.

READY = "ready"
WAITING = "waiting"
FAILED = "failed"

# Container states that do not pass by waiting a little; kubelet's own words.
FATAL_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
)


def state_of(workload: Manifest) -> Tuple[str, str]:
    """Return (`ready` | `waiting` | `failed`, what is seen) for a Deployment or a Job."""
    if workload.get("kind") == "Job":
        return _job_state(workload)
    wanted = workload["spec"].get("replicas", 1)
    status = workload.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return FAILED, condition.get("message", "no progress within the deadline")
    current = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    seen = "{} of {} ready".format(ready, wanted)
    done = current and updated >= wanted and ready >= wanted and status.get("replicas", 0) <= wanted
    return (READY if done else WAITING), seen


def trouble_of(pod: Manifest) -> Optional[str]:
    """Return in words why a pod does not come up, or None while nothing is wrong with it."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return "cannot be scheduled: {}".format(condition.get("message", condition.get("reason", "")))
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in FATAL_REASONS:
            detail = waiting.get("message", "")
            return "{} ({}): {}".format(waiting["reason"], container.get("image", ""), detail)
    return None


def troubles(pods: List[Manifest]) -> List[str]:
    """Return one line per pod that does not come up."""
    found = [(pod["metadata"]["name"], trouble_of(pod)) for pod in pods]
    return ["{}: {}".format(name, trouble) for name, trouble in found if trouble]


def _job_state(job: Manifest) -> Tuple[str, str]:
    for condition in job.get("status", {}).get("conditions", []):
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return READY, "completed"
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            return FAILED, condition.get("message", "the job failed")
    return WAITING, "running"


# --- addresses: Where the running pipeline can be reached, from the Services as the API server filled them in. Pure.

ORCHESTRATOR = "orchestrator"


def node_port(services: List[Manifest], name: str) -> Optional[int]:
    """Return the node port that the API server gave to the first port of Service `name`, or None."""
    for service in services:
        if service["metadata"]["name"] == name:
            ports = service["spec"].get("ports", [])
            return ports[0].get("nodePort") if ports else None
    return None


def lines(services: List[Manifest], *, namespace: str, host: Optional[str]) -> List[str]:
    """Return one line per Service: its node address when it has one, and the port-forward line that always works."""
    return [_line(service, namespace=namespace, host=host) for service in services]


def with_orchestrator_port(dockerinfo: str, port: int) -> str:
    """Return `dockerinfo.json` with the orchestrator's port as an integer: Graphene's playground dials it from there.

    Raises:
        ValueError: the text is not the JSON that Graphene's tools exchange.
    """
    document: Dict[str, Any] = json.loads(dockerinfo)
    for entry in document.get("docker_info_list", []):
        if entry.get("container_name") == ORCHESTRATOR:
            entry["port"] = port
    return json.dumps(document, indent=2) + "\n"


def _line(service: Manifest, *, namespace: str, host: Optional[str]) -> str:
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]
    forward = "kubectl port-forward -n {} service/{} {}:{}".format(namespace, name, port["port"], port["port"])
    if port.get("nodePort") and host:
        return "{}: {}:{}  or  {}".format(name, host, port["nodePort"], forward)
    return "{}: {}".format(name, forward)


# --- kubectl: Calls `kubectl`: argument lists only, a timeout on every call, errors in words.

FIELD_MANAGER = "slipway"
CALL_SECONDS = 120

# A Kubernetes namespace: an RFC 1123 label. Checked before any call, so that no value can read as an option.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class KubectlError(Exception):
    """`kubectl` is missing, failed or took too long; the text is for the person at the terminal."""


class Kubectl:
    """The cluster that the current kubeconfig names, in one namespace."""

    def __init__(self, namespace: str) -> None:
        if not NAMESPACE_PATTERN.fullmatch(namespace):
            raise KubectlError("namespace: expected lower-case letters, digits and '-', found " + repr(namespace))
        program = shutil.which("kubectl")
        if program is None:
            raise KubectlError("kubectl is not on the PATH: see https://kubernetes.io/docs/tasks/tools/")
        self.program = program
        self.namespace = namespace

    def run(self, *arguments: str, given: Optional[str] = None) -> str:
        """Run kubectl and return its output.

        Raises:
            KubectlError: with the end of kubectl's own words.
        """
        command = [self.program, *arguments]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                universal_newlines=True,
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise KubectlError("kubectl {}: no answer within {} s".format(arguments[0], CALL_SECONDS)) from late
        if done.returncode:
            raise KubectlError("kubectl {} failed: {}".format(arguments[0], done.stderr.strip()[-2000:]))
        return done.stdout

    def read_manifests(self, files: List[str]) -> List[Manifest]:
        """Return the objects in YAML files. kubectl parses them, since the standard library knows no YAML."""
        given = [argument for file in files for argument in ("-f", file)]
        create = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-n", self.namespace)
        return objects_in(self.run(*create, *given))

    def apply(self, manifests: List[Manifest]) -> str:
        """Apply objects server-side with our field manager, in one call."""
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        options = ("--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER, "-n", self.namespace)
        return self.run("apply", *options, "-f", "-", given=document)

    def get(self, kinds: str, selector: str = "") -> List[Manifest]:
        """Return the objects of some kinds (`deployments,jobs`) in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return objects_in(self.run("get", kinds, "-n", self.namespace, "-o", "json", *chosen))

    def namespace_exists(self) -> bool:
        """Answer whether the namespace is there."""
        return bool(self.run("get", "namespace", self.namespace, "--ignore-not-found", "-o", "name").strip())

    def create_namespace(self) -> None:
        """Create the namespace, labelled as ours: only such a one may ever be deleted again."""
        labels = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
        metadata = {"name": self.namespace, "labels": labels}
        self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])

    def host(self) -> Optional[str]:
        """Return the host name of the API server: on most small clusters node ports answer there too."""
        url = self.run("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return urlsplit(url.strip()).hostname


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


def _flat(value: Any) -> List[Manifest]:
    return list(value["items"]) if value.get("kind", "").endswith("List") else [value]


# --- script: The finishing script of the Kubernetes deployer: applies the bundle it lies in, waits, and prints the addresses.

POLL_SECONDS = 2.0
# Graphene's playground calls this script from a worker that it stops after 300 s, and takes a non-zero status for a
# failed deployment: a slow image pull must be neither.
PATIENCE_SECONDS = 240.0

EXIT_READY = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_READY = 3


def parse_arguments(arguments: List[str]) -> argparse.Namespace:
    """Read the command line; the short options are Graphene's, so that what calls its script can call this one."""
    parser = argparse.ArgumentParser(
        description="Apply this bundle to the cluster of the current kubeconfig, wait, and print the addresses.",
        epilog="exit status: 0 ready, 1 failed, 2 wrong usage, 3 not ready within the timeout",
    )
    parser.add_argument("-n", "--namespace", required=True, help="namespace to deploy into; created when missing")
    parser.add_argument("--no-create-namespace", action="store_true", help="refuse when the namespace is missing")
    parser.add_argument("-ipp", "--image_pull_policy", choices=["Always", "IfNotPresent", "Never"])
    parser.add_argument("-bp", "--base_path", default=str(Path(__file__).resolve().parent), help="folder of the bundle")
    parser.add_argument("-ps", "--path_docker_secret", help="docker config.json to create the pull secret from")
    parser.add_argument("-sn", "--secret_name", help="name of the pull secret that the workloads use")
    parser.add_argument("-cf", "--config-file", help="JSON file with environment_variables rules by image pattern")
    parser.add_argument(
        "--timeout",
        type=float,
        help="seconds to wait until all is ready, 0: do not wait; without it, what is not ready after {:.0f} s is said, "
        "and is no failure".format(PATIENCE_SECONDS),
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the script and return its exit status."""
    chosen = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    try:
        return deploy(chosen)
    except (KubectlError, OSError, ValueError) as problem:
        print("error: {}".format(problem), file=sys.stderr)
        return EXIT_FAILED


def deploy(chosen: argparse.Namespace) -> int:
    """Apply everything in order, wait, print."""
    base = Path(chosen.base_path)
    rules = environment_rules(chosen.config_file)
    patience = PATIENCE_SECONDS if chosen.timeout is None else chosen.timeout
    kubectl = Kubectl(chosen.namespace)
    ensure_namespace(kubectl, create=not chosen.no_create_namespace)
    manifests = [
        with_choices(m, pull_policy=chosen.image_pull_policy, pull_secret=chosen.secret_name, rules=rules)
        for m in kubectl.read_manifests(manifest_files(base))
    ]
    refuse_foreign(kubectl, manifests)
    if chosen.path_docker_secret:
        kubectl.apply([pull_secret(chosen.secret_name or "", Path(chosen.path_docker_secret))])
    for stage, group in in_stages(manifests):
        print("{}: {}".format(stage, ", ".join(m["metadata"]["name"] for m in group)))
        kubectl.apply(group)
    services = services_of(kubectl, manifests)
    port = node_port(services, ORCHESTRATOR)
    if port:
        write_orchestrator_port(base / "dockerinfo.json", port)
    status = wait(kubectl, manifests, seconds=patience)
    print_addresses(kubectl, services, base)
    return EXIT_READY if status == EXIT_NOT_READY and chosen.timeout is None else status


def manifest_files(base: Path) -> List[str]:
    """Return the manifests of the bundle, sorted: everything in `deployments/` and `policies/`."""
    files = [str(file) for folder in ("deployments", "policies") for file in sorted((base / folder).glob("*.yaml"))]
    if not files:
        raise ValueError("no manifests in {}: is this an unpacked solution.zip?".format(base / "deployments"))
    return files


def environment_rules(config_file: Optional[str]) -> List[EnvironmentRule]:
    """Return the rules of the configuration file; none without a file, or when it is missing (Graphene's callers)."""
    if not config_file or not Path(config_file).is_file():
        return []
    return rules_of(json.loads(Path(config_file).read_text(encoding="utf-8")))


def pull_secret(name: str, path: Path) -> Manifest:
    """Return the pull secret that holds the docker configuration in `path`."""
    if not name:
        raise ValueError("--path_docker_secret needs --secret_name")
    data = {".dockerconfigjson": path.read_text(encoding="utf-8")}
    kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson"}
    return {**kind, "metadata": {"name": name}, "stringData": data}


def ensure_namespace(kubectl: Kubectl, *, create: bool) -> None:
    """Make sure that the namespace is there."""
    if kubectl.namespace_exists():
        return
    if not create:
        raise KubectlError("namespace {} does not exist, and --no-create-namespace was given".format(kubectl.namespace))
    kubectl.create_namespace()


def refuse_foreign(kubectl: Kubectl, manifests: List[Manifest]) -> None:
    """Stop when the namespace holds objects of somebody else under our names."""
    kinds = sorted({m["kind"].lower() for m in manifests})
    others = foreign(kubectl.get(",".join(kinds)), manifests)
    if others:
        raise KubectlError("not ours, left untouched: {}; choose another namespace".format(", ".join(others)))


def wait(kubectl: Kubectl, manifests: List[Manifest], *, seconds: float) -> int:
    """Wait until every workload is ready; print a line whenever something changes. 0 seconds: do not look."""
    if seconds <= 0:
        return EXIT_READY
    names = {(m["kind"], m["metadata"]["name"]) for m in manifests if m["kind"] in ("Deployment", "Job")}
    end, shown = time.monotonic() + seconds, ""
    while True:
        workloads = [w for w in kubectl.get("deployments,jobs") if (w["kind"], w["metadata"]["name"]) in names]
        states = {w["metadata"]["name"]: state_of(w) for w in workloads}
        text = ", ".join("{} {}".format(name, seen) for name, (_, seen) in sorted(states.items()))
        if text != shown:
            shown = text
            print(text, flush=True)
        if any(state == FAILED for state, _ in states.values()):
            return explain(kubectl, EXIT_FAILED)
        if len(states) == len(names) and all(state == READY for state, _ in states.values()):
            return EXIT_READY
        if time.monotonic() >= end:
            return explain(kubectl, EXIT_NOT_READY)
        time.sleep(POLL_SECONDS)


def explain(kubectl: Kubectl, status: int) -> int:
    """Print why pods do not come up; return `status`."""
    print("not ready:", file=sys.stderr)
    for trouble in troubles(kubectl.get("pods")) or ["no pod says why; see kubectl get events -n " + kubectl.namespace]:
        print("  " + trouble, file=sys.stderr)
    return status


def services_of(kubectl: Kubectl, manifests: List[Manifest]) -> List[Manifest]:
    """Return our Services as the API server filled them in."""
    names = {m["metadata"]["name"] for m in manifests if m["kind"] == "Service"}
    return [s for s in kubectl.get("services") if s["metadata"]["name"] in names]


def print_addresses(kubectl: Kubectl, services: List[Manifest], base: Path) -> None:
    """Print how to reach each Service, and how to start the pipeline."""
    host = kubectl.host()
    for line in lines(services, namespace=kubectl.namespace, host=host):
        print(line)
    port = node_port(services, ORCHESTRATOR)
    if port:
        client = base / "orchestrator_client" / "orchestrator_client.py"
        print("Please run python {} --endpoint={}:{} --basepath={}".format(client, host, port, base))


def write_orchestrator_port(dockerinfo: Path, port: int) -> None:
    """Put the port into `dockerinfo.json`, the one file that this script changes; whole or not at all."""
    text = with_orchestrator_port(dockerinfo.read_text(encoding="utf-8"), port)
    with tempfile.NamedTemporaryFile("w", dir=str(dockerinfo.parent), delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, str(dockerinfo))


if __name__ == "__main__":
    sys.exit(main())
