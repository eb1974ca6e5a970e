"""The finishing script of the Argo deployer: submits the workflow that it lies beside, follows it, stops it, removes it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import List, Optional

from shared.finishing.argo_caches import caches_of, has_removed, is_caching, remove_full_caches
from shared.finishing.connection import is_forbidden
from shared.finishing.following import RUNS, SCHEDULES, end_runs, follow, tell_to_end
from shared.finishing.kubectl import Kubectl, KubectlError, objects_in
from shared.finishing.names import SECRET_PATTERN, UsageError, checked_namespace
from shared.finishing.needed_secrets import deployed_with_secrets, secrets_of
from shared.finishing.objects import (
    COMPONENT_LABEL,
    INSTANCE_LABEL,
    Manifest,
    instance_of,
    label_of,
    name_of,
    of_kinds,
    title_of,
)
from shared.finishing.speaking import (
    EXIT_DONE,
    add_everywhere,
    exit_status_of,
    name_and_value,
    say,
    suffix,
    warn,
)
from shared.finishing.workflow_runs import has_ended, latest_of, phase_of, submission_of

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
