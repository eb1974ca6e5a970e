"""Deployments, Jobs and their pods."""

from __future__ import annotations

from typing import Any

import pytest
from support.solutions import assets, folders, model, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.solution import Solution


def _objects(options: dict[str, Any], solution: Solution | None = None) -> dict[str, dict[str, Any]]:
    return objects(generate(solution or pipeline("a", "b"), DEPLOYER.parse_options(options), assets()))


def _pod(options: dict[str, Any], name: str = "a", solution: Solution | None = None) -> dict[str, Any]:
    made = _objects(options, solution)
    path = next(
        path for path in made if path in {f"deployments/{name}_deployment.yaml", f"deployments/{name}_job.yaml"}
    )
    pod: dict[str, Any] = made[path]["spec"]["template"]["spec"]
    return pod


def _pods(options: dict[str, Any], solution: Solution) -> list[dict[str, Any]]:
    made = _objects(options, solution).values()
    return [m["spec"]["template"]["spec"] for m in made if m["kind"] in {"Deployment", "Job"}]


def test_a_node_becomes_a_deployment_with_graphene_s_names_and_ports() -> None:
    made = _objects({})["deployments/a_deployment.yaml"]

    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert made["metadata"]["name"] == container["name"] == "a"
    assert made["spec"]["selector"]["matchLabels"]["app"] == "a"
    assert container["image"] == "registry.example.org:5000/team/a:1.0"
    assert container["ports"] == [
        {"name": "protobuf-api", "containerPort": 8061},
        {"name": "webui", "containerPort": 8062},
    ]


def test_a_job_runs_to_completion_and_keeps_the_logs_of_what_failed() -> None:
    made = _objects({"nodes": {"a": {"kind": "job"}}})

    job = made["deployments/a_job.yaml"]
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert "deployments/a_deployment.yaml" not in made


def test_gitops_tools_are_told_to_make_a_changed_job_anew() -> None:
    made = _objects({"nodes": {"a": {"kind": "job"}}})

    assert made["deployments/a_job.yaml"]["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Replace=true,Force=true",
        "kustomize.toolkit.fluxcd.io/force": "enabled",
    }
    assert "annotations" not in made["deployments/b_deployment.yaml"]["metadata"]


def test_a_job_keeps_its_service_and_is_not_waited_for() -> None:
    options = {"nodes": {"a": {"kind": "job"}}}

    assert _objects(options)["deployments/a_service.yaml"]["spec"]["ports"][0]["port"] == 8556
    assert "readinessProbe" not in _pod(options)["containers"][0]


@pytest.mark.parametrize(("probes", "check"), [("tcp", "tcpSocket"), ("grpc", "grpc")])
def test_a_node_has_twenty_minutes_to_open_its_port(probes: str, check: str) -> None:
    (container,) = _pod({"probes": probes})["containers"]

    startup = container["startupProbe"]
    assert startup[check] == container["readinessProbe"][check] == {"port": 8061}
    assert startup["periodSeconds"] * startup["failureThreshold"] == 1200


def test_a_rollout_is_not_given_up_while_a_node_may_still_start() -> None:
    assert _objects({})["deployments/a_deployment.yaml"]["spec"]["progressDeadlineSeconds"] > 1200


def test_without_probes_nothing_is_waited_for() -> None:
    (container,) = _pod({"probes": "none"})["containers"]

    assert not {"startupProbe", "readinessProbe", "livenessProbe"} & container.keys()


@pytest.mark.parametrize("profile", ["default", "restricted"])
def test_no_pod_gets_a_token_or_may_gain_privileges(profile: str) -> None:
    pods = _pods({"profile": profile}, pipeline("a", probe=True, shared_folders=folders("/data")))

    for pod in pods:
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        containers = pod["containers"] + pod.get("initContainers", [])
        assert {c["securityContext"]["allowPrivilegeEscalation"] for c in containers} == {False}


@pytest.mark.parametrize("solution", [model(), pipeline("a", "b", probe=True)], ids=["model", "pipeline"])
def test_restricted_pods_fulfil_the_pod_security_standard(solution: Solution) -> None:
    """The fields that the standard of that name asks for, one by one."""
    pods = _pods({"profile": "restricted", "nodes": {solution.nodes[0].name: {"kind": "job"}}}, solution)

    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"].get("runAsUser") != 0
        assert {c["securityContext"]["capabilities"]["drop"][0] for c in pod["containers"]} == {"ALL"}
        assert [key for volume in pod.get("volumes", []) for key in volume if key not in {"name", *_ALLOWED}] == []
        assert "initContainers" not in pod


_ALLOWED = {"configMap", "emptyDir", "persistentVolumeClaim", "projected"}


def test_restricted_pods_run_under_an_account_of_their_own() -> None:
    made = _objects({"profile": "restricted"})

    account = made["deployments/serviceaccount.yaml"]
    assert account["automountServiceAccountToken"] is False
    for name in ("a", "b", "orchestrator"):
        pod = made[f"deployments/{name}_deployment.yaml"]["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == account["metadata"]["name"]


def test_other_pods_run_under_the_default_account() -> None:
    assert "serviceAccountName" not in _pod({})


def test_an_image_may_run_as_root_unless_somebody_objects() -> None:
    assert "runAsNonRoot" not in _pod({})["securityContext"]
    assert _pod({"runAsNonRoot": True, "runAsUser": 1000})["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
        "runAsUser": 1000,
    }


def test_an_accelerator_is_freed_before_the_next_generation_asks_for_it() -> None:
    made = _objects({"nodes": {"a": {"gpu": {}}}})

    assert made["deployments/a_deployment.yaml"]["spec"]["strategy"] == {"type": "Recreate"}
    assert "strategy" not in made["deployments/b_deployment.yaml"]["spec"]


def test_placement_and_pulling_are_as_chosen() -> None:
    pod = _pod(
        {
            "nodeSelector": {"pool": "models"},
            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}],
            "imagePullSecrets": ["one", "two"],
            "imagePullPolicy": "Always",
        }
    )

    assert pod["nodeSelector"] == {"pool": "models"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}]
    assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert pod["containers"][0]["imagePullPolicy"] == "Always"


def test_variables_are_texts_whatever_they_look_like() -> None:
    environment = {"YES": "y", "NUMBER": "1e3", "OCTAL": "08", "EMPTY": "", "LINES": "a\nb: c\n---\n"}

    (container,) = _pod({"environment": environment})["containers"]

    assert {variable["name"]: variable["value"] for variable in container["env"]} == environment


def test_replicas_are_those_of_the_node() -> None:
    made = _objects({"replicas": 0, "nodes": {"b": {"replicas": 4}}})

    counts = {
        name: made[f"deployments/{name}_deployment.yaml"]["spec"]["replicas"] for name in ("a", "b", "orchestrator")
    }
    assert counts == {"a": 0, "b": 4, "orchestrator": 1}
