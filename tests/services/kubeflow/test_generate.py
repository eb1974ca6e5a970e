"""The bundle: golden byte for byte, and each rule of Kubeflow that decides whether a pipeline runs and leaves nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from support import golden
from support.kubeflow_bundles import PIPELINE, built, container, documents, kubeflow, objects, pod, tasks
from support.solutions import IMAGES, folders, model, node, pipeline
from support.workflows import chain, edge, source

from services.kubeflow import ir
from services.kubeflow.generate import DEPLOYER
from shared import blueprint
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.errors import InvalidOptionsError
from shared.orchestration import pipeline_files
from shared.solution import Role, Solution, SolutionFiles
from shared.workflows.lint.references import references
from shared.workflows.policy import ParameterValue

OPTIONS = "kubeflow-options.json"
NOT_COMPARED = ("microservice/", "kubeflow-script.py", "pipeline.binpb", "solution_")
STEPS = {"release": "2.18", "mode": "steps"}


@pytest.mark.parametrize("case", golden.cases(OPTIONS))
def test_a_solution_becomes_the_expected_bundle(case: str, request: pytest.FixtureRequest):
    made = golden.built(DEPLOYER, case, OPTIONS).files
    files = {path: data for path, data in made.items() if not path.startswith(NOT_COMPARED)}

    expected = golden.GOLDEN / case / "expected-kubeflow"
    kept = golden.kept(expected, files, regenerate=request.config.getoption("--regenerate"))
    assert {path: data.decode() for path, data in files.items()} == kept


def test_the_same_solution_gives_the_same_bundle():
    assert kubeflow(chain("a", "b")).digest == kubeflow(chain("a", "b")).digest


def test_keys_are_in_the_order_of_the_compiler():
    pipeline_document, platform = documents(kubeflow(chain("a", "b"), **STEPS))

    assert in_order(pipeline_document)
    assert in_order(platform)
    assert list(pipeline_document) == [
        "components",
        "deploymentSpec",
        "pipelineInfo",
        "root",
        "schemaVersion",
        "sdkVersion",
    ]


def in_order(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(in_order, value.values()))
    return all(map(in_order, value)) if isinstance(value, list) else True


def test_both_documents_stand_in_the_custom_resource_too():
    bundle = kubeflow(chain("a", "b"))

    version = objects(bundle)["kubeflow/native/pipeline-version.yaml"]
    assert (version["spec"]["pipelineSpec"], version["spec"]["platformSpec"]) == documents(bundle)
    name = objects(bundle)["kubeflow/native/pipeline.yaml"]["metadata"]["name"]
    assert version["spec"]["pipelineName"] == name == documents(bundle)[0]["pipelineInfo"]["name"]


def test_another_content_is_another_version():
    names = {
        json.loads(kubeflow(chain("a", "b"), deadlines={"run": seconds}).files["kubeflow/run.json"])["version"]
        for seconds in (1, 2)
    }

    assert len(names) == 2


def test_what_is_needed_is_applied_without_the_custom_resources():
    bundle = kubeflow(chain("a", "b"))

    resources = yaml.safe_load(bundle.files["kustomization.yaml"])["resources"]
    assert set(resources) == {path for path in objects(bundle) if "native" not in path}
    native = yaml.safe_load(bundle.files["kubeflow/native/kustomization.yaml"])["resources"]
    assert native == ["pipeline-version.yaml", "pipeline.yaml"]


# --- services


def test_nodes_are_deployed_used_and_removed_however_that_went():
    bundle = kubeflow(chain("a", "b"))

    assert set(tasks(bundle)) == {"session", "teardown"}
    assert set(tasks(bundle, "comp-session")) == {"deploy", "orchestrate"}
    teardown = tasks(bundle)["teardown"]
    assert teardown["dependentTasks"] == ["session"]
    assert teardown["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert teardown["inputs"]["parameters"]["status"] == {"taskFinalStatus": {"producerTask": "session"}}


def test_nothing_that_acts_is_taken_from_the_cache():
    bundle = kubeflow(chain("a", "b"), caching={})

    acting = {**tasks(bundle, "comp-session"), "teardown": tasks(bundle)["teardown"]}
    assert [task["cachingOptions"] for task in acting.values()] == [{}, {}, {}]


def test_each_run_has_a_release_of_its_own():
    bundle = kubeflow(chain("a", "b"))

    run_id = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    for task in (tasks(bundle, "comp-session")["deploy"], tasks(bundle)["teardown"]):
        assert task["inputs"]["parameters"]["release"] == run_id
    for name in ("deploy", "teardown"):
        assert "--name={{$.inputs.parameters['release']}}" in container(bundle, name)["args"]


def test_what_is_deployed_belongs_to_the_run_of_the_pod_that_deployed_it():
    bundle = kubeflow(chain("a", "b"))

    assert "--owner=Pod/$(SLIPWAY_POD)/$(SLIPWAY_POD_UID)" in container(bundle, "deploy")["args"]
    assert {each["name"]: each["fieldPath"] for each in pod(bundle, "deploy")["fieldPathAsEnv"]} == {
        "SLIPWAY_NAMESPACE": "metadata.namespace",
        "SLIPWAY_POD": "metadata.name",
        "SLIPWAY_POD_UID": "metadata.uid",
    }


def test_the_orchestrator_is_the_pipeline_s_task_and_not_deployed():
    names = deployed(kubeflow(chain("a", "b")))

    assert "deployments.a_deployment.yaml" in names
    assert not any("orchestrator" in name or "configmap" in name for name in names)


def test_the_policies_of_the_nodes_let_the_driver_call_them():
    bundle = kubeflow(chain("a", "b"))

    policy = yaml.safe_load(deployed(bundle)["policies.networkpolicy-nodes.yaml"])
    (allowed,) = policy["spec"]["ingress"][0]["from"]
    labels = pod(bundle, "orchestrate")["podMetadata"]["labels"]
    assert allowed["podSelector"]["matchLabels"].items() <= labels.items()
    assert "app" not in labels, "no Service may find it"


def test_a_restricted_deployment_lets_the_driver_reach_kubeflow():
    policy = objects(kubeflow(chain("a", "b"), profile="restricted"))["kubeflow/networkpolicy-driver.yaml"]

    assert policy["spec"]["policyTypes"] == ["Egress"]
    assert "kubeflow/networkpolicy-driver.yaml" not in kubeflow(chain("a", "b")).files


def test_the_account_of_kubeflow_may_apply_what_is_deployed_and_no_more():
    made = objects(kubeflow(chain("a", "b", shared_folders=folders("/data")), serviceAccount="default-editor"))

    rules = {rule["resources"][0]: rule["verbs"] for rule in made["kubeflow/role-deployer.yaml"]["rules"]}
    assert set(rules) == {"deployments", "networkpolicies", "persistentvolumeclaims", "pods", "services"}
    assert rules["pods"] == ["get"]
    assert "delete" not in rules["persistentvolumeclaims"]
    subjects = made["kubeflow/rolebinding-deployer.yaml"]["subjects"]
    assert subjects == [{"kind": "ServiceAccount", "name": "default-editor"}]


def test_a_model_is_held_for_the_time_of_the_run():
    bundle = kubeflow(model())

    assert set(tasks(bundle, "comp-session")) == {"deploy", "hold"}
    assert container(bundle, "hold")["args"] == ["hold", "--timeout={{$.inputs.parameters['run-seconds']}}"]


def test_a_persistent_deployment_is_held_until_the_run_ends():
    bundle = kubeflow(chain("a", "b"), mode="persistent")

    assert container(bundle, "hold")["args"] == ["hold"]
    assert "deployments.orchestrator_deployment.yaml" in deployed(bundle)


def test_commands_and_secrets_reach_what_is_deployed():
    made = deployed(
        kubeflow(
            chain("a", "b"),
            nodes={"a": {"command": ["python3"], "args": ["run.py"]}},
            secrets={"KEY": {"secret": "vault", "key": "token"}},
            parameters={"LEVEL": 3},
        )
    )

    found = yaml.safe_load(made["deployments.a_deployment.yaml"])["spec"]["template"]["spec"]["containers"][0]
    assert (found["command"], found["args"]) == (["python3"], ["run.py"])
    assert {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "token"}}} in found["env"]
    assert {"name": "LEVEL", "value": "3"} in found["env"]


def test_large_pipelines_travel_in_several_config_maps():
    bundle = kubeflow(chain(*(f"node-{number}" for number in range(120))))

    mounts = pod(bundle, "deploy")["configMapAsVolume"]
    assert len(mounts) > 1
    assert [each["mountPath"] for each in mounts][:2] == ["/etc/slipway/bundle/1", "/etc/slipway/bundle/2"]
    names = {each["metadata"]["name"] for each in objects(bundle).values()}
    assert {each["configMapName"] for each in mounts} <= names


def test_three_hundred_operations_fit_into_one_object():
    bundle = kubeflow(chain(*(f"node-{number}" for number in range(300))), **STEPS)

    assert bundle.findings.errors == ()
    assert len(bundle.files["kubeflow/native/pipeline-version.yaml"]) < 1 << 20


# --- jobs and steps


def test_jobs_run_their_commands_in_order():
    solution = pipeline(*(node(name, operations=()) for name in ("load", "train")), shared_folders=folders("/data"))
    commands = {name: {"command": ["python3", f"{name}.py"]} for name in ("load", "train")}

    bundle = kubeflow(solution, nodes=commands, parameters={"LEVEL": 3})

    assert tasks(bundle)["train"]["dependentTasks"] == ["load"]
    train = container(bundle, "train")
    assert (train["image"], train["command"]) == ("registry.example.org:5000/team/train:1.0", ["python3", "train.py"])
    assert {"name": "LEVEL", "value": "3"} in train["env"]
    (mount,) = pod(bundle, "train")["pvcMount"]
    claim = objects(bundle)["kubeflow/pvc.yaml"]
    assert (mount["constant"], mount["mountPath"]) == (claim["metadata"]["name"], "/data")


def test_a_job_without_a_command_is_refused_for_kubeflow_takes_none_from_an_image():
    with pytest.raises(InvalidOptionsError, match="expected the command of a, b: Kubeflow takes none"):
        kubeflow(pipeline(*(node(name, operations=()) for name in "ab")))


def test_variables_of_jobs_come_from_where_they_are_safe():
    bundle = kubeflow(
        pipeline(node("a", operations=())),
        nodes={"a": {"command": ["x"]}},
        environment={"ODD": "{{workflow.name}}", "EVEN": "1"},
        secrets={"KEY": {"secret": "vault", "key": "token"}},
    )

    assert container(bundle, "a")["env"] == [{"name": "EVEN", "value": "1"}]
    (secret,) = pod(bundle, "a")["secretAsEnv"]
    assert (secret["secretName"], secret["keyToEnv"]) == ("vault", [{"envVar": "KEY", "secretKey": "token"}])
    (odd,) = pod(bundle, "a")["configMapAsEnv"]
    held = next(each for each in objects(bundle).values() if each["metadata"]["name"] == odd["configMapName"])
    assert held["data"] == {"ODD": "{{workflow.name}}"}


def test_steps_need_a_release_that_has_sidecars():
    with pytest.raises(InvalidOptionsError, match=r"no node can stand beside a task before Kubeflow Pipelines 2\.18"):
        kubeflow(chain("a", "b"), mode="steps")


def test_that_release_chooses_steps_where_they_can_work():
    assert set(tasks(kubeflow(chain("a", "b"), release="2.18"))) == {"a-run", "b-run"}
    assert set(tasks(kubeflow(chain("a", "b"), release="2.17"))) == {"session", "teardown"}


def test_a_step_is_the_driver_with_its_node_beside_it():
    bundle = kubeflow(chain("a", "b"), **STEPS, gpu={"count": 2})

    (beside,) = pod(bundle, "b-run")["initContainers"]
    assert (beside["name"], beside["image"]) == ("node", "registry.example.org:5000/team/b:1.0")
    assert beside["restartPolicy"] == "Always"
    assert beside["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    assert "accelerator" not in container(bundle, "b-run")["resources"]
    assert container(bundle, "b-run")["args"][:4] == [
        "call",
        "--pipeline=/etc/slipway/pipeline",
        "--node=b",
        "--operation=run",
    ]


def test_an_edge_is_an_artifact():
    bundle = kubeflow(chain("a", "b"), **STEPS)

    name = "a-run-to-b-run"
    assert f"--out=b.run={{{{$.outputs.artifacts['{name}'].path}}}}" in container(bundle, "a-run")["args"]
    assert f"--in=a.run={{{{$.inputs.artifacts['{name}'].path}}}}" in container(bundle, "b-run")["args"]
    assert tasks(bundle)["b-run"]["inputs"]["artifacts"][name] == {
        "taskOutputArtifact": {"outputArtifactKey": name, "producerTask": "a-run"}
    }


def test_nothing_is_taken_from_a_cache_that_knows_no_sidecars():
    made = tasks(kubeflow(chain("a", "b", "c"), **STEPS, caching={}))

    assert {name: task["cachingOptions"] for name, task in made.items()} == {"a-run": {}, "b-run": {}, "c-run": {}}


def test_splitters_run_in_the_driver_alone():
    inner = node("split", role=Role.SPLITTER, image=None)
    solution = pipeline(source("a"), inner, "b", edges=(edge("a.run", "split.run"), edge("split.run", "b.run")))

    bundle = kubeflow(solution, **STEPS)

    assert "initContainers" not in pod(bundle, "split-run")
    assert not any(each.startswith("--target") for each in container(bundle, "split-run")["args"])


def test_what_sidecars_cannot_take_is_refused():
    with pytest.raises(InvalidOptionsError, match="sidecars of Kubeflow take no others"):
        kubeflow(chain("a"), **STEPS, secrets={"KEY": {"secret": "vault", "key": "k"}})


def test_retries_wait_longer_each_time_and_a_run_is_never_repeated():
    bundle = kubeflow(chain("a"), retries={"limit": 5, "backoff": 1, "factor": 3, "maxBackoff": 60})

    assert tasks(bundle, "comp-session")["deploy"]["retryPolicy"] == {
        "maxRetryCount": 5,
        "backoffDuration": "1s",
        "backoffFactor": 3.0,
        "backoffMaxDuration": "60s",
    }
    assert "retryPolicy" not in tasks(bundle, "comp-session")["orchestrate"]


def test_a_step_may_have_a_deadline_of_its_own():
    bundle = kubeflow(chain("a"), **STEPS, nodes={"a": {"deadline": 30}}, deadlines={"start": 10})

    assert pod(bundle, "a-run")["activeDeadlineSeconds"] == str(30 + 10 + 120)
    assert "--timeout=30" in container(bundle, "a-run")["args"]


def test_the_parameters_of_a_pipeline_are_numbers_that_tasks_take():
    declared = documents(kubeflow(chain("a", "b"), deadlines={"run": 60}))[0]["root"]["inputDefinitions"]["parameters"]

    assert {name: (each["parameterType"], each["defaultValue"]) for name, each in declared.items()} == {
        "run-seconds": ("NUMBER_INTEGER", 60),
        "run-duration": ("NUMBER_INTEGER", 0),
        "run-iterations": ("NUMBER_INTEGER", 0),
    }


@pytest.mark.parametrize(
    ("value", "kind"), [(3, "NUMBER_INTEGER"), (0.5, "NUMBER_DOUBLE"), (True, "BOOLEAN"), ("x", "STRING")]
)
def test_a_parameter_has_the_type_of_its_value(value: ParameterValue, kind: str):
    assert ir.parameter(value) == {"parameterType": kind, "defaultValue": value, "isOptional": True}


def test_parameters_of_nodes_are_plain_variables_for_kubeflow_fills_in_none():
    given = {"LEVEL": 3, "RATIO": 0.5, "FAST": True, "NAME": "x"}

    bundle = kubeflow(pipeline(node("a", operations=())), nodes={"a": {"command": ["x"]}}, parameters=given)

    assert {each["name"]: each["value"] for each in container(bundle, "a")["env"]} == {
        "LEVEL": "3",
        "RATIO": "0.5",
        "FAST": "true",
        "NAME": "x",
    }
    assert "inputDefinitions" not in documents(bundle)[0]["root"]
    assert json.loads(bundle.files["kubeflow/run.json"])["parameters"] == {}
    assert told(bundle) == ["options.parameters"]


@pytest.mark.parametrize(
    ("deadlines", "own", "expected"), [({}, 0, "3720"), ({"run": 60}, 0, "180"), ({"run": 60}, 5, "125")]
)
def test_a_job_has_a_deadline_of_its_own_or_that_of_the_run(deadlines: dict[str, int], own: int, expected: str):
    chosen = {"a": {"command": ["x"], "deadline": own}}

    bundle = kubeflow(pipeline(node("a", operations=())), nodes=chosen, deadlines=deadlines)

    assert pod(bundle, "a")["activeDeadlineSeconds"] == expected


def test_a_job_may_take_all_the_time_where_nobody_limits_it():
    bundle = kubeflow(pipeline(node("a", operations=())), nodes={"a": {"command": ["x"]}}, deadlines={"run": 0})

    assert "activeDeadlineSeconds" not in pod(bundle, "a")


def test_a_schedule_is_for_the_script():
    schedule = {"cron": ["@daily"], "concurrency": "Allow", "timeZone": "Europe/Berlin"}

    bundle = kubeflow(chain("a"), schedule=schedule)

    assert json.loads(bundle.files["kubeflow/run.json"])["schedule"] == {
        "cron": ["@daily"],
        "suspended": False,
        "maxConcurrency": "10",
    }
    assert told(bundle) == ["options.schedule.concurrency", "options.schedule.timeZone"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"artifacts": {"key": "minio"}}, "options.artifacts"),
        ({"deadlines": {"workflow": 60}}, "options.deadlines.workflow"),
        ({**STEPS, "parameters": {"LEVEL": 1}}, "options.parameters"),
        ({**STEPS, "caching": {}}, "options.caching"),
        ({**STEPS, "runAsUser": 1000}, "options.runAsUser"),
        ({**STEPS, "runAsNonRoot": True}, "options.runAsNonRoot"),
        ({**STEPS, "imagePullPolicy": "Always"}, "options.imagePullPolicy"),
        ({**STEPS, "nodes": {"b": {"runAsNonRoot": True}}}, "options.nodes.b.runAsNonRoot"),
        ({**STEPS, "nodes": {"b": {"imagePullPolicy": "Never"}}}, "options.nodes.b.imagePullPolicy"),
        ({"schedule": {"cron": ["@daily"], "concurrency": "Allow"}}, "options.schedule.concurrency"),
        ({"schedule": {"cron": ["@daily"], "concurrency": "Replace"}}, "options.schedule.concurrency"),
        ({"schedule": {"cron": ["@daily"], "startingDeadline": 1}}, "options.schedule.startingDeadline"),
    ],
)
def test_what_kubeflow_cannot_do_is_told(options: dict[str, Any], path: str):
    assert told(kubeflow(chain("a", "b"), **options)) == [path]


def test_a_value_for_all_is_not_told_where_each_node_has_one_of_its_own():
    own = {name: {"imagePullPolicy": "IfNotPresent"} for name in "ab"}

    assert told(kubeflow(chain("a", "b"), **STEPS, imagePullPolicy="Always", nodes=own)) == []


@pytest.mark.parametrize(
    ("solution", "options"), [(chain("a", "b"), {"mode": "persistent"}), (model(), {"deadlines": {"run": 0}})]
)
def test_a_schedule_of_runs_that_never_end_is_told(solution: Solution, options: dict[str, Any]):
    schedule = {"cron": ["@daily"]}

    assert "options.schedule" in told(kubeflow(solution, schedule=schedule, **options), "option-unheard")
    assert "options.schedule" not in told(kubeflow(model(), schedule=schedule), "option-unheard")


def test_nodes_called_like_our_own_tasks_keep_out_of_their_way():
    bundle = kubeflow(chain("session", "deploy", "teardown"), **STEPS)

    assert len(tasks(bundle)) == 3
    jobs = pipeline(*(node(name, operations=()) for name in ("session", "deploy")))
    made = kubeflow(jobs, nodes={name: {"command": ["x"]} for name in ("session", "deploy")})
    assert not {"session", "deploy"} & set(tasks(made))


# --- releases

JOB = pipeline(node("a", operations=()))
COMMAND = {"nodes": {"a": {"command": ["x"]}}}


@pytest.mark.parametrize(
    ("solution", "options"),
    [(chain("a", "b"), {}), (chain("a", "b"), {"mode": "persistent"}), (model(), {}), (JOB, COMMAND)],
)
def test_what_nobody_has_chosen_asks_for_no_newer_kubeflow(solution: Solution, options: dict[str, Any]):
    oldest, usual = kubeflow(solution, release="2.14", **options), kubeflow(solution, **options)

    assert documents(oldest) == documents(usual)
    assert "securityContext" not in str(documents(usual))
    assert told(usual) == []


@pytest.mark.parametrize(
    ("release", "context", "paths"),
    [
        ("2.15", None, ["options.runAsUser", "options.nodes.a.runAsNonRoot"]),
        ("2.16", {"runAsUser": "1000", "runAsNonRoot": True}, []),
    ],
)
def test_who_runs_a_job_is_said_to_releases_that_take_it(release: str, context: Any, paths: list[str]):
    chosen = {"a": {"command": ["x"], "runAsNonRoot": True}}

    bundle = kubeflow(JOB, release=release, runAsUser=1000, nodes=chosen)

    assert pod(bundle, "a").get("securityContext") == context
    assert told(bundle) == paths


@pytest.mark.parametrize(
    ("release", "context", "count"), [("2.15", None, 2), ("2.16", {"runAsUser": "10001", "runAsNonRoot": True}, 1)]
)
def test_a_restricted_namespace_reads_in_the_pod_that_the_driver_is_not_root(release: str, context: Any, count: int):
    bundle = kubeflow(chain("a", "b"), profile="restricted", release=release)

    assert [pod(bundle, task).get("securityContext") for task in ("deploy", "orchestrate", "teardown")] == [context] * 3
    assert told(bundle) == ["options.profile"] * count


def test_secrets_and_texts_stand_without_a_field_that_came_late():
    made = {"a": {"command": ["x"]}}
    secrets = {"KEY": {"secret": "vault", "key": "token"}}

    bundle = kubeflow(JOB, nodes=made, secrets=secrets, environment={"ODD": "{{x}}"}, release="2.14")

    assert "optional" not in pod(bundle, "a")["secretAsEnv"][0]
    assert "optional" not in pod(bundle, "a")["configMapAsEnv"][0]


def test_a_release_on_which_nothing_works_is_refused():
    with pytest.raises(InvalidOptionsError, match=r"expected release 2\.14 or newer, found 2\.5"):
        kubeflow(chain("a", "b"), release="2.5")


@pytest.mark.parametrize(
    ("options", "release"),
    [
        ({}, b"2.14"),
        ({"profile": "restricted"}, b"2.16"),
        ({"release": "2.15", "profile": "restricted"}, b"2.14"),
        (STEPS, b"2.18"),
    ],
)
def test_the_readme_names_the_release_that_the_package_needs(options: dict[str, Any], release: bytes):
    assets = Assets(DEPLOYER.load_files(), IMAGES)

    readme = DEPLOYER.generate(chain("a", "b"), DEPLOYER.parse_options(options), assets).files["README.md"]

    assert b"\nKubeflow Pipelines " + release + b" or newer runs in the cluster." in readme


# --- hostile text

HOSTILE = (
    "{{workflow.name}}",
    "{{$.pipeline_job_uuid}}",
    "{{$.inputs.parameters['a']}}",
    '{"Concat": ["a"]}',
    "$(SLIPWAY_POD)",
    "`id`",
    "&id001",
    "!!python/object:os.system",
    "a: b - c # d",
    "ünï-cödé 日本語 😀",
    "x" * 300,
    "A b",
    "a-b",
    "A_b",
    "--pipeline=/etc",
    "session",
)


def hostile() -> SolutionFiles:
    """Return a pipeline in which every text that an author writes is hostile somewhere."""
    nodes = [
        {
            "container_name": name,
            "node_type": "{{workflow.uid}}",
            "image": "registry.example.org/x:1",
            "proto_uri": "{{$.outputs}}",
            "operation_signature_list": [
                {
                    "operation_signature": {
                        "operation_name": "{{$.inputs}}" if number % 3 == 0 else "run",
                        "input_message_name": "Empty" if number == 1 else "{{$.inputs}}",
                        "output_message_name": "&a *a $(id)",
                    },
                    "connected_to": [],
                }
            ],
        }
        for number, name in enumerate(HOSTILE)
    ]
    top = {"name": "{{workflow.name}} $(id) &a", "version": "{{=1+1}}", "nodes": nodes, "notes": "{{$.x}} \x00"}
    return SolutionFiles(name="{{workflow.name}}", blueprint=json.dumps(top).encode())


@pytest.mark.parametrize("mode", ["services", "persistent", "jobs"])
def test_a_hostile_blueprint_travels_byte_for_byte_and_nowhere_else(mode: str):
    files = hostile()
    solution = blueprint.parse(files).solution
    assert solution is not None

    bundle = built(files, mode=mode, nodes={each.name: {"command": ["run"]} for each in solution.workloads})

    assert travelled(bundle) == blueprint.emit(solution)
    inline = [data for path, data in bundle.files.items() if path.startswith("kubeflow/") and "configmap" not in path]
    assert not any(text in data for data in inline for text in (b"workflow.", b"Concat", b"$(id)", b"&id001", b"!!py"))
    live = {tag.text for document in documents(bundle) for tag in references(document, "")}
    ours = ("$.inputs.parameters['run-", "$.inputs.parameters['release']", "$.inputs.artifacts['endpoints']")
    assert all(tag.startswith((*ours, "$.outputs.artifacts['endpoints']", "$.pipeline_job_uuid")) for tag in live)


def test_hostile_values_reach_jobs_through_config_maps_only():
    values = {f"V{number}": text for number, text in enumerate(HOSTILE) if "{{" in text}

    bundle = kubeflow(pipeline(node("a", operations=())), nodes={"a": {"command": ["x"]}}, environment=values)

    held = next(each for path, each in objects(bundle).items() if path.endswith("variables.yaml"))
    assert held["data"] == values
    assert b"workflow." not in bundle.files[PIPELINE]


def told(bundle: Bundle, code: str = "kubeflow-cannot") -> list[str]:
    """Return the paths of the options that are told."""
    return [finding.path for finding in bundle.findings if finding.code == code]


def travelled(bundle: Bundle) -> bytes:
    """Return the blueprint as the driver finds it in the ConfigMaps, through as many layers as there are."""
    found = joined(objects(bundle).values())
    if pipeline_files.BLUEPRINT in found:
        return found[pipeline_files.BLUEPRINT]
    inner = [yaml.safe_load(data) for name, data in found.items() if "configmap" in name]
    return joined(inner)[pipeline_files.BLUEPRINT]


def deployed(bundle: Bundle) -> dict[str, bytes]:
    """Return the manifests that are deployed."""
    return joined(each for path, each in objects(bundle).items() if "configmap-bundle" in path)


def joined(manifests: Any) -> dict[str, bytes]:
    data: dict[str, bytes] = {}
    for manifest in manifests:
        if manifest["kind"] == "ConfigMap":
            data |= {name: text.encode() for name, text in manifest.get("data", {}).items()}
            data |= {name: base64.b64decode(text) for name, text in manifest.get("binaryData", {}).items()}
    return pipeline_files.join(data)
