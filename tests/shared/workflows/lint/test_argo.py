"""Mutations: packages that we emit, each broken in one way that Argo would refuse, or hang on. The lint refuses them all."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from support.solutions import folders, node, pipeline
from support.workflows import argo, chain, objects

from shared.workflows.lint import argo_dag
from shared.workflows.lint.argo import check

Objects = dict[str, dict[str, Any]]
WORKFLOW = "argo/workflow.yaml"


@cache
def steps() -> Objects:
    solution = chain("a", "b", "c", shared_folders=folders("/data"))
    made = argo(solution, caching={}, schedule={"cron": ["@daily"]}, environment={"ODD": "{{workflow.name}}"})
    return objects(made)


@cache
def kept() -> Objects:
    return objects(argo(chain("a", "b", "c"), caching={}))


@cache
def services() -> Objects:
    return objects(argo(chain("a", "b"), mode="services"))


@cache
def stable() -> Objects:
    return objects(argo(chain("a", "b"), mode="services", stableDns=True, parameters={"LEVEL": 1}))


@cache
def persistent() -> Objects:
    return objects(argo(chain("a", "b"), mode="persistent"))


@cache
def jobs() -> Objects:
    return objects(argo(pipeline(*(node(name, operations=()) for name in "ab"))))


def template(package: Objects, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in package[WORKFLOW]["spec"]["templates"] if each["name"] == name)
    return found


def task(package: Objects, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(t for t in template(package, "pipeline")["dag"]["tasks"] if t["name"] == name)
    return found


def spec(package: Objects) -> dict[str, Any]:
    found: dict[str, Any] = package[WORKFLOW]["spec"]
    return found


@pytest.mark.parametrize("package", [steps, kept, services, stable, persistent, jobs])
def test_what_we_emit_has_nothing_to_find(package: Callable[[], Objects]):
    assert list(check(package())) == []


Change = Callable[[Objects], object]

MUTATIONS: list[tuple[str, Callable[[], Objects], Change, str]] = [
    ("no such entrypoint", steps, lambda p: spec(p).update(entrypoint="main"), "template-missing"),
    ("no such exit handler", steps, lambda p: spec(p).update(onExit="end"), "template-missing"),
    ("a task without a template", steps, lambda p: task(p, "b-run").update(template="x"), "template-missing"),
    ("a template twice", steps, lambda p: spec(p)["templates"].append(template(p, "a-run")), "template-twice"),
    ("a template without a body", steps, lambda p: template(p, "a-run").pop("container"), "template-body"),
    ("a template with two bodies", steps, lambda p: template(p, "a-run").update(suspend={}), "template-body"),
    ("waits for no task", steps, lambda p: task(p, "b-run").update(depends="z"), "task-missing"),
    ("a state that is none", steps, lambda p: task(p, "b-run").update(depends="a-run.Done"), "state-unknown"),
    ("both kinds of waiting", steps, lambda p: task(p, "b-run").update(dependencies=["a-run"]), "depends-mixed"),
    ("goes on whatever happens", steps, lambda p: task(p, "b-run").update(continueOn={}), "depends-mixed"),
    ("a loop of tasks", steps, lambda p: task(p, "prepare").update(depends="c-run"), "tasks-in-a-loop"),
    ("a task twice", steps, lambda p: template(p, "pipeline")["dag"]["tasks"].append(task(p, "a-run")), "task-twice"),
    ("a task that begins with a digit", steps, lambda p: task(p, "c-run").update(name="1c"), "task-name"),
    ("an argument left out", steps, lambda p: task(p, "b-run").pop("arguments"), "argument-missing"),
    ("a task called like a word of expressions", steps, lambda p: task(p, "c-run").update(name="in"), "task-name"),
    (
        "an argument too many",
        steps,
        lambda p: task(p, "b-run")["arguments"]["artifacts"].append({"name": "x", "from": "y"}),
        "argument-undeclared",
    ),
    ("an artifact that nobody writes", steps, lambda p: template(p, "a-run").pop("outputs"), "output-missing"),
    ("an artifact of a later task", steps, lambda p: task(p, "b-run").update(depends="prepare"), "task-not-waited-for"),
    (
        "an artifact over a volume",
        steps,
        lambda p: template(p, "b-run")["inputs"]["artifacts"][0].update(path="/tmp"),
        "artifact-on-mount",
    ),
    (
        "two artifacts in one file",
        steps,
        lambda p: template(p, "b-run")["outputs"]["artifacts"][0].update(
            path=template(p, "b-run")["inputs"]["artifacts"][0]["path"]
        ),
        "artifact-path",
    ),
    ("a parameter that nobody declares", steps, lambda p: spec(p).pop("arguments"), "reference-unknown"),
    (
        "an input that nobody declares",
        steps,
        lambda p: template(p, "c-run")["container"]["args"].append("{{inputs.parameters.x}}"),
        "reference-unknown",
    ),
    (
        "an open reference",
        steps,
        lambda p: template(p, "c-run")["container"]["args"].append("--x={{workflow.name"),
        "reference-unknown",
    ),
    (
        "an expression in a name",
        steps,
        lambda p: template(p, "c-run")["metadata"]["labels"].update(x="{{=sprig.env('HOME')}}"),
        "reference-unknown",
    ),
    (
        "the status before the end",
        steps,
        lambda p: template(p, "c-run")["container"]["args"].append("{{workflow.status}}"),
        "reference-unknown",
    ),
    (
        "a number where a text must stand",
        steps,
        lambda p: spec(p)["arguments"]["parameters"][0].update(value=3600),
        "value-no-text",
    ),
    (
        "a default that is live",
        stable,
        lambda p: spec(p)["arguments"]["parameters"][-1].update(value="{{workflow.uid}}"),
        "value-live",
    ),
    (
        "a number in the environment",
        steps,
        lambda p: template(p, "a-run")["sidecars"][0]["env"].append({"name": "N", "value": 1}),
        "value-no-text",
    ),
    (
        "a variable twice",
        steps,
        lambda p: template(p, "a-run")["sidecars"][0]["env"].append({"name": "ODD", "value": "1"}),
        "variable-twice",
    ),
    ("args without a command", steps, lambda p: template(p, "a-run")["container"].pop("command"), "command-missing"),
    ("no image", steps, lambda p: template(p, "a-run")["container"].pop("image"), "image-missing"),
    (
        "a sidecar called wait",
        steps,
        lambda p: template(p, "a-run")["sidecars"][0].update(name="wait"),
        "container-name",
    ),
    ("no such volume", steps, lambda p: spec(p).pop("volumes"), "volume-missing"),
    (
        "two volumes at one place",
        steps,
        lambda p: template(p, "a-run")["container"]["volumeMounts"].append({"name": "pipeline", "mountPath": "/tmp"}),
        "mounted-twice",
    ),
    (
        "a task that is kept and tried again",
        steps,
        lambda p: template(p, "b-run").update(memoize={"key": "k", "cache": {"configMap": {"name": "c"}}}),
        "memoize-retried",
    ),
    (
        "a graph that gives what no task of it gives",
        kept,
        lambda p: template(p, "b-run")["outputs"]["artifacts"].clear(),
        "output-missing",
    ),
    (
        "a graph that gives what another one's task gives",
        kept,
        lambda p: template(p, "b-run-Kept")["outputs"]["artifacts"][0].update(
            {"from": "{{tasks.a-run.outputs.artifacts.x}}"}
        ),
        "task-missing",
    ),
    (
        "a task that hands on what the graph was not given",
        kept,
        lambda p: template(p, "b-run-Kept")["dag"]["tasks"][0]["arguments"]["artifacts"][0].update(
            {"from": "{{inputs.artifacts.x}}"}
        ),
        "reference-unknown",
    ),
    ("no such ConfigMap", steps, lambda p: p.pop("argo/configmap-pipeline-1.yaml"), "object-missing"),
    ("no such claim", steps, lambda p: p.pop("argo/pvc.yaml"), "object-missing"),
    ("no such account", steps, lambda p: p.pop("argo/serviceaccount.yaml"), "object-missing"),
    ("no account for the executor", steps, lambda p: spec(p).pop("executor"), "executor-account-missing"),
    (
        "an executor that may tell nothing",
        steps,
        lambda p: p["argo/role-executor.yaml"]["rules"][0].update(verbs=["create"]),
        "executor-without-rights",
    ),
    (
        "a role that may do everything",
        steps,
        lambda p: p["argo/role-executor.yaml"]["rules"][0].update(verbs=["*"]),
        "role-too-wide",
    ),
    ("a binding to no role", steps, lambda p: p.pop("argo/role-executor.yaml"), "object-missing"),
    (
        "the old kind of schedule",
        steps,
        lambda p: p["argo/cron-workflow.yaml"]["spec"].update(schedule="@daily"),
        "schedules-missing",
    ),
    (
        "a schedule without a time",
        steps,
        lambda p: p["argo/cron-workflow.yaml"]["spec"].update(schedules=[]),
        "schedules-missing",
    ),
    (
        "a schedule with a long name",
        steps,
        lambda p: p["argo/cron-workflow.yaml"]["metadata"].update(name="x" * 53),
        "name-too-long",
    ),
    ("a name that is none", steps, lambda p: p["argo/pvc.yaml"]["metadata"].update(name="My_claim"), "name-invalid"),
    (
        "more than a MiB",
        steps,
        lambda p: template(p, "a-run")["container"]["args"].append("x" * (1 << 20)),
        "too-large",
    ),
    ("no workflow", steps, lambda p: p.pop(WORKFLOW), "workflow-missing"),
    (
        "the address of what is no daemon",
        services,
        lambda p: template(p, "a").pop("daemon"),
        "ip-of-no-daemon",
    ),
    (
        "a daemon that nobody waits for",
        services,
        lambda p: template(p, "a")["container"].pop("readinessProbe"),
        "daemon-not-probed",
    ),
    (
        "a daemon that is to succeed first",
        services,
        lambda p: task(p, "orchestrate").update(depends="a.Succeeded && b"),
        "daemon-never-succeeds",
    ),
    (
        "daemons alone",
        services,
        lambda p: template(p, "pipeline")["dag"].update(tasks=[task(p, "a"), task(p, "b")]),
        "daemon-scope",
    ),
    (
        "daemons in steps with inputs",
        services,
        lambda p: (
            template(p, "pipeline").update(
                steps=[template(p, "pipeline").pop("dag")["tasks"]], inputs={"parameters": []}
            ),
            template(p, "pipeline")["inputs"]["parameters"].append({"name": "x", "value": "1"}),
        ),
        "daemon-scope",
    ),
    (
        "a daemon of another workflow",
        services,
        lambda p: task(p, "a").update(templateRef={"name": "other", "template": "a"}),
        "template-ref",
    ),
    (
        "a daemon without a container",
        services,
        lambda p: (template(p, "a").pop("container"), template(p, "a").update(suspend={})),
        "daemon-body",
    ),
    (
        "a Service that outlives its workflow",
        stable,
        lambda p: template(p, "address")["resource"].pop("setOwnerReference"),
        "owner-missing",
    ),
    (
        "a call of the cluster without a token",
        stable,
        lambda p: template(p, "address").pop("executor"),
        "token-missing",
    ),
    (
        "a call of the cluster by an account that may not tell",
        stable,
        lambda p: p["argo/role-deployer.yaml"]["rules"].pop(),
        "executor-without-rights",
    ),
    (
        "a token that the account does not give",
        persistent,
        lambda p: p["argo/serviceaccount-deployer.yaml"].update(automountServiceAccountToken=False),
        "token-missing",
    ),
    ("no token for the executor", steps, lambda p: p.pop("argo/secret-executor.yaml"), "object-missing"),
    (
        "an account that is not there",
        persistent,
        lambda p: template(p, "deploy").update(serviceAccountName="admin"),
        "object-missing",
    ),
    (
        "a teardown that is not there",
        persistent,
        lambda p: template(p, "finish").update(steps=[[{"name": "x"}]]),
        "template-missing",
    ),
    ("jobs in a loop", jobs, lambda p: task(p, "a").update(depends="b"), "tasks-in-a-loop"),
]


@pytest.mark.parametrize(
    ("package", "change", "code"), [row[1:] for row in MUTATIONS], ids=[row[0] for row in MUTATIONS]
)
def test_a_broken_package_is_refused(package: Callable[[], Objects], change: Change, code: str):
    # The documents share parts, as the emitter makes them; a reader of YAML does not.
    broken = copy.deepcopy(package())
    change(broken)

    assert code in {finding.code for finding in check(broken).errors}


def test_there_are_enough_mutations():
    assert len(MUTATIONS) >= 40
    assert len({row[3] for row in MUTATIONS}) >= 30


def test_a_chain_of_a_thousand_tasks_is_checked_without_walking_it_for_each_again():
    names = [f"task-{number}" for number in range(1000)]
    value = "{{tasks.task-0.outputs.parameters.count}}"
    tasks: list[dict[str, Any]] = [{"name": names[0], "template": "work"}]
    tasks += [{"name": b, "template": "work", "depends": a} for a, b in pairwise(names)]
    tasks[-1]["arguments"] = {"parameters": [{"name": "count", "value": value}]}
    work = {
        "name": "work",
        "inputs": {"parameters": [{"name": "count", "default": "0"}]},
        "outputs": {"parameters": [{"name": "count"}]},
    }
    start = time.process_time()

    found = list(argo_dag.check({"name": "pipeline", "dag": {"tasks": tasks}}, "spec", {"work": work}))

    assert found == []
    assert time.process_time() - start < 2  # seconds; it takes a tenth of one, and nine when each walks it
