"""Options for all nodes and for one node, put together."""

from __future__ import annotations

from typing import Any

import pytest
from support.solutions import folders, model, node, pipeline

from kubernetes_client.generate import DEPLOYER
from shared.errors import InvalidOptionsError
from shared.kubernetes.choices import Choice, choose, choose_for_orchestrator, choose_for_probe
from shared.kubernetes.grammar import amount
from shared.solution import Role, Solution


def _chosen(options: dict[str, Any], solution: Solution | None = None) -> dict[str, Choice]:
    return choose(solution or pipeline("a", "b"), DEPLOYER.parse_options(options))


def test_a_value_for_one_node_takes_the_place_of_the_value_for_all() -> None:
    chosen = _chosen({"replicas": 3, "nodes": {"b": {"replicas": 1}}})

    assert (chosen["a"].replicas, chosen["b"].replicas) == (3, 1)


def test_false_and_empty_values_for_one_node_count() -> None:
    options = {"webui": True, "imagePullSecrets": ["x"], "nodes": {"b": {"webui": False, "imagePullSecrets": []}}}

    chosen = _chosen(options)

    assert (chosen["b"].webui, chosen["b"].image_pull_secrets) == (False, ())
    assert (chosen["a"].webui, chosen["a"].image_pull_secrets) == (True, ("x",))


def test_variables_of_one_node_are_added_to_those_for_all_and_win() -> None:
    chosen = _chosen({"environment": {"A": "1", "B": "1"}, "nodes": {"b": {"environment": {"B": "2", "C": "2"}}}})

    assert chosen["b"].environment == {"A": "1", "B": "2", "C": "2"}


def test_numbers_and_truth_values_of_variables_become_the_texts_that_their_author_meant() -> None:
    options = {"environment": {"PORT": 8080, "RATE": 0.5}, "nodes": {"b": {"environment": {"DEBUG": True, "N": -1}}}}

    chosen = _chosen(options)

    assert chosen["b"].environment == {"PORT": "8080", "RATE": "0.5", "DEBUG": "true", "N": "-1"}


def test_numbers_of_resources_become_texts_and_are_compared() -> None:
    options = {"resources": {"requests": {"cpu": 1, "memory": 1073741824}, "limits": {"cpu": 1.5, "memory": "1Gi"}}}

    assert _chosen(options)["a"].resources == {
        "requests": {"cpu": "1", "memory": "1073741824"},
        "limits": {"cpu": "1.5", "memory": "1Gi"},
    }


def test_a_number_above_the_limit_is_refused_like_a_text() -> None:
    with pytest.raises(InvalidOptionsError, match="expected a cpu request of at most the limit 1, found 2"):
        _chosen({"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1"}}})


def test_a_node_may_be_named_as_in_the_blueprint() -> None:
    solution = pipeline(node("model-1-abcd", container_name="Model_1"))

    assert _chosen({"nodes": {"Model_1": {"replicas": 2}}}, solution)["model-1-abcd"].replicas == 2


def test_the_name_in_the_bundle_wins_where_it_is_another_node_s_original_name() -> None:
    solution = pipeline(node("a-1", container_name="a"), node("a", container_name="A"))

    chosen = _chosen({"nodes": {"a": {"replicas": 2}}}, solution)

    assert (chosen["a"].replicas, chosen["a-1"].replicas) == (2, 1)


def test_an_unknown_node_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(InvalidOptionsError, match='expected one of a, b, found "c"'):
        _chosen({"nodes": {"c": {"replicas": 2}}})


def test_a_node_without_a_workload_has_no_options() -> None:
    with pytest.raises(InvalidOptionsError, match="expected one of a, found"):
        _chosen({"nodes": {"split": {}}}, pipeline("a", node("split", role=Role.SPLITTER, image=None)))


def test_a_node_named_twice_is_refused() -> None:
    solution = pipeline(node("model-1", container_name="Model_1"))

    with pytest.raises(InvalidOptionsError, match="under both of its names"):
        _chosen({"nodes": {"Model_1": {}, "model-1": {}}}, solution)


def test_a_node_requests_something_and_has_no_limit_by_default() -> None:
    assert _chosen({})["a"].resources == {"requests": {"cpu": "100m", "memory": "256Mi"}}


def test_a_default_request_yields_to_a_limit() -> None:
    chosen = _chosen({"nodes": {"a": {"resources": {"limits": {"memory": "64Mi"}}}}})

    assert chosen["a"].resources == {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}


def test_resources_of_one_node_are_merged_field_by_field() -> None:
    options = {
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
        "nodes": {"a": {"resources": {"requests": {"memory": "2Gi"}}}},
    }

    assert _chosen(options)["a"].resources == {
        "requests": {"cpu": "1", "memory": "2Gi"},
        "limits": {"memory": "4Gi"},
    }


@pytest.mark.parametrize(("request_", "limit"), [("2Gi", "1Gi"), ("1Gi", "1G"), ("1", "0.5"), ("600m", "0.5")])
def test_a_request_above_the_limit_is_refused(request_: str, limit: str) -> None:
    kind = "memory" if request_.endswith("i") else "cpu"

    with pytest.raises(InvalidOptionsError, match=f"expected a {kind} request of at most the limit {limit}"):
        _chosen({"resources": {"requests": {kind: request_}, "limits": {kind: limit}}})


@pytest.mark.parametrize(
    ("text", "value"), [("500m", "0.5"), ("2", "2"), ("1k", "1000"), ("1.5Ki", "1536"), ("1Gi", "1073741824")]
)
def test_an_amount_is_what_kubernetes_takes_it_for(text: str, value: str) -> None:
    assert amount(text) == amount(value)
    assert str(amount(value)) == value


def test_accelerators_are_a_limit_of_the_device_plugin_s_resource() -> None:
    chosen = _chosen({"nodes": {"a": {"gpu": {"count": 2, "resource": "amd.com/gpu"}}}})

    assert chosen["a"].resources["limits"] == {"amd.com/gpu": "2"}
    assert chosen["a"].has_gpu


def test_null_takes_an_accelerator_away_from_one_node() -> None:
    chosen = _chosen({"gpu": {}, "nodes": {"b": {"gpu": None}}})

    assert (chosen["a"].has_gpu, chosen["b"].has_gpu) == (True, False)


def test_an_ingress_of_all_nodes_gives_each_its_own_host() -> None:
    chosen = _chosen({"webuiIngress": {"host": "*.apps.example.org"}})

    hosts = [choice.webui_ingress.host for choice in chosen.values() if choice.webui_ingress]
    assert hosts == ["a.apps.example.org", "b.apps.example.org"]


def test_two_web_uis_cannot_have_one_host() -> None:
    with pytest.raises(InvalidOptionsError, match=r"found apps\.example\.org for 2 nodes"):
        _chosen({"webuiIngress": {"host": "apps.example.org"}})


def test_a_node_without_web_ui_has_no_ingress() -> None:
    chosen = _chosen({"webuiIngress": {"host": "apps.example.org"}, "nodes": {"b": {"webui": False}}})

    assert (chosen["a"].webui_ingress is not None, chosen["b"].webui_ingress) == (True, None)


def test_a_job_runs_once() -> None:
    with pytest.raises(InvalidOptionsError, match="expected no replicas with kind job"):
        _chosen({"nodes": {"a": {"kind": "job", "replicas": 2}}})


@pytest.mark.parametrize("off", [{"webui": False}, {"kind": "job"}], ids=str)
def test_an_ingress_for_a_node_without_web_ui_is_refused(off: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionsError, match=r"^options: nodes\.a\.webuiIngress: expected a web UI"):
        _chosen({"nodes": {"a": {**off, "webuiIngress": {"host": "apps.example.org"}}}})


@pytest.mark.parametrize("off", [{"webui": False}, {"nodes": {"a": {"webui": False}, "b": {"kind": "job"}}}], ids=str)
def test_an_ingress_for_all_nodes_where_none_has_a_web_ui_is_refused(off: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionsError, match=r"^options: webuiIngress: expected a node with a web UI"):
        _chosen({**off, "webuiIngress": {"host": "*.apps.example.org"}})


def test_an_ingress_for_all_nodes_goes_to_the_one_that_has_a_web_ui() -> None:
    options = {"webui": False, "webuiIngress": {"host": "apps.example.org"}, "nodes": {"b": {"webui": True}}}

    chosen = _chosen(options)

    assert [name for name, choice in chosen.items() if choice.webui_ingress] == ["b"]


def test_null_is_no_ingress_and_needs_no_web_ui() -> None:
    assert _chosen({"nodes": {"a": {"webui": False, "webuiIngress": None}}})["a"].webui_ingress is None


@pytest.mark.parametrize(("given", "webui"), [({}, False), ({"webui": True}, True)])
def test_a_job_has_a_web_ui_only_where_its_own_options_say_so(given: dict[str, Any], *, webui: bool) -> None:
    chosen = _chosen({"webui": True, "nodes": {"a": {"kind": "job", **given}}})

    assert (chosen["a"].webui, chosen["b"].webui) == (webui, True)


def test_replicas_for_all_nodes_leave_a_job_alone() -> None:
    assert _chosen({"replicas": 3, "nodes": {"a": {"kind": "job"}}})["a"].is_job


@pytest.mark.parametrize("options", [{"profile": "restricted"}, {"runAsNonRoot": True}], ids=str)
def test_root_is_refused_where_nobody_may_be_root(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionsError, match="expected another runAsUser than 0"):
        _chosen({**options, "nodes": {"a": {"runAsUser": 0}}})


def test_a_node_without_operations_is_not_waited_for() -> None:
    solution = pipeline("a", node("idle", operations=()), node("web", node_type="REST"))

    chosen = _chosen({}, solution)

    assert [choice.probes for choice in chosen.values()] == ["tcp", "none", "none"]


def test_a_node_without_operations_is_waited_for_where_its_options_say_so() -> None:
    solution = pipeline("a", node("idle", operations=()))

    assert _chosen({"nodes": {"idle": {"probes": "grpc"}}}, solution)["idle"].probes == "grpc"


def test_a_model_is_waited_for_although_only_its_proto_knows_its_operations() -> None:
    assert _chosen({}, model())["model"].probes == "tcp"


def test_the_orchestrator_has_resources_and_variables_of_its_own() -> None:
    options = {"gpu": {}, "replicas": 5, "environment": {"A": "1"}, "probes": "none", "runAsUser": 7}
    own = {"orchestrator": {"environment": {"B": "2"}, "resources": {"limits": {"cpu": "2"}}}}

    choice = choose_for_orchestrator(pipeline("a"), DEPLOYER.parse_options(options | own))

    assert choice.resources == {
        "requests": {"cpu": "2", "memory": "256Mi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }
    assert (choice.replicas, choice.environment, choice.probes, choice.run_as_user) == (1, {"B": "2"}, "tcp", 10001)


def test_placement_and_pulling_hold_for_the_orchestrator_and_the_probe_too() -> None:
    options = DEPLOYER.parse_options(
        {"nodeSelector": {"pool": "x"}, "tolerations": [{"operator": "Exists"}], "imagePullSecrets": ["s"]}
    )

    for choice in (choose_for_orchestrator(pipeline("a"), options), choose_for_probe(options)):
        assert (choice.node_selector, choice.image_pull_secrets, len(choice.tolerations)) == ({"pool": "x"}, ("s",), 1)


@pytest.mark.parametrize("for_all", [True, False])
def test_a_variable_that_the_bundle_sets_cannot_be_given(*, for_all: bool) -> None:
    environment = {"environment": {"SHARED_FOLDER_PATH_2": "/elsewhere"}}
    given = environment if for_all else {"nodes": {"a": environment}}

    with pytest.raises(InvalidOptionsError, match="no variable SHARED_FOLDER_PATH_2: it is set by the bundle"):
        _chosen(given, pipeline("a", shared_folders=folders("/data", "/other")))


def test_the_orchestrator_s_own_variables_cannot_be_given() -> None:
    options = DEPLOYER.parse_options({"orchestrator": {"environment": {"SLIPWAY_AUTOSTART": "no"}}})

    with pytest.raises(InvalidOptionsError, match="no variable SLIPWAY_AUTOSTART: it is set by the bundle"):
        choose_for_orchestrator(pipeline("a"), options)
