"""Mutations: packages that we emit, each broken in one way that Kubeflow would refuse, or run wrongly. The lint refuses them all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from support.kubeflow_bundles import documents, kubeflow, objects
from support.solutions import folders, node, pipeline
from support.workflows import chain

from shared.workflows.lint.kubeflow import check

Documents = dict[str, Any]
Package = tuple[Documents, Documents, dict[str, Documents]]
NEWEST = (2, 18)
NATIVE = "kubeflow/native/pipeline-version.yaml"


@cache
def services() -> Package:
    bundle = kubeflow(chain("a", "b"))
    return *documents(bundle), objects(bundle)


@cache
def steps() -> Package:
    bundle = kubeflow(chain("a", "b", "c", shared_folders=folders("/data")), release="2.18", caching={})
    return *documents(bundle), objects(bundle)


@cache
def jobs() -> Package:
    solution = pipeline(*(node(name, operations=()) for name in "ab"), shared_folders=folders("/data"))
    bundle = kubeflow(
        solution,
        nodes={name: {"command": ["x"]} for name in "ab"},
        parameters={"LEVEL": 1},
        environment={"ODD": "{{x}}"},
        secrets={"KEY": {"secret": "vault", "key": "k"}},
    )
    return *documents(bundle), objects(bundle)


def session(package: Package) -> Documents:
    found: Documents = package[0]["components"]["comp-session"]["dag"]["tasks"]
    return found


def root(package: Package) -> Documents:
    found: Documents = package[0]["root"]["dag"]["tasks"]
    return found


def component(package: Package, name: str) -> Documents:
    found: Documents = package[0]["components"][f"comp-{name}"]
    return found


def container(package: Package, name: str) -> Documents:
    found: Documents = package[0]["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    return found


def pod(package: Package, name: str) -> Documents:
    found: Documents = package[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{name}"]
    return found


Mutation = Callable[[Package], object]
MUTATIONS: dict[str, tuple[Callable[[], Package], Mutation, str]] = {
    "a component that is not there": (
        services,
        lambda p: session(p)["deploy"]["componentRef"].update(name="comp-x"),
        "component-missing",
    ),
    "a task that is not there": (
        services,
        lambda p: session(p)["orchestrate"].update(dependentTasks=["x"]),
        "task-missing",
    ),
    "a producer that is not there": (
        services,
        lambda p: session(p)["orchestrate"]["inputs"]["artifacts"]["endpoints"]["taskOutputArtifact"].update(
            producerTask="x"
        ),
        "task-missing",
    ),
    "an output that is not there": (
        services,
        lambda p: session(p)["orchestrate"]["inputs"]["artifacts"]["endpoints"]["taskOutputArtifact"].update(
            outputArtifactKey="x"
        ),
        "source-missing",
    ),
    "an executor that is not there": (
        services,
        lambda p: component(p, "deploy").update(executorLabel="exec-x"),
        "executor-missing",
    ),
    "an executor of the platform alone": (
        services,
        lambda p: p[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].update({"exec-x": {}}),
        "executor-missing",
    ),
    "an executor that nobody uses": (
        services,
        lambda p: p[0]["deploymentSpec"]["executors"].update({"exec-x": {"container": {}}}),
        "executor-unused",
    ),
    "a component that nobody uses": (
        services,
        lambda p: p[0]["components"].update({"comp-x": {"executorLabel": "exec-deploy"}}),
        "component-unused",
    ),
    "a component without a body": (services, lambda p: component(p, "deploy").pop("executorLabel"), "component-body"),
    "a root without tasks": (services, lambda p: p[0]["root"].pop("dag"), "root-body"),
    "a loop of tasks": (
        services,
        lambda p: session(p)["deploy"].update(dependentTasks=["orchestrate"]),
        "tasks-in-a-loop",
    ),
    "a component within itself": (
        services,
        lambda p: session(p).update(
            again={
                "componentRef": {"name": "comp-session"},
                "inputs": session(p)["orchestrate"]["inputs"]["parameters"] and {"parameters": {}},
            }
        ),
        "components-in-a-loop",
    ),
    "a parameter that nobody gives": (
        services,
        lambda p: session(p)["orchestrate"]["inputs"]["parameters"].pop("run-seconds"),
        "input-missing",
    ),
    "a parameter that nobody takes": (
        services,
        lambda p: session(p)["deploy"]["inputs"]["parameters"].update(x={"runtimeValue": {"constant": "1"}}),
        "input-undeclared",
    ),
    "a parameter that the pipeline does not have": (
        services,
        lambda p: p[0]["root"]["inputDefinitions"]["parameters"].pop("run-seconds"),
        "source-missing",
    ),
    "a parameter of another type": (
        services,
        lambda p: p[0]["root"]["inputDefinitions"]["parameters"]["run-seconds"].update(
            parameterType="STRING", defaultValue="1"
        ),
        "type-differs",
    ),
    "two sources of one parameter": (
        services,
        lambda p: session(p)["deploy"]["inputs"]["parameters"]["release"].update(componentInputParameter="x"),
        "input-sources",
    ),
    "a default of another type": (
        services,
        lambda p: p[0]["root"]["inputDefinitions"]["parameters"]["run-seconds"].update(defaultValue="600"),
        "default-type",
    ),
    "a type that nobody knows": (
        services,
        lambda p: p[0]["root"]["inputDefinitions"]["parameters"]["run-seconds"].update(parameterType="INT"),
        "type-unknown",
    ),
    "a default that is live": (
        services,
        lambda p: p[0]["root"]["inputDefinitions"]["parameters"]["run-seconds"].update(
            parameterType="STRING", defaultValue="{{x}}"
        ),
        "value-live",
    ),
    "a constant of another type": (
        services,
        lambda p: session(p)["deploy"]["inputs"]["parameters"]["release"]["runtimeValue"].update(constant=1),
        "constant-type",
    ),
    "an artifact without a type": (
        services,
        lambda p: component(p, "deploy")["outputDefinitions"]["artifacts"]["endpoints"].pop("artifactType"),
        "artifact-type",
    ),
    "nothing said about the cache": (services, lambda p: session(p)["deploy"].pop("cachingOptions"), "caching-unsaid"),
    "a cache of what gives nothing": (
        services,
        lambda p: session(p)["orchestrate"].update(cachingOptions={"enableCache": True}),
        "caching-without-outputs",
    ),
    "an exit handler of nothing": (
        services,
        lambda p: root(p)["teardown"].pop("dependentTasks"),
        "exit-waits-for-nothing",
    ),
    "an exit handler only on success": (
        services,
        lambda p: root(p)["teardown"].pop("triggerPolicy"),
        "status-too-early",
    ),
    "no command": (services, lambda p: container(p, "deploy").pop("command"), "command-missing"),
    "no image": (services, lambda p: container(p, "deploy").update(image=""), "image-missing"),
    "a number for an argument": (services, lambda p: container(p, "deploy")["args"].append(5), "value-no-text"),
    "a number for a variable": (jobs, lambda p: container(p, "a")["env"][0].update(value=5), "value-no-text"),
    "an input that is not declared": (
        services,
        lambda p: container(p, "deploy")["args"].append("{{$.inputs.parameters['x']}}"),
        "reference-unknown",
    ),
    "a tag of Argo": (
        services,
        lambda p: container(p, "deploy")["args"].append("{{workflow.name}}"),
        "reference-unknown",
    ),
    "a variable that Kubeflow would have to fill in": (
        jobs,
        lambda p: container(p, "a")["env"][0].update(value="{{$.inputs.parameters['LEVEL']}}"),
        "reference-unfilled",
    ),
    "a field of the platform that nobody knows": (
        services,
        lambda p: pod(p, "deploy").update(configMapsAsVolume=[]),
        "release-lacks",
    ),
    "the path of a parameter": (
        services,
        lambda p: container(p, "deploy")["args"].append("{{$.inputs.parameters['release'].path}}"),
        "reference-unknown",
    ),
    "an output that nobody writes": (
        services,
        lambda p: container(p, "deploy").update(args=["deploy"]),
        "output-unwritten",
    ),
    "a variable that is not there": (services, lambda p: pod(p, "deploy").pop("fieldPathAsEnv"), "variable-missing"),
    "a variable twice": (
        jobs,
        lambda p: container(p, "a")["env"].append({"name": "KEY", "value": "x"}),
        "variable-twice",
    ),
    "a ConfigMap that is not there": (
        services,
        lambda p: pod(p, "deploy")["configMapAsVolume"][0]["configMapNameParameter"]["runtimeValue"].update(
            constant="x"
        ),
        "object-missing",
    ),
    "a claim that is not there": (jobs, lambda p: p[2].pop("kubeflow/pvc.yaml"), "object-missing"),
    "two volumes at one path": (
        jobs,
        lambda p: pod(p, "a")["pvcMount"].append(pod(p, "a")["pvcMount"][0]),
        "mount-path",
    ),
    "a sidecar that ends": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0].pop("restartPolicy"),
        "sidecar-ends",
    ),
    "a sidecar called like Kubeflow's own": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0].update(name="kfp-launcher"),
        "sidecar-name",
    ),
    "a sidecar with a volume of nobody": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0]["volumeMounts"][0].update(volumeName="x"),
        "volume-missing",
    ),
    "a sidecar that calls its volume as a pod does": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0]["volumeMounts"][0].update(name="x"),
        "sidecar-mount",
    ),
    "a sidecar with a field that Kubeflow does not have": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0].update(ports=[]),
        "sidecar-field",
    ),
    "a sidecar with a reference": (
        steps,
        lambda p: pod(p, "b-run")["initContainers"][0].update(args=["{{$.inputs.parameters['x']}}"]),
        "reference-unknown",
    ),
    "a name that is none": (services, lambda p: p[0]["pipelineInfo"].update(name="A b"), "name-invalid"),
    "a version that is a number": (services, lambda p: p[0].update(schemaVersion=2.1), "schema-version"),
    "a custom resource that says something else": (
        services,
        lambda p: p[2][NATIVE]["spec"]["pipelineSpec"].update(schemaVersion="2.1.1"),
        "version-differs",
    ),
    "a version of no pipeline": (
        services,
        lambda p: p[2][NATIVE]["spec"].update(pipelineName="x"),
        "object-missing",
    ),
    "a claim whose name is too long for a volume": (
        jobs,
        lambda p: pod(p, "a")["pvcMount"][0]["pvcNameParameter"]["runtimeValue"].update(constant="c" * 64),
        "volume-name",
    ),
    "a role that may do everything": (
        services,
        lambda p: p[2]["kubeflow/role-deployer.yaml"]["rules"][0].update(verbs=["*"]),
        "role-too-wide",
    ),
    "a role of nobody": (
        services,
        lambda p: p[2]["kubeflow/rolebinding-deployer.yaml"].update(subjects=[]),
        "subject-missing",
    ),
    "an object that etcd does not take": (
        services,
        lambda p: p[2][NATIVE]["metadata"].update(annotations={"x": "y" * (1 << 20)}),
        "too-large",
    ),
}


@pytest.mark.parametrize("package", [services, steps, jobs])
def test_what_we_emit_is_sound(package: Callable[[], Package]):
    assert tuple(check(*package(), release=NEWEST)) == ()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_package_is_refused(name: str):
    package, mutate, code = MUTATIONS[name]
    broken = copy.deepcopy(package())

    mutate(broken)

    assert code in {finding.code for finding in check(*broken, release=NEWEST)}


@pytest.mark.parametrize(
    ("field", "value", "first"),
    [
        ("secretAsEnv", [{"secretName": "vault", "keyToEnv": [], "optional": False}], 15),
        ("securityContext", {"runAsNonRoot": True}, 16),
        ("initContainers", [], 18),
    ],
)
def test_a_field_is_refused_before_the_release_that_takes_it(field: str, value: Any, first: int):
    package = copy.deepcopy(services())
    pod(package, "deploy")[field] = value

    before, then = (check(*package, release=(2, minor)) for minor in (first - 1, first))

    assert "release-lacks" in {finding.code for finding in before}
    assert "release-lacks" not in {finding.code for finding in then}


def test_there_are_at_least_forty_mutations():
    assert len(MUTATIONS) >= 40
