"""The finishing script of the Kubernetes deployer: applies the bundle it lies in, waits, and prints the addresses."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import List, Optional

from shared.finishing.addresses import ORCHESTRATOR, lines, node_port, with_orchestrator_port
from shared.finishing.changes import EnvironmentRule, rules_of, with_choices
from shared.finishing.kubectl import Kubectl, KubectlError
from shared.finishing.ownership import foreign
from shared.finishing.readiness import FAILED, READY, state_of, troubles
from shared.finishing.stages import Manifest, in_stages

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
