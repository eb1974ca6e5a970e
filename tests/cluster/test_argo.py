"""What the Argo deployer emits, shown to a real API server that knows Argo's kinds: schemas, roles, tokens."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.bundles import sample_options, unpack
from support.cluster import RUN_LABEL, Ended, Kubectl
from support.definitions import argo_definitions, defined
from support.solutions import samples
from support.workflows import MODES, OPTIONS, built, every_bundle, objects

from shared.bundle import Bundle
from shared.errors import InvalidOptionsError, InvalidSolutionError
from shared.solution import SolutionFiles

NewNamespace = Callable[..., Kubectl]
Named = Iterator[tuple[str, Bundle]]

# Definitions are the cluster's, not a namespace's: one process installs and removes them.
pytestmark = pytest.mark.xdist_group("definitions")

DRY_RUN = ("--dry-run=server", "--validate=strict")
APPLY = ("apply", "--server-side", *DRY_RUN)
GRAPHS = 100
AT_ONCE = 40  # bundles


@pytest.fixture(scope="module", autouse=True)
def known(cluster: Kubectl, test_run: str, test_data: Path) -> Iterator[None]:
    """Let the API server know Argo's kinds until no namespace of this process holds any of them."""
    with defined(cluster, argo_definitions(test_data), "argo"):
        yield
        cluster("delete", "namespace", "-l", f"{RUN_LABEL}={test_run}", "--timeout=180s", seconds=190)


def _of_samples() -> Named:
    for (name, files), mode in itertools.product(samples(), MODES):
        yield from _in_mode(name, files, mode, sample_options(name))


def _in_mode(name: str, files: SolutionFiles, mode: str, options: dict[str, Any]) -> Named:
    # Which modes fit which solution is tested elsewhere.
    with suppress(InvalidOptionsError, InvalidSolutionError):
        yield f"{name}-{mode}", built(files, mode=mode, **options)


def _shown(space: Kubectl, bundle: Bundle, folder: Path) -> list[Ended]:
    """Show a bundle as its readme says: all but the Workflow by the kustomization, and that, which has no name, by itself."""
    unpack(bundle, folder)
    workflow = str(folder / "argo" / "workflow.yaml")
    return [space.run(*APPLY, "-k", str(folder)), space.run("create", *DRY_RUN, "-f", workflow)]


def test_every_bundle_of_a_sample_is_accepted_as_its_readme_says_without_a_warning(
    space: Kubectl, tmp_path: Path
) -> None:
    emitted = dict(_of_samples())

    answers = {name: _shown(space, bundle, tmp_path / name) for name, bundle in emitted.items()}

    said = {f"{name} {at}": ended.err for name, both in answers.items() for at, ended in enumerate(both)}
    lines = {name: sum(len(ended.out.splitlines()) for ended in both) for name, both in answers.items()}
    assert {name: err for name, err in said.items() if err} == {}
    assert lines == {name: len(objects(bundle)) for name, bundle in emitted.items()}
    assert len(emitted) >= 12


def test_every_object_of_real_solutions_and_random_graphs_is_accepted_in_every_mode(
    space: Kubectl, test_data: Path
) -> None:
    every = every_bundle(test_data, GRAPHS, OPTIONS)
    bundles = [objects(made) for _, _, made in every if not isinstance(made, InvalidOptionsError)]

    for start in range(0, len(bundles), AT_ONCE):
        some = bundles[start : start + AT_ONCE]
        emitted = [each for bundle in some for each in bundle.values() if each["kind"] != "Kustomization"]
        runs = [each for each in emitted if each["kind"] == "Workflow"]  # they have no name: each is a new one
        others = [each for each in emitted if each["kind"] != "Workflow"]
        told = [
            space.run(*APPLY, "-f", "-", given=listed(others)),
            space.run("create", *DRY_RUN, "-f", "-", given=listed(runs)),
        ]
        assert [ended.err for ended in told] == ["", ""]
        assert sum(len(ended.out.splitlines()) for ended in told) == len(emitted)
    assert len(bundles) >= 250


def listed(items: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"entrypoint": 1}, 'must be of type string: "integer"'),
        ({"entrypoynt": "pipeline"}, 'unknown field "spec.entrypoynt"'),
        (
            {"templates": [{"name": "a", "container": {"image": "a", "ports": [{"name": "b"}]}}]},
            "containerPort: Required",
        ),
    ],
    ids=["a number for a text", "an unknown field", "a port without a number"],
)
def test_what_is_wrong_is_refused(space: Kubectl, change: dict[str, object], told: str) -> None:
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "a"}, "spec": change}

    ended = space.run("create", *DRY_RUN, "-f", "-", given=json.dumps(workflow))

    assert ended.status == 1
    assert told in ended.err


@pytest.mark.parametrize("mode", ["services", "persistent"])
def test_a_stored_workflow_is_the_emitted_one(space: Kubectl, tmp_path: Path, mode: str) -> None:
    """Nothing is pruned, and only the protocol of ports added: all three kinds carry the same, whole spec."""
    bundle = built(dict(samples())["sensor-stream"], mode=mode, **OPTIONS)
    folder = unpack(bundle, tmp_path / "bundle")
    emitted = yaml.safe_load((folder / "argo" / "workflow.yaml").read_text())
    for port in _ports(emitted["spec"]):
        port["protocol"] = "TCP"

    space("apply", "--server-side", "-k", str(folder))
    space("create", "-f", str(folder / "argo" / "workflow.yaml"))

    (run,) = json.loads(space("get", "workflows", "-o", "json"))["items"]
    (template,) = json.loads(space("get", "workflowtemplates", "-o", "json"))["items"]
    (cron,) = json.loads(space("get", "cronworkflows", "-o", "json"))["items"]
    assert run["metadata"]["name"].startswith(emitted["metadata"]["generateName"])
    assert template["spec"].pop("workflowMetadata")["labels"] == emitted["metadata"]["labels"]
    assert run["spec"] == template["spec"] == cron["spec"]["workflowSpec"] == emitted["spec"]


def test_the_accounts_may_do_what_the_workflow_needs_and_nothing_else(space: Kubectl, tmp_path: Path) -> None:
    folder = unpack(built(dict(samples())["code-breaker"], mode="services", stableDns=True), tmp_path / "bundle")
    spec = yaml.safe_load((folder / "argo" / "workflow.yaml").read_text())["spec"]
    executor, node = spec["executor"]["serviceAccountName"], spec["serviceAccountName"]
    (deployer,) = {each["executor"]["serviceAccountName"] for each in spec["templates"] if "executor" in each}

    space("apply", "--server-side", "-k", str(folder))

    before = _rights(space, "default")
    assert _rights(space, node) == before
    results = ("workflowtaskresults.argoproj.io", "create patch")
    assert _rights(space, executor) - before == {results}
    assert _rights(space, deployer) - before == {results, ("services", "create get")}


def test_what_deploys_may_apply_all_that_it_carries_and_delete_no_data(space: Kubectl, tmp_path: Path) -> None:
    """Asked of the API server object by object: the manifests that travel in the ConfigMaps, and claims."""
    bundle = built(dict(samples())["word-count"], mode="persistent", **sample_options("word-count"))
    folder = unpack(bundle, tmp_path / "bundle")
    spec = yaml.safe_load((folder / "argo" / "workflow.yaml").read_text())["spec"]
    (deployer,) = {each["serviceAccountName"] for each in spec["templates"] if "serviceAccountName" in each}
    carried = [
        text
        for made in objects(bundle).values()
        if made["kind"] == "ConfigMap"
        for key, text in made["data"].items()
        if ".yaml" in key
    ]

    space("apply", "--server-side", "-k", str(folder))

    account = f"--as=system:serviceaccount:{space.namespace}:{deployer}"
    shown = [space.run(*APPLY, account, "-f", "-", given=text) for text in carried]
    assert [ended.err for ended in shown if ended.status] == []
    assert len(shown) > 5
    assert space.run("auth", "can-i", "delete", "persistentvolumeclaims", account).out.strip() == "no"
    assert space.run("auth", "can-i", "get", "secrets", account).out.strip() == "no"


def test_the_token_of_the_executor_is_filled_in(space: Kubectl, tmp_path: Path) -> None:
    folder = unpack(built(dict(samples())["code-breaker"]), tmp_path / "bundle")

    space("apply", "--server-side", "-k", str(folder))

    space("wait", "secret", "--all", "--for=jsonpath={.data.token}", "--timeout=30s")
    (secret,) = json.loads(space("get", "secrets", "-o", "json"))["items"]
    account = secret["metadata"]["annotations"]["kubernetes.io/service-account.name"]
    assert secret["metadata"]["name"] == f"{account}.service-account-token"


def _ports(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for template in spec["templates"]:
        for container in (template.get("container", {}), *template.get("sidecars", [])):
            yield from container.get("ports", [])


def _rights(space: Kubectl, account: str) -> set[tuple[str, str]]:
    """Return (resource, verbs) of everything that an account may do in the namespace, as the API server lists it."""
    subject = f"--as=system:serviceaccount:{space.namespace}:{account}"
    lines = space("auth", "can-i", "--list", "--no-headers", subject).splitlines()
    # Resource, non-resource URLs, names, verbs; the latter three in brackets.
    return {(line.split(" ")[0], line.rpartition("[")[2].rstrip("]")) for line in lines if not line.startswith(" ")}
