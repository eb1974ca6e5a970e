"""Whatever would change what happens and is not carried out is refused by name, before anything starts."""

from __future__ import annotations

import pytest
from support.dry_runs import container, daemon, dag, task, workflow

from shared.workflows.dry_run import depends, durations, package
from shared.workflows.dry_run.outcome import PackageError, Status


def of_main(**more):
    return workflow({**container("main"), **more})


def in_container(**more):
    return workflow({"name": "main", "container": {"image": "good:1", **more}})


def of_driver(*args, **more):
    return workflow({"name": "main", "container": {"image": "x", "command": ["slipway-driver"], "args": args, **more}})


LOOP = dag(task("a", "one", "b"), task("b", "one", "a"))
REFUSED = [
    (workflow({"name": "main", "script": {}}), "templates[main].script"),
    (workflow({"name": "main", "resource": {"action": "delete"}}), "resource.action: a dry run carries out create"),
    (workflow({"name": "main", "http": {}}), "templates[main].http"),
    (workflow({"name": "main", "containerSet": {}}), "templates[main].containerSet"),
    (workflow({"name": "main"}), "expected one of container, dag, steps, suspend, resource, found none"),
    (of_main(hooks={}), "templates[main].hooks"),
    (of_main(podSpecPatch=""), "templates[main].podSpecPatch"),
    (of_main(initContainers=[]), "templates[main].initContainers"),
    (workflow(container("main"), synchronization={}), "spec.synchronization"),
    (workflow(container("main"), parallelism=1), "spec.parallelism"),
    (workflow(dag(task("a", "one", when="x")), container("one")), "main].dag.tasks[a].when"),
    (workflow(dag(task("a", "one", withItems=[1])), container("one")), "withItems"),
    (workflow(dag(task("a", "two")), container("one")), 'found "two"'),
    (workflow(dag(task("a", "one", "z")), container("one")), 'tasks of the same scope, found "z"'),
    (workflow(LOOP, container("one")), "wait for each other"),
    (workflow(dag(task("a", "one", "a &&")), container("one")), "expected an expression"),
    (workflow(dag(task("a", "one", "b.Sleeping"), task("b", "one")), container("one")), "behind the name of a task"),
    (in_container(lifecycle={}), "templates[main].container.lifecycle"),
    (in_container(envFrom=[]), "templates[main].container.envFrom"),
    (in_container(workingDir="/x"), "templates[main].container.workingDir"),
    (in_container(readinessProbe={"httpGet": {}}), "readinessProbe.httpGet"),
    (in_container(volumeMounts=[{"name": "no", "mountPath": "/x"}]), "expected a volume"),
    (
        in_container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        "the file s/k in the folder",
    ),
    (workflow({"name": "main", "container": {"image": "evil:1"}}), 'found "evil:1"'),
    (workflow({"name": "main", "container": {"image": "evil:1", "command": ["sh", "-c", "x"]}}), 'found "evil:1"'),
    (workflow({"name": "main", "container": {"image": "x", "command": ["python3", "-c", "x"]}}), 'found "x"'),
    (of_driver("sh", "-c=x"), 'report, found "sh"'),
    (of_driver("report", "--t=/tmp/x"), 'an option of report with its value, found "--t=/tmp/x"'),
    (of_driver("report", "--status", "x"), 'with its value, found "--status"'),
    (of_driver("run", "--pipeline=/x", "{{workflow.name}}"), "an option of run with its value"),
    ({**workflow(container("main")), "spec": [1]}, "spec: expected a mapping"),
    (in_container(args=["{{=1+1}}"]), "does not carry out expressions"),
    (in_container(args=["{{inputs.parameters.x}}"]), "stands for nothing here"),
    (workflow(container("main"), arguments={"parameters": [{"name": "n", "value": 3}]}), "expected a text, found 3"),
    (workflow(container("main"), volumes=[{"name": "s", "hostPath": {"path": "/"}}]), "volumes[0].hostPath"),
    (workflow(container("main"), volumes=[{"name": "c", "configMap": {"name": "gone"}}]), 'found "gone"'),
    (workflow({**dag(task("a", "one")), "daemon": True}, container("one")), "only a container can be one"),
    ({**workflow(container("main")), "metadata": [5]}, "workflow.metadata: expected a mapping, found [5]"),
    (in_container(startupProbe={"grpc": {}, "periodSeconds": [5]}), "periodSeconds: expected a number, found [5]"),
    (
        in_container(startupProbe={"grpc": {}, "failureThreshold": "x"}),
        'failureThreshold: expected a number, found "x"',
    ),
    (
        workflow({"name": "main", "resource": {"action": "create", "manifest": "a: [*a]"}}),
        "main].resource.manifest: expected an alias of what stands before it, found another",
    ),
    (
        workflow({"name": "main", "resource": {"action": "create", "manifest": "a: 1\n---\nb: 2"}}),
        "main].resource.manifest: expected one object",
    ),
    (of_main(outputs=5), "outputs: expected a mapping, found 5"),
    (of_main(outputs={"parameters": [{"name": "x", "valueFrom": 5}]}), "valueFrom: expected a mapping"),
    (of_main(metadata=[5]), "templates[main].metadata: expected a mapping, found [5]"),
    (workflow(container("main"), volumes={"a": 1}), "spec.volumes: expected a list of mappings"),
    (workflow({"name": "main", "steps": [5]}), "expected a list of mappings"),
]


@pytest.mark.parametrize(("document", "word"), REFUSED, ids=[word for _, word in REFUSED])
def test_it_is_refused_by_name(bench, document, word):
    with pytest.raises(PackageError) as refused:
        bench.run(document)

    assert word in str(refused.value)
    assert not (bench.work / "logs").exists()


def test_a_parameter_that_the_workflow_does_not_have_is_refused(bench):
    with pytest.raises(PackageError, match="expected one of none"):
        bench.run(workflow(container("main")), parameters={"x": "1"})


def test_what_changes_nothing_here_is_told_once(bench):
    more = {"resources": {}, "securityContext": {}}
    found = bench.run(in_container(**more), workflow(daemon("x")) | {"kind": "CronWorkflow"})

    assert found.left_out == ("resources", "securityContext")


@pytest.mark.parametrize("files", [[], [workflow(container("a")), workflow(container("b"))]])
def test_a_bundle_without_one_workflow_is_refused(bench, files):
    with pytest.raises(PackageError, match="expected one "):
        bench.run(*files)


BOMB = b"a0: &a0 [x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [", "workflow.yaml: expected YAML, found something else"),
        (BOMB, "workflow.yaml: expected at most 1000000 YAML events, found more"),
        (b"[" * 10**6, "workflow.yaml: expected at most 30 levels of nesting, found more"),
    ],
)
def test_yaml_that_costs_more_than_its_size_is_refused(content, reason):
    with pytest.raises(PackageError) as refused:
        package.read({"workflow.yaml": content})

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True),
        ("a.Failed", False),
        ("!b", True),
        ("b || a", True),
        ("b && a", False),
        ("(b || a) && !b.Succeeded", True),
    ],
)
def test_depends_is_understood(text, expected):
    statuses = {"a": Status.SUCCEEDED, "b": Status.FAILED}

    assert depends.parse(text, "x").holds(statuses) is expected


@pytest.mark.parametrize(("text", "expected"), [("10s", 10), ("1h30m", 5400), (7, 7), ("500ms", 0.5), ("2", 2)])
def test_times_are_understood(text, expected):
    assert durations.seconds(text, "x") == expected


@pytest.mark.parametrize("text", ["", "1y", "s", "1h x", True, None])
def test_other_times_are_refused(text):
    with pytest.raises(PackageError):
        durations.seconds(text, "x")
