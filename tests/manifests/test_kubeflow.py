"""Every Kubeflow bundle, in every mode that applies: Kubeflow's own protobufs, and the schemas of Kubernetes for the rest."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.kubeflow_bundles import OPTIONS, documents, every_bundle, kubeflow, objects
from support.solutions import IMAGES, model, node, pipeline
from support.workflows import chain

from shared import blueprint
from shared.errors import InvalidOptionsError
from tests.bench import pipelines

GRAPHS = 50
OF_KUBEFLOW = ("Pipeline", "PipelineVersion")
HERE = Path(__file__).parent
Tools = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def emitted(test_data: Path) -> dict[str, Any]:
    """Return the bundle of every solution in every mode, or its refusal."""
    return {f"{name} {mode}": made for name, mode, made in every_bundle(test_data, GRAPHS, OPTIONS)}


@pytest.fixture(scope="module")
def python(tools: Tools) -> Path:
    """Return the Python beside Kubeflow's SDK."""
    return tools("kfp", "kfp-requirements.txt") / "python"


@pytest.fixture(scope="module")
def oldest(tools: Tools) -> Path:
    """Return the Python beside the oldest of Kubeflow's SDKs that knows what all of our packages hold."""
    return tools("kfp-oldest", "kfp-oldest-requirements.txt") / "python"


def parsed(python: Path, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    command = [python, "-W", "ignore", HERE / "kfp_parse.py"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=900)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_kubeflow_s_protobufs_take_both_documents_of_every_pipeline(emitted: dict[str, Any], python: Path):
    bundles = {name: each for name, each in emitted.items() if not isinstance(each, InvalidOptionsError)}
    both = {name: documents(bundle) for name, bundle in bundles.items()}

    *wrong, summary = parsed(
        python, ({"source": name, "pipeline": one, "platform": other} for name, (one, other) in both.items())
    )

    assert wrong == []
    assert summary["parsed"] == len(both) > 150
    assert summary["with sidecars"] > 0
    assert {name.rpartition(" ")[2] for name in both} == {"steps", "services", "persistent", "jobs"}


def test_the_oldest_release_takes_what_asks_for_no_newer_one(oldest: Path):
    job = pipeline(node("a", operations=()))
    asked: dict[str, Any] = {
        "secrets": {"KEY": {"secret": "vault", "key": "k"}},
        "environment": {"ODD": "{{x}}"},
        **{key: OPTIONS[key] for key in ("gpu", "nodeSelector", "tolerations", "imagePullSecrets")},
    }
    made = {
        "services": kubeflow(chain("a", "b")),
        "persistent": kubeflow(chain("a", "b"), mode="persistent"),
        "model": kubeflow(model()),
        "jobs": kubeflow(job, nodes={"a": {"command": ["x"]}}),
        "much": kubeflow(job, nodes={"a": {"command": ["x"]}}, **asked, release="2.14", runAsUser=1000),
        "restricted": kubeflow(chain("a", "b"), profile="restricted", release="2.14"),
        "newer": kubeflow(chain("a", "b"), profile="restricted", release="2.16"),
    }
    both = {name: documents(bundle) for name, bundle in made.items()}

    *wrong, _ = parsed(
        oldest, ({"source": name, "pipeline": one, "platform": other} for name, (one, other) in both.items())
    )

    assert {each["source"] for each in wrong} == {"newer"}
    assert all("securityContext" in each["problem"] for each in wrong)


def test_the_protobufs_notice_what_is_wrong(python: Path):
    pipeline, platform = documents(kubeflow(chain("a", "b")))
    broken = copy.deepcopy(pipeline), copy.deepcopy(platform)
    broken[0]["root"]["dag"]["task"] = {}
    broken[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-deploy"]["configMapsAsVolume"] = []

    *wrong, _ = parsed(python, [{"source": "broken", "pipeline": broken[0], "platform": broken[1]}])

    assert len(wrong) == 2


def test_every_other_object_is_valid(
    emitted: dict[str, Any], validated: Callable[[Iterable[tuple[str, dict[str, Any]]]], list[dict[str, Any]]]
):
    entries = [
        (f"{name} {path}", each)
        for name, bundle in emitted.items()
        if not isinstance(bundle, InvalidOptionsError)
        for path, each in objects(bundle).items()
        if each["kind"] not in OF_KUBEFLOW
    ]

    *wrong, summary = validated(entries)

    assert wrong == []
    assert summary == {"validated": len(entries)}


# --- beside the compiler


def test_the_compiler_s_output_for_the_same_graph_differs_only_where_it_has_to(python: Path):
    bundle = kubeflow(chain("a", "b"))
    ours = documents(bundle)
    maps = [next(name_of(bundle, word)) for word in ("bundle", "pipeline")]
    command = [python, "-W", "ignore", HERE / "kfp_compile.py", str(IMAGES.orchestrator), *maps]
    done = subprocess.run(
        [*command, ours[0]["pipelineInfo"]["name"]], capture_output=True, text=True, check=True, timeout=120
    )
    theirs = tuple(yaml.safe_load_all(done.stdout))

    assert as_the_compiler(ours[0]) == theirs[0]
    assert without_labels(ours[1]) == theirs[1]
    assert b"\nschemaVersion" in bundle.files["kubeflow/pipeline.yaml"]


def test_what_is_measured_beside_the_compiler_is_the_same_pipeline(python: Path, tmp_path: Path):
    program, package = HERE.parent / "bench" / "kfp_emission.py", tmp_path / "package.yaml"
    subprocess.run([python, "-W", "ignore", program, "--once", "3", package], check=True, timeout=120)
    theirs = tuple(yaml.safe_load_all(package.read_text()))
    bundle = kubeflow(blueprint.parse(pipelines.files(3)).solution, mode="steps", release="2.18")

    ours = as_measured(documents(bundle))

    assert ours == theirs
    assert set(ours[0]["deploymentSpec"]["executors"]) == {"exec-node0-run", "exec-node1-run", "exec-node2-run"}


def as_measured(both: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Any, Any]:
    """Return our documents with the names that a program in Python gives, and without sidecars, which the SDK does not know."""
    text = json.dumps(both)
    text = re.sub(r"(?<=\$\.inputs\.artifacts\[')[^']*", "given", text)
    text = re.sub(r"(?<=\$\.outputs\.artifacts\[')[^']*", "made", text)
    text = re.sub(r'(?<="outputArtifactKey": ")[^"]*', "made", text)
    text = re.sub(r"(?<=[\"'])run-([a-z]+)(?=[\"'])", r"run_\1", text)
    text = re.sub(r"-[0-9a-f]{8}-pipeline-1", "-00000000-pipeline-1", text)
    pipeline, platform = json.loads(text)
    ends = [("given", each["inputs"]) for each in pipeline["root"]["dag"]["tasks"].values()]
    for each in pipeline["components"].values():
        ends += [("given", each.get("inputDefinitions", {})), ("made", each.get("outputDefinitions", {}))]
    for name, end in ends:
        if "artifacts" in end:
            (artifact,) = end["artifacts"].values()
            end["artifacts"] = {name: artifact}
    for executor in pipeline["deploymentSpec"]["executors"].values():
        executor["container"]["args"] = [concatenated(each) for each in executor["container"]["args"]]
    for executor in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        del executor["initContainers"]
    return pipeline, platform


def as_the_compiler(pipeline: dict[str, Any]) -> Any:
    """Return our document as the compiler would have written it; each difference has its reason."""
    # The compiler names a group by its kind and a number, and keeps the name that it was given as a text for people.
    # Parameters of Python have no `-`; those that a group takes from around it get a prefix.
    inner = json.dumps(pipeline["components"]["comp-session"]).replace(
        '"componentInputParameter": "run-', '"componentInputParameter": "pipelinechannel--run_'
    )
    components = {**pipeline["components"], "comp-session": json.loads(inner)}
    names = components["comp-session"]["inputDefinitions"]["parameters"]
    components["comp-session"]["inputDefinitions"]["parameters"] = {
        f"pipelinechannel--{name.replace('-', '_')}": each for name, each in names.items()
    }
    root = copy.deepcopy(pipeline["root"])
    session = root["dag"]["tasks"].pop("session")
    session["componentRef"]["name"] = "comp-exit-handler-1"
    given = session["inputs"]["parameters"]
    session["inputs"]["parameters"] = {
        f"pipelinechannel--{name.replace('-', '_')}": {"componentInputParameter": name.replace("-", "_")}
        for name in given
    }
    root["dag"]["tasks"]["exit-handler-1"] = session
    teardown = root["dag"]["tasks"]["teardown"]
    teardown["dependentTasks"] = ["exit-handler-1"]
    teardown["inputs"]["parameters"]["status"]["taskFinalStatus"]["producerTask"] = "exit-handler-1"
    components["comp-exit-handler-1"] = components.pop("comp-session")
    text = json.dumps({**pipeline, "components": components, "root": root})
    text = re.sub(r"(?<=[\"'])run-([a-z]+)(?=[\"'])", r"run_\1", text)
    made = json.loads(text)
    for executor in made["deploymentSpec"]["executors"].values():
        # Kubeflow replaces placeholders inside of a text, too; the compiler knows no way to write one.
        executor["container"]["args"] = [concatenated(each) for each in executor["container"]["args"]]
    return made


def concatenated(argument: str) -> str:
    if "{{$" not in argument:
        return argument
    before, braces, placeholder = argument.partition("{{$")
    return json.dumps({"Concat": [before, braces + placeholder]})


def without_labels(platform: dict[str, Any]) -> dict[str, Any]:
    """Return our platform document without labels: people, policies and meshes need them, the compiler writes none."""
    found = copy.deepcopy(platform)
    for executor in found["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        del executor["podMetadata"]
    return found


def name_of(bundle: Any, word: str) -> Iterable[str]:
    return (each["metadata"]["name"] for path, each in objects(bundle).items() if f"configmap-{word}" in path)
