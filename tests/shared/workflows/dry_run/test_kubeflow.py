"""A pipeline of Kubeflow on this machine: components, parameters, artifacts, the exit handler, volumes and sidecars."""

from __future__ import annotations

import json

import pytest
from support.broken_packages import with_value
from support.dry_runs import statuses

from shared.workflows.dry_run.outcome import PackageError

pytestmark = pytest.mark.conformance

WRITE = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))"
READ = "import sys; print(open(sys.argv[1]).read(), *sys.argv[2:])"
READS_LATE = """
import os, sys, time
until = time.monotonic() + float(sys.argv[2])
while not os.path.exists(sys.argv[1]) and time.monotonic() < until:
    time.sleep(0.02)
print(open(sys.argv[1]).read() if os.path.exists(sys.argv[1]) else "-")
"""
WRITES_AT_ONCE = """
import os, sys, time
with open(sys.argv[1] + ".new", "w") as file:
    file.write("kept")
os.rename(file.name, sys.argv[1])
time.sleep(60)
"""
ANYWAY = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}


def pipeline(tasks, components, executors, **inputs):
    """Return a PipelineSpec; an executor is (image, args)."""
    return {
        "pipelineInfo": {"name": "tried"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": {"inputDefinitions": {"parameters": inputs}, "dag": {"tasks": tasks}},
        "components": components,
        "deploymentSpec": {
            "executors": {
                name: {"container": {"image": image, "command": ["run"], "args": list(args)}}
                for name, (image, *args) in executors.items()
            }
        },
    }


def component(label, *, given=(), files=(), makes=(), writes=()):
    """Return a component with an executor."""
    typed = {"parameterType": "STRING"}
    return {
        "executorLabel": label,
        "inputDefinitions": {"parameters": dict.fromkeys(given, typed), "artifacts": {key: {} for key in files}},
        "outputDefinitions": {"parameters": dict.fromkeys(makes, typed), "artifacts": {key: {} for key in writes}},
    }


def task(name, *after, **more):
    return {"taskInfo": {"name": name}, "componentRef": {"name": name}, "dependentTasks": list(after), **more}


def platform(**executors):
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


@pytest.fixture
def bench(bench):
    bench.program("write:1", WRITE)
    bench.program("read:1", READ)
    return bench


def test_parameters_and_artifacts_travel(bench):
    out = "{{$.outputs.%s}}"
    tasks = {
        "make": task("make", inputs={"parameters": {"who": {"componentInputParameter": "name"}}}),
        "use": task(
            "use",
            inputs={
                "parameters": {"told": {"taskOutputParameter": {"producerTask": "make", "outputParameterKey": "told"}}},
                "artifacts": {"file": {"taskOutputArtifact": {"producerTask": "make2", "outputArtifactKey": "file"}}},
            },
        ),
        "make2": task("make2"),
    }
    made = pipeline(
        tasks,
        {
            "make": component("make", given=["who"], makes=["told"]),
            "make2": component("make2", writes=["file"]),
            "use": component("use", given=["told"], files=["file"]),
        },
        {
            "make": ("write:1", out % "parameters['told'].output_file", "{{$.inputs.parameters['who']}}"),
            "make2": ("write:1", out % "artifacts['file'].path", "messages"),
            "use": ("read:1", "{{$.inputs.artifacts['file'].path}}", "{{$.inputs.parameters['told']}}"),
        },
        name={"parameterType": "STRING", "defaultValue": "me"},
    )

    assert bench.run(made, parameters={"name": "you"}).status == "Succeeded"
    assert bench.log("tried.use") == "messages you\n"


@pytest.mark.parametrize(("image", "state"), [("good:1", "SUCCEEDED"), ("bad:1", "FAILED")])
def test_the_exit_handler_is_told_how_it_ended(bench, image, state):
    status = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "session"}}}}
    tasks = {"session": task("session"), "end": task("end", "session", triggerPolicy=ANYWAY, inputs=status)}
    inner = {"dag": {"tasks": {"work": {**task("work"), "cachingOptions": {"enableCache": True}}}}}
    components = {"session": inner, "work": component("work"), "end": component("end", given=["status"])}
    made = pipeline(tasks, components, {"work": (image,), "end": ("good:1", "{{$.inputs.parameters['status']}}")})

    found = bench.run(made)

    assert found.status == ("Succeeded" if state == "SUCCEEDED" else "Failed")
    assert statuses(found)["tried/end"] == "Succeeded"
    assert json.loads(bench.log("tried.end").removeprefix("done "))["state"] == state
    assert "cachingOptions" in found.left_out


def test_what_follows_a_failure_is_omitted_and_other_branches_go_on(bench):
    tasks = {"bad": task("bad"), "next": task("next", "bad"), "other": task("other")}
    made = pipeline(
        tasks,
        dict.fromkeys(tasks, component("good")) | {"bad": component("bad")},
        {"good": ("good:1",), "bad": ("bad:1",)},
    )

    found = bench.run(made)

    assert statuses(found) == {"tried/bad": "Failed", "tried/next": "Omitted", "tried/other": "Succeeded"}
    assert (found.status, found.reason) == ("Failed", "bad: exit status 7: no luck")


def test_retries_volumes_sidecars_and_deadlines_of_the_platform(bench):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held"}, "data": {"text": "kept"}}
    bench.program("third:1", "import os, sys\nn = len(os.listdir('.')); open(f'try-{n}', 'w')\nsys.exit(n < 3)")
    retry = {"maxRetryCount": 3, "backoffDuration": "60s", "backoffFactor": 2.0}
    tasks = {
        "w": task("w"),
        "r": task("r", "w"),
        "c": task("c"),
        "again": task("again", retryPolicy=retry),
        "slow": task("slow"),
    }
    executors = {
        "w": ("write:1", "/data/file", "from w"),
        "r": ("read:1", "/data/file"),
        "c": ("read:1", "/etc/held/text"),
        "again": ("third:1",),
        "slow": ("slow:1",),
    }
    claim = {"pvcMount": [{"mountPath": "/data", "pvcNameParameter": {"runtimeValue": {"constant": "shared"}}}]}
    volume = {"configMapAsVolume": [{"mountPath": "/etc/held", "configMapName": "held"}]}
    given = platform(w=claim, r=claim, c=volume, slow={"activeDeadlineSeconds": "1"})

    found = bench.run(
        pipeline(tasks, {name: component(name) for name in tasks}, executors), given, config, longest_wait_seconds=0.01
    )

    assert (bench.log("tried.r"), bench.log("tried.c")) == ("from w\n", "kept\n")
    assert {each.path: each.tries for each in found.tasks}["tried/again"] == 3
    assert found.reason == "slow: it did not end within 1 s"


GOOD = {"good": ("good:1",)}
BESIDE = {"name": "node", "image": "good:1", "restartPolicy": "Always"}
REFUSED = [
    (pipeline({"a": task("z")}, {"a": component("good")}, GOOD), 'expected a component, found "z"'),
    (pipeline({"a": task("a")}, {"a": component("none")}, GOOD), 'found "none"'),
    (pipeline({"a": task("a", "b")}, {"a": component("good")}, GOOD), 'found "b"'),
    (pipeline({"a": task("a", iteratorPolicy={})}, {"a": component("good")}, GOOD), "root.a.iteratorPolicy"),
    (pipeline({"a": task("a", parameterIterator={})}, {"a": component("good")}, GOOD), "root.a.parameterIterator"),
    (
        pipeline({"a": task("a", triggerPolicy={"condition": "x"})}, {"a": component("good")}, GOOD),
        "triggerPolicy.condition",
    ),
    (pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("evil:1",)}), 'found "evil:1"'),
    (pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("good:1", '{"IfPresent": {}}')}), "IfPresent"),
    (
        pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("good:1", "{{$.json_escape[1]}}")}),
        "stands for nothing",
    ),
    (pipeline({"a": task("a")}, {"a": component("good", given=["p"])}, GOOD), 'expected the parameter "p"'),
]


@pytest.mark.parametrize(("document", "word"), REFUSED, ids=[word for _, word in REFUSED])
def test_it_is_refused_by_name(bench, document, word):
    with pytest.raises(PackageError) as refused:
        bench.run(document)

    assert word in str(refused.value)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"secretAsVolume": []}, "platforms.kubernetes.good.secretAsVolume"),
        (
            {"secretAsEnv": [{"secretName": "s", "keyToEnv": [{"secretKey": "k", "envVar": "K"}]}]},
            "the file s/k in the folder of --secrets",
        ),
        (
            {"initContainers": [BESIDE | {"volumeMounts": [{"name": "shared", "mountPath": "/x"}]}]},
            "initContainers[0].volumeMounts[0].name",
        ),
        (
            {"initContainers": [BESIDE | {"volumeMounts": [{"volumeName": "other", "mountPath": "/x"}]}]},
            'found "other"',
        ),
        ({"initContainers": [{"name": "i", "image": "good:1"}]}, "only a sidecar"),
        ({"pvcMount": [{"mountPath": "/x", "taskOutputParameter": {}}]}, "pvcMount[0].taskOutputParameter"),
    ],
)
def test_what_the_platform_asks_for_is_refused_by_name(bench, more, word):
    made = pipeline({"a": task("a")}, {"a": component("good")}, GOOD)

    with pytest.raises(PackageError) as refused:
        bench.run(made, platform(good=more))

    assert word in str(refused.value)


def test_a_container_without_a_command_is_refused_as_kubeflow_does(bench):
    made = pipeline({"a": task("a")}, {"a": component("good")}, GOOD)
    del made["deploymentSpec"]["executors"]["good"]["container"]["command"]

    with pytest.raises(PackageError, match="Kubeflow starts no container without one"):
        bench.run(made)


@pytest.mark.parametrize(("kind", "value"), [("NUMBER_INTEGER", "x"), ("NUMBER_INTEGER", "1.5"), ("BOOLEAN", "1")])
def test_a_parameter_of_another_type_is_refused(bench, kind, value):
    made = pipeline({"a": task("a")}, {"a": component("good")}, GOOD, n={"parameterType": kind})

    with pytest.raises(PackageError, match=f"expected {kind}"):
        bench.run(made, parameters={"n": value})


PRINTS = "import os; print(*(os.environ.get(name, '-') for name in ('A', 'B', 'C')))"


def test_variables_come_from_config_maps_and_secrets_and_what_is_optional_may_be_missing(bench):
    bench.program("prints:1", PRINTS, "A", "B", "C")
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held"}, "data": {"a": "{{one}}"}}
    given = {
        "configMapAsEnv": [
            {"configMapName": "held", "keyToEnv": [{"configMapKey": "a", "envVar": "A"}]},
            {"configMapName": "none", "optional": True, "keyToEnv": [{"configMapKey": "c", "envVar": "C"}]},
        ],
        "secretAsEnv": [{"secretName": "s", "keyToEnv": [{"secretKey": "k", "envVar": "B"}]}],
    }
    made = pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("prints:1",)})

    found = bench.run(made, platform(x=given), config, secrets={"s": {"k": b"two"}})

    assert (found.status, bench.log("tried.a")) == ("Succeeded", "{{one}} two -\n")


def test_several_config_maps_below_one_folder_are_that_folder(bench):
    bench.program("lists:1", "import os, sys; print(sorted(os.listdir(sys.argv[1])))")
    maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"part-{number}"},
            "data": {f"file-{number}": ""},
        }
        for number in (1, 2)
    ]
    given = [{"mountPath": f"/etc/all/{number}", "configMapName": f"part-{number}"} for number in (1, 2)]
    made = pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("lists:1", "/etc/all")})

    found = bench.run(made, platform(x={"configMapAsVolume": given}), *maps)

    assert (found.status, bench.log("tried.a")) == ("Succeeded", "['1', '2']\n")


@pytest.mark.parametrize(("volume", "seconds", "seen"), [("shared", "20", "kept"), ("other", "1.5", "-")])
def test_a_sidecar_has_the_volumes_that_it_names_and_no_others(bench, volume, seconds, seen):
    bench.program("write-kept:1", WRITES_AT_ONCE)
    bench.program("waits:1", READS_LATE)
    mounts = [{"volumeName": volume, "mountPath": "/here"}]
    beside = BESIDE | {"image": "write-kept:1", "args": ["/here/file"], "volumeMounts": mounts}
    claims = [
        {"mountPath": f"/{path}", "pvcNameParameter": {"runtimeValue": {"constant": claim}}}
        for path, claim in (("data", "shared"), ("elsewhere", "other"))
    ]
    made = pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("waits:1", "/data/file", seconds)})

    bench.run(made, platform(x={"pvcMount": claims, "initContainers": [beside]}))

    assert bench.log("tried.a") == f"{seen}\n"


def test_a_sidecar_does_not_write_to_what_it_does_not_mount(bench):
    bench.program("write-kept:1", WRITE)
    beside = BESIDE | {"image": "write-kept:1", "args": ["/data/file"]}
    claim = {"mountPath": "/data", "pvcNameParameter": {"runtimeValue": {"constant": "shared"}}}
    made = pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("good:1",)})

    with pytest.raises(PackageError, match='a volume or an artifact, found "/data/file"'):
        bench.run(made, platform(x={"pvcMount": [claim], "initContainers": [beside]}))


def test_what_stands_in_variables_is_left_alone_as_kubeflow_does(bench):
    bench.program("prints:1", PRINTS, "A")
    given = {"parameters": {"who": {"runtimeValue": {"constant": "you"}}}}
    made = pipeline({"a": task("a", inputs=given)}, {"a": component("x", given=["who"])}, {"x": ("prints:1",)})
    placeholder = "{{$.inputs.parameters['who']}}"
    made["deploymentSpec"]["executors"]["x"]["container"]["env"] = [{"name": "A", "value": placeholder}]

    bench.run(made)

    assert bench.log("tried.a") == f"{placeholder} - -\n"


def test_what_holds_a_deployment_ends_so_that_its_removal_is_tried(bench):
    made = pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("driver:1",)})
    made["deploymentSpec"]["executors"]["x"]["container"] |= {"command": ["slipway-driver"], "args": ["hold"]}

    assert bench.run(made, hold_seconds=0.01).status == "Succeeded"
    assert "tried.a: holds; it ends after at most 0.01 s, as if it were time" in bench.lines


def test_who_gives_it_a_time_is_told_what_went_on_then(bench):
    made = pipeline({"slow": task("slow")}, {"slow": component("slow")}, {"slow": ("slow:1",)})

    found = bench.run(made, within_seconds=0.5)

    assert (found.status, found.reason) == ("Failed", "the pipeline did not end within 0.5 s")
    assert statuses(found) == {"tried/slow": "Failed"}
    assert found.tasks[0].reason == "it was ended while it ran"


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        (("pipelineInfo",), 5, "pipelineInfo: expected a mapping, found 5"),
        (("components",), [5], "components: expected a mapping, found [5]"),
        (("components", "a"), None, 'components: expected names and mappings, found "a": null'),
        (("components", "a", "executorLabel"), [5], "a.executorLabel: expected a text, found [5]"),
        (("components", "a", "inputDefinitions", "parameters"), 5, "inputDefinitions.parameters: expected a mapping"),
        (("root", "dag", "tasks"), [5], "root.dag.tasks: expected a mapping, found [5]"),
        (("root", "dag", "tasks", "a", "retryPolicy"), {"maxRetryCount": "x"}, "maxRetryCount: expected a number"),
        (("root", "dag", "tasks", "a", "retryPolicy"), {"backoffFactor": [2]}, "backoffFactor: expected a number"),
        (("root", "dag", "tasks", "a", "retryPolicy"), {"backoffDuration": []}, "expected a time such as 10s"),
        (("root", "dag", "tasks", "a", "triggerPolicy"), {"strategy": []}, "strategy: expected ALL_UPSTREAM"),
        (("root", "dag", "tasks", "a", "inputs"), {"parameters": [5]}, "inputs.parameters: expected a mapping"),
        (("deploymentSpec", "executors"), [5], "executors: expected a mapping, found [5]"),
        (("deploymentSpec", "executors", "x", "container"), [5], "container: expected a mapping, found [5]"),
        (("deploymentSpec", "executors", "x", "container", "env"), 5, "env: expected a list of mappings"),
    ],
)
def test_a_value_of_another_form_is_refused_by_name(bench, place, value, word):
    made = with_value(pipeline({"a": task("a")}, {"a": component("x")}, {"x": ("good:1",)}), place, value)

    with pytest.raises(PackageError) as refused:
        bench.run(made)
    assert word in str(refused.value)


def test_components_that_hold_each_other_are_refused(bench):
    inner = {"dag": {"tasks": {"a": task("a")}}}
    made = pipeline({"a": task("a")}, {"a": inner}, {})

    with pytest.raises(PackageError, match="a: expected components at most 20 deep"):
        bench.run(made)
