"""Plays kubectl and a cluster with Argo for the tests of the script of workflows; `state.json` beside it is the cluster.

It has in it the `objects`, the phase that a run gets as its `ending`, and on request: an `old` kubectl, no `controller`
that looks after runs, runs that are `late` (there when another one is told to end), `fleeting` ones (gone at their end), a
user who is `confined` to the namespace `flows`, in which everything is that names no other, or only `watching` others.
"""

# ruff: noqa: PLC0415
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = HERE / "state.json"
COPY_BYTES = 262144
KINDS = {
    "workflows.argoproj.io": "Workflow",
    "cronworkflows.argoproj.io": "CronWorkflow",
    "workflowtemplates.argoproj.io": "WorkflowTemplate",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}


def main(arguments):
    state = json.loads(STATE.read_text())
    with (HERE / "calls.jsonl").open("a") as log:
        log.write(json.dumps(arguments) + "\n")
    given = sys.stdin.read() if "-f" in arguments else ""
    shown = {"create": create, "apply": apply, "get": get, "patch": patch, "delete": delete}[arguments[0]](
        arguments, given, state
    )
    STATE.write_text(json.dumps(state))
    sys.stdout.write(shown)


def create(arguments, given, state):
    if "--dry-run=client" in arguments:
        import yaml

        return json.dumps({"kind": "List", "items": list(yaml.load_all(given, Loader=yaml.CSafeLoader))})
    workflow = json.loads(given)
    workflow["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{len(state['objects']):02}Z"
    state["objects"].append(workflow)
    return ""


def apply(arguments, given, state):
    if state.get("old") and "--server-side" in arguments:
        sys.exit("Error: unknown flag: --server-side")
    items = json.loads(given)["items"]
    for each in items:
        if "--server-side" not in arguments and len(json.dumps(each)) > COPY_BYTES:
            title = f'{each["kind"]} "{each["metadata"]["name"]}"'
            sys.exit(f"The {title} is invalid: metadata.annotations: Too long: may not be more than {COPY_BYTES} bytes")
    keys = {(item["kind"], item["metadata"]["name"]) for item in items}
    state["objects"] = [
        each for each in state["objects"] if (each["kind"], each["metadata"]["name"]) not in keys
    ] + items
    return json.dumps({"kind": "List", "items": items})


def get(arguments, given, state):
    if given:
        keys = {(item["kind"], item["metadata"]["name"]) for item in json.loads(given)["items"]}
        found = [each for each in state["objects"] if (each["kind"], each["metadata"]["name"]) in keys]
        return json.dumps({"kind": "List", "items": found}) if found else ""
    kinds = {KINDS.get(kind, KINDS.get(f"{kind}s", kind)).lower() for kind in arguments[1].split(",")}
    found = [each for each in state["objects"] if each["kind"].lower() in kinds]
    if not arguments[2].startswith("-"):
        found = [each for each in found if each["metadata"]["name"] == arguments[2]]
        for each in found:
            go_on(each, state)
        if "name" in arguments[-2:]:
            return "".join(f"{each['metadata']['name']}\n" for each in found)
        return json.dumps(found[0]) if found else ""
    if "--all-namespaces" in arguments and state.get("confined"):
        sys.exit("Error from server (Forbidden): configmaps is forbidden: User cannot list at the cluster scope")
    wanted = dict(pair.split("=") for pair in arguments[arguments.index("-l") + 1].split(","))
    if "--all-namespaces" not in arguments:
        found = [each for each in found if each["metadata"].get("namespace", "flows") == "flows"]
    found = [each for each in found if wanted.items() <= each["metadata"].get("labels", {}).items()]
    return json.dumps({"kind": "List", "items": found})


def go_on(workflow, state):
    """Let a run that is looked at end, as the test wants it, or as somebody has asked for."""
    ending = workflow.get("spec", {}).get("shutdown") or state["ending"]
    if workflow["kind"] == "Workflow" and ending and state.get("controller", True):
        phase = {"Stop": "Failed", "Terminate": "Failed"}.get(ending, ending)
        node = {"type": "Pod", "displayName": "a-run", "phase": phase}
        workflow["status"] = {"phase": phase, "nodes": {"1": node}}


def patch(arguments, _, state):
    (given,) = [each.partition("=")[2] for each in arguments if each.startswith("--patch=")]
    title = (KINDS[arguments[1]], arguments[2])
    found = [each for each in state["objects"] if (each["kind"], each["metadata"]["name"]) == title]
    for each in found:
        each["spec"].update(json.loads(given)["spec"])
    if title[0] == "Workflow":
        state["objects"] += state.pop("late", [])
        if state.get("fleeting"):
            state["objects"] = [each for each in state["objects"] if each not in found]
    return ""


def delete(arguments, given, state):
    if not given:
        place = arguments[arguments.index("-n") + 1]
        if place != "flows" and state.get("watching"):
            sys.exit("Error from server (Forbidden): configmaps is forbidden: User cannot delete resource")
        given = json.dumps({"items": [{"kind": KINDS[arguments[1]], "metadata": {"name": arguments[2]}}]})
    doomed = {(item["kind"], item["metadata"]["name"]) for item in json.loads(given)["items"]}
    state["objects"] = [each for each in state["objects"] if (each["kind"], each["metadata"]["name"]) not in doomed]
    return ""


main(sys.argv[1:])
