"""The plan: what every emitter finds in it, whatever the engine."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from support.solutions import assets, folders, model, node, pipeline
from support.workflows import chain, edge, operation, source

from shared.blueprint import emit
from shared.errors import InvalidOptionsError
from shared.orchestration import pipeline_files
from shared.solution import Solution
from shared.workflows import plan
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import Policy


def planned(solution: Solution, *, reserved: frozenset[str] = frozenset(), **options: Any) -> WorkflowPlan:
    return plan.make(solution, msgspec.convert(options, Policy), assets(), engine="argo", reserved=reserved)


def test_every_edge_is_an_artifact_from_its_step_to_the_next():
    first, second, third = planned(chain("a", "b", "c")).steps

    assert [artifact.file for artifact in first.outputs] == ["a-run-to-b-run.binpb"]
    assert second.inputs == first.outputs
    assert (third.after, third.outputs) == (("b-run",), ())
    assert (first.is_source, second.is_source) == (True, False)


def test_a_step_with_two_edges_waits_for_both():
    solution = pipeline(source("a"), source("b"), "c", edges=(edge("a.run", "c.run"), edge("b.run", "c.run")))

    assert planned(solution).steps[2].after == ("a-run", "b-run")


def test_a_node_that_is_called_like_a_task_of_the_engine_gets_another_name():
    made = planned(chain("report", "b"), reserved=frozenset({"report"}), mode="services")

    assert made.services[0].name.startswith("report-")
    assert made.services[0].node.name == "report"


def test_the_pipeline_travels_whole():
    solution = chain("a", "b")

    joined = pipeline_files.join({k: v for _, data in planned(solution).pipeline_maps for k, v in data.items()})

    assert joined["blueprint.json"] == emit(solution)
    assert set(joined) == {"blueprint.json", "dockerinfo.json", "pipeline.binpb"}


def test_a_large_pipeline_travels_in_pieces():
    solution = chain("a", "b")
    big = {"name": "pipeline", "nodes": [], "notes": ["é" * 200] * 1000}

    made = planned(Solution(**{name: getattr(solution, name) for name in solution.__slots__} | {"document": big}))

    assert len(made.pipeline_maps) > 3
    joined = pipeline_files.join({k: v for _, data in made.pipeline_maps for k, v in data.items()})
    assert joined == dict(made.pipeline)


def test_config_maps_of_another_content_have_another_name():
    names = [planned(chain("a", last)).pipeline_maps[0][0] for last in ("b", "c")]

    assert names[0] != names[1]


def test_jobs_without_edges_run_one_after_the_other_before_what_edges_join():
    jobs = [node(name, operations=()) for name in ("first", "second")]
    solution = pipeline(*jobs, source("a"), "b", edges=(edge("a.run", "b.run"),))

    made = planned(solution, mode="jobs")

    assert {job.name: job.after for job in made.jobs} == {
        "first": (),
        "second": ("first",),
        "a": ("second",),
        "b": ("a",),
    }
    assert made.last_jobs == ("b",)


def test_a_node_that_is_told_to_be_a_job_runs_before_the_steps():
    seed = node("seed", operations=())
    made = planned(pipeline(seed, source("a")), nodes={"seed": {"kind": "job"}})

    assert ([job.name for job in made.jobs], made.last_jobs) == (["seed"], ("seed",))
    assert made.mode is Mode.STEPS


def turns_of(made: WorkflowPlan) -> dict[str, str]:
    """Return the turns that manifests say, by the file of the manifest."""
    found = {name: yaml.safe_load(content)["metadata"].get("annotations", {}) for name, content in made.bundle.items()}
    return {name: each["slipway.dev/turn"] for name, each in found.items() if "slipway.dev/turn" in each}


@pytest.mark.parametrize("mode", ["services", "persistent"])
def test_jobs_that_are_deployed_have_their_turns_in_the_order_of_the_blueprint(mode: str):
    solution = pipeline(node("seed", operations=()), node("deal", operations=()), source("a"))
    chosen = msgspec.convert({"mode": mode, "nodes": {"seed": {"kind": "job"}, "deal": {"kind": "job"}}}, Policy)

    made = plan.make(solution, chosen, assets(), engine="argo", reserved=frozenset(), deployed=frozenset(Mode))

    assert turns_of(made) == {"deployments.seed_job.yaml": "0001", "deployments.deal_job.yaml": "0002"}


def test_a_job_that_the_orchestrator_calls_has_no_turn_before_it():
    solution = pipeline(node("seed", operations=()), source("a"), "b", edges=(edge("a.run", "b.run"),))

    made = planned(solution, mode="persistent", nodes={"seed": {"kind": "job"}, "a": {"kind": "job"}})

    assert turns_of(made) == {"deployments.seed_job.yaml": "0001"}


def test_a_node_that_nobody_calls_is_told_of():
    made = planned(pipeline(node("page", operations=()), source("a")))

    (finding,) = [each for each in made.findings if each.code == "node-kind-guessed"]
    assert finding.found == "no operation: it is taken for a service, and ends with the run"


def test_a_variable_with_live_text_travels_apart():
    (made,) = planned(pipeline(source("a")), environment={"PLAIN": "x", "ODD": "{{workflow.name}}"}).services

    assert (dict(made.variables), dict(made.texts)) == ({"PLAIN": "x"}, {"ODD": "{{workflow.name}}"})


@pytest.mark.parametrize(
    "options",
    [
        {"environment": {"KEY": "1"}, "parameters": {"KEY": "2"}},
        {"environment": {"KEY": "1"}, "secrets": {"KEY": {"secret": "s", "key": "k"}}},
        {"parameters": {"KEY": 1}, "secrets": {"KEY": {"secret": "s", "key": "k"}}},
        {"parameters": {"SHARED_FOLDER_PATH": "/x"}},
    ],
)
def test_a_variable_has_one_source(options: dict[str, Any]):
    with pytest.raises(InvalidOptionsError, match="expected one source of the variable"):
        planned(pipeline(source("a"), shared_folders=folders("/data")), **options)


def test_an_override_may_stand_under_the_name_in_the_blueprint():
    solution = pipeline(source("model-a", container_name="Model A"))

    assert planned(solution, nodes={"Model A": {"deadline": 5}}).services[0].deadline == 5
    with pytest.raises(InvalidOptionsError, match="found it under both of its names"):
        planned(solution, nodes={"Model A": {}, "model-a": {}})


def test_an_override_of_nobody_is_refused():
    with pytest.raises(InvalidOptionsError, match=r"options: nodes: expected one of a, found \"b\""):
        planned(pipeline(source("a")), nodes={"b": {}})


def test_a_mount_path_with_live_text_is_an_error():
    made = planned(pipeline(source("a"), shared_folders=folders("/data/{{workflow.name}}")))

    assert [finding.code for finding in made.findings.errors] == ["mount-path-live"]


def test_a_secret_in_the_environment_is_told_of():
    made = planned(pipeline(source("a")), environment={"DB_PASSWORD": "hunter2"})

    (finding,) = [each for each in made.findings if each.code == "secret-in-the-open"]
    assert "hunter2" not in str(finding)


def test_parameters_keep_their_types():
    made = planned(pipeline(source("a")), parameters={"LEVEL": 3, "FAST": True, "NAME": "x", "RATE": 0.5})

    assert made.parameters == {
        "run-seconds": 3600,
        "run-iterations": 0,
        "LEVEL": 3,
        "FAST": True,
        "NAME": "x",
        "RATE": 0.5,
    }


def unheard(plan: WorkflowPlan) -> list[str]:
    return [finding.path for finding in plan.findings.warnings if finding.code == "option-unheard"]


def test_only_a_run_that_can_be_ended_well_has_a_duration():
    services = planned(chain("a", "b"), mode="services", duration=60)
    steps = planned(chain("a", "b"), mode="steps", duration=60)

    assert services.parameters == {"run-seconds": 3600, "run-duration": 60, "run-iterations": 0}
    assert steps.parameters == {"run-seconds": 3600, "run-iterations": 0}
    assert unheard(steps) == ["options.duration"]
    assert unheard(services) == []


@pytest.mark.parametrize(
    ("mode", "option", "value", "told"),
    [
        ("persistent", "iterations", 3, ["options.iterations"]),
        ("steps", "iterations", 3, []),
        ("services", "caching", {}, ["options.caching"]),
        ("services", "nodes", {"a": {"caching": {}}}, ["options.caching"]),
        ("steps", "caching", {}, []),
        ("persistent", "parameters", {"LEVEL": 1}, ["options.parameters"]),
        ("persistent", "deadlines", {"run": 60}, ["options.deadlines.run"]),
        ("services", "nodes", {"a": {"deadline": 60}}, ["options.nodes.a.deadline"]),
        ("steps", "nodes", {"a": {"deadline": 60}}, []),
        ("services", "parameters", {"LEVEL": 1}, []),
        ("persistent", "nodes", {"a": {"retries": {"limit": 7}}}, ["options.nodes.a.retries"]),
        ("services", "nodes", {"a": {"retries": {"limit": 7}}}, []),
        ("persistent", "retries", {"limit": 7}, []),
        ("steps", "probes", "grpc", ["options.probes"]),
        ("steps", "nodes", {"b": {"probes": "grpc"}}, ["options.nodes.b.probes"]),
        ("jobs", "nodes", {"b": {"probes": "grpc"}}, ["options.nodes.b.probes"]),
        ("services", "probes", "grpc", []),
        ("steps", "probes", "tcp", []),
    ],
)
def test_an_option_that_the_mode_has_no_use_for_is_told(mode, option, value, told):
    assert unheard(planned(chain("a", "b"), mode=mode, **{option: value})) == told


@pytest.mark.parametrize(("mode", "told"), [("services", []), ("persistent", ["options.nodes.seed.deadline"])])
def test_a_deadline_of_a_job_is_told_where_the_job_is_deployed(mode: str, told: list[str]):
    solution = pipeline(node("seed", operations=()), source("a"))

    made = planned(solution, mode=mode, nodes={"seed": {"kind": "job", "deadline": 60}})

    assert unheard(made) == told


@pytest.mark.parametrize("mode", ["services", "persistent", "steps", "jobs"])
def test_a_job_is_never_asked_whether_it_is_ready(mode: str):
    solution = pipeline(node("seed", operations=()), source("a"))

    made = planned(solution, mode=mode, nodes={"seed": {"kind": "job", "probes": "grpc"}})

    assert unheard(made) == ["options.nodes.seed.probes"]


def test_a_node_that_runs_beside_the_steps_is_asked_as_is_wanted():
    solution = pipeline(node("page", operations=()), source("a"))

    made = planned(solution, mode="steps", nodes={"page": {"kind": "service", "probes": "grpc"}})

    assert (made.services[0].choice.probes, unheard(made)) == ("grpc", [])


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, 3600),
        ({"deadlines": {"run": 60}}, 60),
        ({"deadlines": {"run": 0}}, 0),
        ({"nodes": {"a": {"deadline": 5}}}, 5),
    ],
)
def test_a_job_without_a_deadline_has_that_of_the_run(options: dict[str, Any], seconds: int):
    (job,) = planned(chain("a"), mode="jobs", **options).jobs

    assert job.deadline == seconds


@pytest.mark.parametrize(
    ("options", "is_open_ended"),
    [({}, False), ({"deadlines": {"run": 0}}, True), ({"deadlines": {"run": 0}, "duration": 60}, False)],
)
def test_a_model_that_is_held_for_no_time_is_held_until_somebody_stops_it(
    options: dict[str, Any], *, is_open_ended: bool
):
    assert planned(model(), **options).is_open_ended is is_open_ended


def test_a_run_that_has_to_fail_before_it_may_end_well_is_refused():
    with pytest.raises(InvalidOptionsError, match=r"duration: expected less than deadlines.run \(3600\), found 7200"):
        planned(chain("a", "b"), mode="services", duration=7200)

    assert planned(chain("a", "b"), mode="services", duration=7200, deadlines={"run": 0}).policy.duration == 7200


@pytest.mark.parametrize(("duration", "held"), [(0, 3600), (60, 60)])
def test_a_model_is_held_for_the_wanted_time(duration, held):
    assert planned(model(), duration=duration).parameters == {"run-seconds": held}


def test_a_model_is_a_service_without_a_pipeline():
    made = planned(model())

    assert (made.mode, made.pipeline, made.pipeline_maps) == (Mode.SERVICES, {}, ())
    assert [service.is_called for service in made.services] == [True]


def test_persistent_carries_the_manifests_of_a_deployment():
    made = planned(chain("a", "b"), mode="persistent")

    assert {"deployments.a_deployment.yaml", "deployments.orchestrator_deployment.yaml"} <= set(made.bundle)
    assert pipeline_files.join({k: v for _, data in made.bundle_maps for k, v in data.items()}) == dict(made.bundle)


def test_operations_that_nobody_can_call_leave_other_modes():
    solution = pipeline(node("a", operations=(operation("{{workflow.name}}", "Empty"),)))

    assert planned(solution).mode is Mode.SERVICES
