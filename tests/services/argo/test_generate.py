"""The bundle: golden byte for byte, and each rule of Argo that decides whether a workflow runs and ends."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from support import golden
from support.solutions import folders, model, node, pipeline
from support.workflows import argo, built, chain, edge, objects, operation, source, spec, tasks, templates

from services.argo.generate import DEPLOYER
from shared import blueprint
from shared.bundle import Bundle
from shared.errors import InvalidOptionsError, InvalidSolutionError
from shared.orchestration import pipeline_files
from shared.solution import Role, SolutionFiles
from shared.workflows.lint.references import references

OPTIONS = "argo-options.json"
NOT_COMPARED = ("microservice/", "argo-script.py", "pipeline.binpb", "solution_")


@pytest.mark.parametrize("case", golden.cases(OPTIONS))
def test_a_solution_becomes_the_expected_bundle(case: str, request: pytest.FixtureRequest):
    made = golden.built(DEPLOYER, case, OPTIONS).files
    files = {path: data for path, data in made.items() if not path.startswith(NOT_COMPARED)}

    expected = golden.GOLDEN / case / "expected-argo"
    kept = golden.kept(expected, files, regenerate=request.config.getoption("--regenerate"))
    assert {path: data.decode() for path, data in files.items()} == kept


def test_the_same_solution_gives_the_same_bundle():
    assert argo(chain("a", "b")).digest == argo(chain("a", "b")).digest


def test_what_a_workflow_needs_is_applied_and_the_workflow_itself_is_submitted():
    resources = yaml.safe_load(argo(chain("a", "b")).files["kustomization.yaml"])["resources"]

    assert "argo/workflow.yaml" not in resources
    assert resources.index("argo/serviceaccount.yaml") < resources.index("argo/workflow-template.yaml")


def test_each_submission_gets_a_name_of_its_own():
    metadata = objects(argo(chain("a")))["argo/workflow.yaml"]["metadata"]

    assert "name" not in metadata
    assert metadata["generateName"].endswith("-")


# --- steps


def test_a_step_is_the_driver_with_its_node_beside_it():
    step = templates(argo(chain("a", "b")))["b-run"]

    assert step["container"]["command"] == ["slipway-driver"]
    assert step["container"]["args"][:5] == [
        "call",
        "--pipeline=/etc/slipway/pipeline",
        "--node=b",
        "--operation=run",
        "--target=localhost:8061",
    ]
    assert [(sidecar["name"], sidecar["image"]) for sidecar in step["sidecars"]] == [
        ("node", "registry.example.org:5000/team/b:1.0")
    ]


def test_an_edge_is_an_artifact_that_nobody_packs():
    bundle = argo(chain("a", "b"))

    (written,) = templates(bundle)["a-run"]["outputs"]["artifacts"]
    assert written == {"name": "a-run-to-b-run", "path": "/tmp/a-run-to-b-run.binpb", "archive": {"none": {}}}
    assert tasks(bundle)["b-run"]["arguments"]["artifacts"] == [
        {"name": "a-run-to-b-run", "from": "{{tasks.a-run.outputs.artifacts.a-run-to-b-run}}"}
    ]
    assert tasks(bundle)["b-run"]["depends"] == "a-run"


def test_a_source_is_called_as_often_as_the_parameter_says():
    made = templates(argo(chain("a", "b"), iterations=3))

    assert "--iterations={{workflow.parameters.run-iterations}}" in made["a-run"]["container"]["args"]
    assert not any("--iterations" in argument for argument in made["b-run"]["container"]["args"])


def test_splitters_run_in_the_driver_and_have_no_sidecar():
    inner = node("split", role=Role.SPLITTER, image=None)
    solution = pipeline(source("a"), inner, "b", edges=(edge("a.run", "split.run"), edge("split.run", "b.run")))

    step = templates(argo(solution))["split-run"]

    assert "sidecars" not in step
    assert not any(argument.startswith("--target") for argument in step["container"]["args"])


def test_a_gpu_is_given_to_the_node_and_not_to_the_driver():
    step = templates(argo(chain("a"), gpu={"count": 2}))["a-run"]

    assert step["sidecars"][0]["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    assert "nvidia.com/gpu" not in step["container"]["resources"]["limits"]


def test_retries_wait_longer_each_time():
    made = argo(chain("a"), retries={"limit": 5, "backoff": 1, "factor": 3, "maxBackoff": 60})

    assert templates(made)["a-run"]["retryStrategy"] == {
        "limit": "5",
        "retryPolicy": "Always",
        "backoff": {"duration": "1s", "factor": 3, "cap": "60s"},
    }
    assert "retryStrategy" not in templates(argo(chain("a"), retries={"limit": 0}))["a-run"]


def test_a_task_may_have_a_deadline_of_its_own():
    step = templates(argo(chain("a"), nodes={"a": {"deadline": 30}}, deadlines={"start": 10}))["a-run"]

    assert "--timeout=30" in step["container"]["args"]
    assert step["activeDeadlineSeconds"] == 30 + 10 + 120


def test_a_cached_step_is_known_by_its_image_and_all_that_comes_in():
    made = templates(argo(chain("a", "b", "c"), caching={"maxAge": 60}))

    memo = made["b-run-Kept"]["memoize"]
    assert memo["maxAge"] == "60s"
    assert memo["key"].endswith("-{{inputs.parameters.digest-1}}")
    assert made["a-run"]["outputs"]["parameters"] == [{"name": "digest", "valueFrom": {"path": "/tmp/digest"}}]
    assert "a-run-Kept" not in made, "a source is asked anew each time"
    assert "c-run-Kept" not in made, "what a sink does, it does outside"


def test_another_image_is_another_key():
    keys = [
        templates(
            argo(
                pipeline(
                    source("a"), node("b", image=image), "c", edges=(edge("a.run", "b.run"), edge("b.run", "c.run"))
                ),
                caching={},
            )
        )["b-run-Kept"]["memoize"]["key"]
        for image in ("x:1", "x:2")
    ]

    assert keys[0] != keys[1]


def test_no_policy_of_a_deployment_takes_a_workflow_s_pods_for_its_own():
    made = argo(chain("a", "b"), mode="persistent", profile="restricted")

    labels = spec(made)["podMetadata"]["labels"]
    assert {"app", "app.kubernetes.io/instance"} & set(labels) == set()


def test_runs_from_a_template_are_found_like_all_others():
    made = objects(argo(chain("a", "b")))

    template = made["argo/workflow-template.yaml"]["spec"]
    assert template["workflowMetadata"]["labels"] == made["argo/workflow.yaml"]["metadata"]["labels"]


def test_each_run_has_a_release_of_its_own():
    made = templates(argo(chain("a", "b"), mode="persistent"))

    assert "--name={{workflow.name}}" in made["deploy"]["container"]["args"]
    assert "--name={{workflow.name}}" in made["teardown"]["container"]["args"]


def test_a_model_without_a_deadline_is_held_until_it_is_stopped():
    made = argo(model(), deadlines={"run": 0})

    assert templates(made)["hold"]["suspend"] == {}
    assert "activeDeadlineSeconds" not in spec(made)


def test_a_deadline_that_was_chosen_ends_a_model_that_is_held():
    assert spec(argo(model(), deadlines={"run": 0, "workflow": 60}))["activeDeadlineSeconds"] == 60
    assert spec(argo(model()))["activeDeadlineSeconds"] == 86400


def test_a_schedule_of_what_is_held_until_it_is_stopped_is_told():
    found = argo(model(), deadlines={"run": 0}, schedule={"cron": ["@daily"]}).findings

    assert [finding.path for finding in found if finding.code == "option-unheard"] == ["options.schedule"]


def test_a_step_with_many_inputs_cannot_be_cached():
    sources = [source(f"s{number}") for number in range(8)]
    solution = pipeline(
        *sources,
        "end",
        "last",
        edges=(*(edge(f"{s.name}.run", "end.run") for s in sources), edge("end.run", "last.run")),
    )

    made = argo(solution, caching={})

    assert "memoize" not in templates(made)["end-run"]
    assert "step-not-cached" in {finding.code for finding in made.findings}


def test_what_argo_fetches_as_its_own_user_can_be_read_by_the_driver():
    (read,) = templates(argo(chain("a", "b")))["b-run"]["inputs"]["artifacts"]

    assert read == {"name": "a-run-to-b-run", "path": "/slipway/in/a-run-to-b-run.binpb", "mode": 0o444}


def test_artifacts_lie_where_the_administrator_says():
    assert spec(argo(chain("a"), artifacts={"key": "minio"}))["artifactRepositoryRef"] == {
        "configMap": "artifact-repositories",
        "key": "minio",
    }


def test_a_node_that_nobody_calls_runs_beside_the_steps():
    bundle = argo(pipeline(node("page", operations=()), source("a")))

    page = templates(bundle)["page"]
    assert page["daemon"] is True
    assert "readinessProbe" not in page["container"]


# --- services


def test_daemons_and_orchestrator_are_in_one_dag():
    bundle = argo(chain("a", "b"), mode="services")

    assert list(tasks(bundle)) == ["a", "b", "orchestrate"]
    assert tasks(bundle)["orchestrate"]["depends"] == "a && b"
    assert tasks(bundle)["orchestrate"]["arguments"]["parameters"] == [
        {"name": "a", "value": "{{tasks.a.ip}}"},
        {"name": "b", "value": "{{tasks.b.ip}}"},
    ]
    assert "--node=a={{inputs.parameters.a}}:8061" in templates(bundle)["orchestrate"]["container"]["args"]


def test_a_daemon_counts_as_started_once_its_port_answers():
    container = templates(argo(chain("a", "b"), mode="services"))["a"]["container"]

    assert container["readinessProbe"]["tcpSocket"] == {"port": 8061}
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 1200


def test_a_daemon_is_started_anew_only_when_argo_lost_it():
    assert templates(argo(chain("a", "b"), mode="services"))["a"]["retryStrategy"]["retryPolicy"] == "OnError"


def test_the_orchestrator_never_runs_a_pipeline_twice():
    assert "retryStrategy" not in templates(argo(chain("a", "b"), mode="services"))["orchestrate"]


def test_stable_names_are_services_that_go_with_the_workflow():
    bundle = argo(chain("a", "b"), mode="services", stableDns=True)

    address = templates(bundle)["address"]
    service = yaml.safe_load(address["resource"]["manifest"])
    assert (address["resource"]["setOwnerReference"], service["spec"]["clusterIP"]) == (True, "None")
    assert service["spec"]["selector"]["workflows.argoproj.io/workflow"] == "{{workflow.name}}"
    assert tasks(bundle)["orchestrate"]["arguments"]["parameters"][0] == {
        "name": "a",
        "value": "{{tasks.a-address.outputs.parameters.service}}",
    }
    assert objects(bundle)["argo/role-deployer.yaml"]["rules"] == [
        {"apiGroups": [""], "resources": ["services"], "verbs": ["create", "get"]},
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
    ]
    # Argo's executor makes the Service, not the account of the pod.
    account = address["executor"]["serviceAccountName"]
    assert objects(bundle)["argo/rolebinding-deployer.yaml"]["subjects"] == [
        {"kind": "ServiceAccount", "name": account}
    ]
    assert objects(bundle)["argo/secret-deployer.yaml"]["metadata"]["name"] == f"{account}.service-account-token"
    assert "serviceAccountName" not in address


def test_a_model_is_held_for_the_time_of_the_run():
    bundle = argo(model("classifier"))

    assert tasks(bundle)["hold"]["depends"] == "classifier"
    assert templates(bundle)["hold"]["suspend"] == {"duration": "{{workflow.parameters.run-seconds}}"}


# --- persistent and jobs


def test_a_persistent_workflow_deploys_holds_and_removes():
    bundle = argo(chain("a", "b"), mode="persistent")

    deploy = templates(bundle)["deploy"]
    assert "--owner=Workflow/{{workflow.name}}/{{workflow.uid}}" in deploy["container"]["args"]
    assert tasks(bundle)["hold"]["depends"] == "deploy"
    assert templates(bundle)["hold"]["suspend"] == {}
    assert spec(bundle)["onExit"] == "finish"
    assert templates(bundle)["finish"]["steps"][0][0]["template"] == "teardown"
    assert "activeDeadlineSeconds" not in spec(bundle)


def test_only_deploying_tasks_may_create_and_only_what_is_deployed():
    bundle = argo(chain("a", "b"), mode="persistent")

    rules = objects(bundle)["argo/role-deployer.yaml"]["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {
        "configmaps",
        "deployments",
        "networkpolicies",
        "services",
    }
    with_account = {name for name, made in templates(bundle).items() if "serviceAccountName" in made}
    assert with_account == {"deploy", "teardown"}


def test_a_workflow_may_make_claims_and_never_delete_them():
    rules = objects(argo(chain("a", shared_folders=folders("/data")), mode="persistent"))["argo/role-deployer.yaml"][
        "rules"
    ]

    (claims,) = [rule for rule in rules if rule["resources"] == ["persistentvolumeclaims"]]
    assert claims["verbs"] == ["create", "get", "list", "patch"]


def test_what_is_deployed_is_known_by_its_kind_whatever_stands_in_it():
    plain, odd = (argo(chain("a"), mode="persistent", environment={"V": text}) for text in ("x", "kind: Secret\nx: 1"))

    assert objects(plain)["argo/role-deployer.yaml"] == objects(odd)["argo/role-deployer.yaml"]


def test_jobs_run_their_containers_in_order():
    bundle = argo(pipeline(*(node(name, operations=()) for name in ("load", "train"))))

    assert tasks(bundle)["train"]["depends"] == "load"
    assert templates(bundle)["train"]["container"]["image"] == "registry.example.org:5000/team/train:1.0"


def test_a_job_ends_with_the_deadline_of_the_run():
    solution = pipeline(*(node(name, operations=()) for name in ("load", "train")))

    made = templates(argo(solution, deadlines={"run": 60}, nodes={"train": {"deadline": 30}}))

    assert (made["load"]["activeDeadlineSeconds"], made["train"]["activeDeadlineSeconds"]) == (60 + 120, 30 + 120)


def test_shared_folders_are_made_writable_once_before_everything_else():
    bundle = argo(chain("a", "b", shared_folders=folders("/data")))

    assert tasks(bundle)["a-run"]["depends"] == "prepare"
    claim = objects(bundle)["argo/pvc.yaml"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    volume = next(each for each in spec(bundle)["volumes"] if each["name"] == "shared-folder")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


# --- rights, schedules, names


def test_containers_of_the_author_get_no_token():
    made = spec(argo(chain("a", "b"), mode="services"))

    assert made["automountServiceAccountToken"] is False
    assert made["executor"]["serviceAccountName"].endswith("-executor")
    assert not any("automountServiceAccountToken" in template for template in made["templates"])


def test_the_executor_s_token_lies_where_argo_looks_for_it():
    secret = objects(argo(chain("a")))["argo/secret-executor.yaml"]

    account = secret["metadata"]["annotations"]["kubernetes.io/service-account.name"]
    assert secret["metadata"]["name"] == f"{account}.service-account-token"
    assert "data" not in secret


def test_no_mesh_takes_part():
    assert spec(argo(chain("a")))["podMetadata"]["labels"]["sidecar.istio.io/inject"] == "false"


def test_a_schedule_becomes_a_cron_workflow():
    made = objects(argo(chain("a"), schedule={"cron": ["@daily", "0 6 * * 1"], "timeZone": "Europe/Berlin"}))

    cron = made["argo/cron-workflow.yaml"]["spec"]
    assert (cron["schedules"], cron["timezone"], cron["concurrencyPolicy"]) == (
        ["@daily", "0 6 * * 1"],
        "Europe/Berlin",
        "Forbid",
    )
    assert cron["workflowSpec"] == made["argo/workflow.yaml"]["spec"]


def test_without_a_schedule_there_is_none():
    assert "argo/cron-workflow.yaml" not in argo(chain("a")).files


def test_values_of_parameters_are_texts():
    made = argo(chain("a"), parameters={"LEVEL": 3, "FAST": True})

    assert {each["name"]: each["value"] for each in spec(made)["arguments"]["parameters"]} == {
        "run-seconds": "3600",
        "run-iterations": "0",
        "LEVEL": "3",
        "FAST": "true",
    }
    (level, *_) = templates(made)["a-run"]["sidecars"][0]["env"]
    assert level == {"name": "LEVEL", "value": "{{workflow.parameters.LEVEL}}"}


def test_secrets_are_named_and_never_written():
    made = argo(chain("a"), secrets={"KEY": {"secret": "vault", "key": "token"}})

    assert templates(made)["a-run"]["sidecars"][0]["env"] == [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "token"}}}
    ]


def test_nodes_called_like_our_own_tasks_keep_out_of_their_way():
    bundle = argo(chain("pipeline", "report", "orchestrate"), mode="services")

    assert len(templates(bundle)) == len(spec(bundle)["templates"]) == 3 + 3


@pytest.mark.parametrize("name", ["in", "not", "map", "len"])
def test_a_node_called_like_a_word_of_expressions_is_a_task_of_another_name(name: str):
    bundle = argo(chain("a", name), mode="services")

    assert name not in tasks(bundle)
    assert f"--node={name}=" in " ".join(templates(bundle)["orchestrate"]["container"]["args"])


def test_commands_that_argo_has_to_look_up_are_told_of():
    (finding,) = [each for each in argo(chain("a", "b")).findings if each.code == "command-unknown"]

    assert "a, b" in finding.found
    commands = {name: {"command": ["python3", "run.py"]} for name in "ab"}
    assert not any(each.code == "command-unknown" for each in argo(chain("a", "b"), nodes=commands).findings)


def test_the_restricted_profile_holds_for_all_our_containers():
    made = templates(argo(chain("a"), profile="restricted", runAsUser=1000))["a-run"]

    for container in (made["container"], made["sidecars"][0]):
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert made["sidecars"][0]["securityContext"]["runAsUser"] == 1000


def test_three_hundred_operations_fit_into_one_object():
    bundle = argo(chain(*(f"node-{number}" for number in range(300))))

    assert bundle.findings.errors == ()
    assert len(bundle.files["argo/workflow.yaml"]) < 1 << 20


# --- hostile text

HOSTILE = (
    "{{workflow.name}}",
    "{{=sprig.env('HOME')}}",
    "$(id)",
    "`id`",
    "&id001",
    "*id001",
    "!!python/object:os.system",
    "a: b - c # d",
    "ünï-cödé 日本語 😀",
    "x" * 300,
    "A b",
    "a-b",
    "A_b",
    "{{inputs.parameters.a}}",
    "--pipeline=/etc",
    "report",
)


OURS = {f"workflow.{name}" for name in ("name", "namespace", "uid", "status")}


def hostile() -> SolutionFiles:
    """Return a pipeline in which every text that an author writes is hostile somewhere."""
    nodes = [
        {
            "container_name": name,
            "node_type": "{{workflow.uid}}",
            "image": "registry.example.org/x:1",
            "proto_uri": "{{workflow.uid}}",
            "operation_signature_list": [
                {
                    "operation_signature": {
                        "operation_name": "{{workflow.uid}}" if number % 3 == 0 else "run",
                        "input_message_name": "Empty" if number == 1 else "{{workflow.uid}}",
                        "output_message_name": "&a *a $(id)",
                    },
                    "connected_to": [],
                }
            ],
        }
        for number, name in enumerate(HOSTILE)
    ]
    top = {
        "name": "{{workflow.name}} $(id) &a",
        "version": "{{=1+1}}",
        "nodes": nodes,
        "notes": "{{workflow.uid}} \x00",
    }
    return SolutionFiles(name="{{workflow.name}}", blueprint=json.dumps(top).encode())


@pytest.mark.parametrize("mode", ["steps", "services", "persistent", "jobs"])
def test_a_hostile_blueprint_travels_byte_for_byte_and_nowhere_else(mode: str):
    files = hostile()
    if mode == "steps":
        with pytest.raises(InvalidOptionsError, match="no rpc can be called"):
            built(files, mode=mode)
        return

    bundle = built(files, mode=mode)

    solution = blueprint.parse(files).solution
    assert solution is not None
    assert travelled(bundle) == blueprint.emit(solution)
    inline = [data for path, data in bundle.files.items() if path.startswith("argo/") and "configmap" not in path]
    assert not any(text in data for data in inline for text in (b"{{=", b"sprig.", b"$(id)", b"&id001", b"!!python"))
    live = {
        tag.text for path, each in objects(bundle).items() if "configmap" not in path for tag in references(each, "")
    }
    assert all(tag.startswith(("workflow.parameters.run-", "tasks.", "inputs.parameters.")) for tag in live - OURS)


def test_hostile_text_in_steps_reaches_containers_through_config_maps_only():
    values = {f"V{number}": text for number, text in enumerate(HOSTILE) if "{{" in text}

    bundle = argo(chain("a", "b"), environment=values)

    held = next(each for path, each in objects(bundle).items() if path.endswith("variables.yaml"))
    assert held["data"] == values
    assert b"sprig" not in bundle.files["argo/workflow.yaml"]


def test_a_mount_path_that_argo_would_read_is_refused():
    files = SolutionFiles(
        name="",
        blueprint=json.dumps(
            {
                "name": "p",
                "nodes": [
                    {
                        "container_name": "/data/{{workflow.uid}}",
                        "node_type": "SharedFolder",
                        "operation_signature_list": [],
                    },
                    {"container_name": "a", "node_type": "MLModel", "image": "x:1", "operation_signature_list": []},
                ],
            }
        ).encode(),
    )

    with pytest.raises(InvalidSolutionError) as refusal:
        built(files)

    assert "mount-path-live" in {finding.code for finding in refusal.value.findings.errors}


def travelled(bundle: Bundle) -> bytes:
    """Return the blueprint as the driver finds it in the ConfigMaps, through as many layers as there are."""
    found = joined(objects(bundle).values())
    if pipeline_files.BLUEPRINT in found:
        return found[pipeline_files.BLUEPRINT]
    inner = [yaml.safe_load(data) for name, data in found.items() if "configmap" in name]
    return joined(inner)[pipeline_files.BLUEPRINT]


def joined(manifests: Any) -> dict[str, bytes]:
    data: dict[str, bytes] = {}
    for manifest in manifests:
        if manifest["kind"] == "ConfigMap":
            data |= {name: text.encode() for name, text in manifest.get("data", {}).items()}
            data |= {name: base64.b64decode(text) for name, text in manifest.get("binaryData", {}).items()}
    return pipeline_files.join(data)


def test_an_operation_of_one_name_in_two_nodes_is_two_tasks():
    nodes = [node(name, operations=(operation("Run", "Empty"),)) for name in ("a", "b")]

    assert len(tasks(argo(pipeline(*nodes)))) == 2


def test_the_golden_cases_show_every_mode():
    options = [json.loads((golden.GOLDEN / case / OPTIONS).read_bytes()) for case in golden.cases(OPTIONS)]

    assert {each.get("mode") for each in options} >= {"steps", "services", "persistent", "jobs"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mode": "steps", "stableDns": True}, ["options.stableDns"]),
        ({"mode": "services", "artifacts": {"key": "minio"}}, ["options.artifacts"]),
        ({"mode": "persistent", "schedule": {"cron": ["@daily"]}}, ["options.schedule"]),
        ({"mode": "persistent", "deadlines": {"workflow": 60}}, ["options.deadlines.workflow"]),
        ({"mode": "services", "deadlines": {"workflow": 60}}, []),
        ({"mode": "steps", "artifacts": {"key": "minio"}, "schedule": {"cron": ["@daily"]}}, []),
        ({"mode": "services", "stableDns": True}, []),
    ],
)
def test_an_option_of_argo_that_the_mode_has_no_use_for_is_told(options: dict[str, Any], told: list[str]):
    found = argo(chain("a", "b"), **options).findings

    assert [finding.path for finding in found if finding.code == "option-unheard"] == told


def test_a_run_that_outlives_its_workflow_is_refused():
    with pytest.raises(InvalidOptionsError, match=r"duration: expected less than deadlines.workflow \(86400\)"):
        argo(model(), duration=100_000)


def test_what_is_live_is_refused_with_its_place():
    with pytest.raises(InvalidOptionsError, match=r"parameters\.LEVEL: expected no"):
        argo(chain("a", "b"), parameters={"LEVEL": "{{workflow.name}}"})
