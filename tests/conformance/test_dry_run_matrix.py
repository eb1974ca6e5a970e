"""Every sample × every engine × every mode that fits it, dry-run as a person would: each comes to a good end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.bundles import sample_options
from support.dry_runs import processes_in, statuses
from support.playground import table
from support.solutions import IMAGES, ROOT, read

from services.argo.generate import DEPLOYER as ARGO
from services.kubeflow.generate import DEPLOYER as KUBEFLOW
from shared.deployer import Assets
from shared.errors import InvalidOptionsError
from shared.solution import SolutionFiles
from shared.workflows.dry_run import programs, running
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome

ENGINES: dict[str, Any] = {"argo": ARGO, "kubeflow": KUBEFLOW}
COMMAND = {"command": ["python3", "node.py"]}
SEED = {"nodes": {"seed": {"kind": "job", **COMMAND}}}
STREAM = {"run-duration": "1"}
ONCE = {"run-iterations": "1"}
CASES: list[tuple[str, str, Mapping[str, str]]] = [
    ("calculator", "steps", {}),
    ("calculator", "services", {}),
    ("calculator", "persistent", {}),
    ("code-breaker", "steps", ONCE),  # its player is asked anew for ever when no other operation tells it
    ("code-breaker", "services", {}),
    ("code-breaker", "persistent", {}),
    ("sensor-stream", "services", STREAM),
    ("sensor-stream", "persistent", {}),
    ("sentiment", "services", {"run-seconds": "60"}),
    ("sentiment", "persistent", {}),
    ("word-count", "steps", {}),
    ("word-count", "services", {}),
    ("word-count", "persistent", {}),
]
UNFIT = {
    ("calculator", "jobs"),
    ("code-breaker", "jobs"),
    ("sensor-stream", "steps"),
    ("sentiment", "steps"),
    ("sentiment", "jobs"),
}


@pytest.fixture(scope="module")
def table_of_samples(tmp_path_factory: pytest.TempPathFactory) -> programs.Programs:
    """Return the programs of our samples."""
    folder = tmp_path_factory.mktemp("images")
    table(folder)
    return programs.read(folder)


def built(engine: str, files: SolutionFiles, **options: Any) -> Mapping[str, bytes]:
    release = {"release": "2.18"} if engine == "kubeflow" else {}
    deployer = ENGINES[engine]
    found: Mapping[str, bytes] = deployer.build(
        files, deployer.parse_options({**release, **options}), Assets({}, IMAGES)
    ).files
    return found


def tried(files: Mapping[str, bytes], table: programs.Programs, work: Path, **parameters: str) -> Outcome:
    options = Options(parameters, hold_seconds=0.5, longest_wait_seconds=0.2, within_seconds=90)
    return running.run(files, table, work, options, lambda _: None)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_it_comes_to_a_good_end(
    table_of_samples: programs.Programs,
    tmp_path: Path,
    engine: str,
    case: tuple[str, str, Mapping[str, str]],
) -> None:
    sample, mode, parameters = case
    own = SEED if sample == "word-count" else sample_options(sample)
    hurried = {"environment": {"PATIENCE_SECONDS": "0.2"}}
    bundle = built(engine, read(ROOT / "samples" / sample), **own, **hurried, mode=mode)

    found = tried(bundle, table_of_samples, tmp_path, **parameters)

    assert found.status == "Succeeded", found
    assert set(statuses(found).values()) <= {"Succeeded", "Daemoned"}
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("sample", "mode"), sorted(UNFIT))
def test_a_mode_that_does_not_fit_is_refused_when_the_bundle_is_built(engine: str, sample: str, mode: str) -> None:
    with pytest.raises(InvalidOptionsError, match=f"found {mode}"):
        built(engine, read(ROOT / "samples" / sample), **sample_options(sample), mode=mode)


@pytest.mark.parametrize("engine", ENGINES)
def test_nodes_that_serve_never_end_as_jobs_and_are_named_when_their_time_is_over(
    table_of_samples: programs.Programs, tmp_path: Path, engine: str
) -> None:
    nodes = {"nodes": {"seed": {"kind": "job", **COMMAND}, **dict.fromkeys(("writer", "counter", "reporter"), COMMAND)}}
    bundle = built(engine, read(ROOT / "samples" / "word-count"), mode="jobs", **nodes)
    options = Options(within_seconds=5)

    found = running.run(bundle, table_of_samples, tmp_path, options, lambda _: None)

    assert found.status == "Failed"
    cut = [task.path.rpartition("/")[2] for task in found.tasks if task.reason == "it was ended while it ran"]
    assert "writer" in cut


def large(sample: str) -> SolutionFiles:
    """Return a sample whose descriptors need many ConfigMaps."""
    files = read(ROOT / "samples" / sample)
    more = "\n".join(
        f"message Unused{number} {{ string a_field_with_a_long_name_{number} = 1; }}" for number in range(3000)
    )
    protos = {name: content + more.encode() for name, content in files.protos.items()}
    return dataclasses.replace(files, protos=protos)


@pytest.mark.parametrize(
    ("engine", "sample", "mode"),
    [
        ("argo", "code-breaker", "persistent"),
        ("kubeflow", "calculator", "steps"),
        ("kubeflow", "code-breaker", "services"),
    ],
)
def test_so_does_a_solution_that_fills_many_config_maps(
    table_of_samples: programs.Programs, tmp_path: Path, engine: str, sample: str, mode: str
) -> None:
    bundle = built(engine, large(sample), mode=mode)

    assert sum("configmap-" in name for name in bundle) > 2
    assert tried(bundle, table_of_samples, tmp_path).status == "Succeeded"


def test_nodes_that_are_called_by_the_names_of_services_are_found(
    table_of_samples: programs.Programs, tmp_path: Path
) -> None:
    bundle = built("argo", read(ROOT / "samples" / "code-breaker"), stableDns=True)

    found = tried(bundle, table_of_samples, tmp_path)

    assert found.status == "Succeeded", found
    assert statuses(found)["pipeline/player-address"] == "Succeeded"


def test_cached_steps_are_graphs_that_hand_on_what_they_are_given(
    table_of_samples: programs.Programs, tmp_path: Path
) -> None:
    bundle = built("argo", read(ROOT / "samples" / "calculator"), mode="steps", caching={})

    found = tried(bundle, table_of_samples, tmp_path)

    assert found.status == "Succeeded", found
    assert {name for name in statuses(found) if name.count("/") > 1} == {
        f"pipeline/{step}/{step}"
        for step in ("splitter1-split", "adder-add", "multiplier-multiply", "collator1-collate")
    }
