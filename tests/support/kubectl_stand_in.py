"""Plays kubectl and a cluster for the tests of the finishing script; `state.json` is the cluster.

Behaviour that a test may ask for in it: `fails` {verb: text on stderr}, once or `always`; `fails_at` the number of the
call that fails so; `ready` what becomes of workloads; `pods` and `events` to show; `old` a kubectl without server-side apply.
"""

# pathlib takes longer to import than all that is done here, a dozen times per test.
# ruff: noqa: PTH118, PTH123, PTH110, PLC0415
import json
import os
import sys

STATE = os.path.join(os.environ["KUBECTL_HOME"], "state.json")
CALLS = os.path.join(os.environ["KUBECTL_HOME"], "calls.jsonl")
SIGKILL = 9
RESOURCES = {
    "deployments": "Deployment",
    "jobs": "Job",
    "services": "Service",
    "ingresses": "Ingress",
    "networkpolicies": "NetworkPolicy",
    "configmaps": "ConfigMap",
    "serviceaccounts": "ServiceAccount",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "secrets": "Secret",
    "secret": "Secret",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "events": "Event",
}


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def read(path):
    with open(path) as file:
        return file.read()


def keep(state):
    with open(STATE, "w") as file:
        file.write(json.dumps(state))


def hang():
    import time

    time.sleep(30)


def key(item):
    return item["kind"], item["metadata"]["name"]


def main(arguments):
    given = sys.stdin.read() if "-f" in arguments else ""
    number = len(read(CALLS).splitlines()) if os.path.exists(CALLS) else 0
    with open(CALLS, "a") as log:
        log.write(json.dumps({"arguments": arguments, "given": given, "process": os.getpid()}) + "\n")
    state = json.loads(read(STATE))
    verb = arguments[0]
    told = state.get("fails", {}).get(verb)
    if told and number >= state.get("fails_from", 0):
        if not state.get("always"):
            del state["fails"][verb]
            keep(state)
        sys.exit(told)
    if os.environ.get("KILL_AFTER") == str(number):
        try:
            answer(verb, arguments, given, state)
        finally:
            os.kill(os.getppid(), SIGKILL)
    answer(verb, arguments, given, state)


def answer(verb, arguments, given, state):
    if verb == "create" and any(argument.startswith("--dry-run") for argument in arguments):
        if state.get("old") and "--dry-run=client" in arguments:
            sys.exit('error: invalid argument "client" for "--dry-run" flag: strconv.ParseBool: parsing "client"')
        say("\n".join(text for text in given.split("---\n") if text.strip()))
    elif verb == "create":
        create_namespace(state)
    elif verb == "get":
        get(arguments, state)
    elif verb == "apply":
        apply(arguments, given, state)
    elif verb == "delete":
        delete(given, state)
    elif verb == "config":
        say(state.get("server", "https://cluster.invalid:6443"))
    elif verb == "logs":
        say(state.get("log", ""))
    elif verb == "api-resources":
        say("\n".join(RESOURCES))
    else:
        sys.exit("the stand-in does not know " + verb)


def create_namespace(state):
    if state["namespace"] == "Terminating":
        sys.exit('Error from server (AlreadyExists): object is being deleted: namespaces "demo" already exists')
    if state["namespace"]:
        sys.exit('Error from server (AlreadyExists): namespaces "demo" already exists')
    state["namespace"], state["namespace_is_ours"] = "Active", True
    keep(state)


def get(arguments, state):
    if "--watch" in arguments:
        for pod in state.get("pods", []):
            say(json.dumps({"type": "ADDED", "object": pod}))
        hang()
        return
    if arguments[1] == "namespace":
        if state["namespace"]:
            labels = {"app.kubernetes.io/managed-by": "slipway"} if state.get("namespace_is_ours") else {}
            metadata = {"name": arguments[2], "labels": labels}
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            say(json.dumps({**namespace, "status": {"phase": state["namespace"]}}))
        return
    if "replicasets" in arguments[1]:
        meddle(state)
    kinds = [RESOURCES[resource] for resource in arguments[1].split(",")]
    everything = state["objects"] + state.get("pods", []) + state.get("events", [])
    found = [item for item in everything if item["kind"] in kinds]
    if "-l" in arguments:
        wanted = dict(pair.split("=") for pair in arguments[arguments.index("-l") + 1].split(","))
        found = [i for i in found if wanted.items() <= i["metadata"].get("labels", {}).items() or i["kind"] == "Pod"]
    if "--ignore-not-found" in arguments:
        found = [item for item in found if item["metadata"]["name"] == arguments[2]]
        say(json.dumps(found[0]) if found else "")
    else:
        say(json.dumps({"kind": "List", "items": found}))


def meddle(state):
    """Let somebody else have written objects since they were applied."""
    for item in state["objects"]:
        revision = state.get("meddles", {}).get("/".join(key(item)))
        if revision:
            item["metadata"]["labels"]["slipway.dev/revision-id"] = revision


def apply(arguments, given, state):
    if state.get("old") and "--server-side" in arguments:
        sys.exit("Error: unknown flag: --server-side")
    there = {key(item): item for item in state["objects"]}
    applied, refused = [], []
    for item in json.loads(given)["items"]:
        before, name = there.get(key(item)), key(item)[1]
        if before and item["kind"] == "Job" and before["spec"] != item["spec"]:
            refused.append(f'The Job "{name}" is invalid: spec.template: Invalid value: core: field is immutable')
            continue
        if before and item["kind"] == "PersistentVolumeClaim" and before["spec"] != item["spec"]:
            refused.append(f'The PersistentVolumeClaim "{name}" is invalid: spec: Forbidden: spec is immutable')
            continue
        applied.append(stored(item, state))
        there[key(item)] = applied[-1]
    if "--dry-run=server" not in arguments:
        state["objects"] = list(there.values())
        keep(state)
    if refused:
        sys.exit("\n".join(refused))
    say(json.dumps({"kind": "List", "items": applied}))


def stored(item, state):
    """Return an object as the cluster keeps it: with a node port, and with the status that the test asks for."""
    item = {**item, "spec": dict(item.get("spec", {}))}
    if item["kind"] == "Service":
        item["spec"]["ports"] = [{**port, "nodePort": 31234} for port in item["spec"]["ports"]]
    if item["kind"] == "Deployment" and state.get("ready", True):
        item["status"] = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    if item["kind"] == "Job" and state.get("ready", True):
        item["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    return item


def delete(given, state):
    gone = [key(item) for item in json.loads(given)["items"]]
    state["objects"] = [item for item in state["objects"] if key(item) not in gone]
    if ("Namespace", "demo") in gone:
        state["namespace"] = None
    keep(state)


main(sys.argv[1:])
