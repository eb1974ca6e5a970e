"""What the Kubernetes objects of a solution.zip tell."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from shared.errors import InvalidSolutionError
from shared.solution_manifests import model_image, shared_folder_paths

CLAIM = b"kind: PersistentVolumeClaim\n"


def deployment(image: str = "a:1", **environment: str) -> bytes:
    variables = "".join(f"        - {{name: {name}, value: {value}}}\n" for name, value in environment.items())
    return (
        "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
        f"      - name: main\n        image: {image}\n        env:\n{variables}"
    ).encode()


@pytest.mark.parametrize(
    "path", ["deployments/deployment.yaml", "deployments/ner_deployment.yaml", "deployments/job.yaml"]
)
def test_the_image_stands_in_the_only_workload(path: str) -> None:
    assert model_image({path: deployment("registry.example/ner:1")}) == "registry.example/ner:1"


def refusal(text: bytes) -> str:
    """Return the one error that a model's Deployment is refused with."""
    with pytest.raises(InvalidSolutionError) as raised:
        model_image({"deployments/deployment.yaml": text})
    (finding,) = raised.value.findings.errors
    return f"{finding.path}: expected {finding.expected}, found {finding.found}"


@pytest.mark.parametrize("image", ["8", "1e3", "y", "null", '"a:1"'])
def test_an_image_is_text_whatever_it_looks_like(image: str) -> None:
    assert model_image({"deployments/deployment.yaml": deployment(image)}) == image.strip('"')


def test_the_pod_that_graphene_adds_is_not_the_model() -> None:
    files = {
        "deployments/deployment.yaml": deployment("ner:1"),
        "deployments/jupyter-deployment.yaml": deployment("jupyter-connect:1.1"),
    }

    assert model_image(files) == "ner:1"


def test_objects_without_pods_are_passed_over() -> None:
    text = b"kind: Service\nspec: {ports: []}\n---\n- 1\n---\n---\nspec: {template: {spec: {containers: [5]}}}\n---\n"

    assert model_image({"deployments/deployment.yaml": text + deployment("ner:1")}) == "ner:1"


@pytest.mark.parametrize(
    "text", [b"", b"text", b"- 1", b"spec: {template: {spec: {containers: {}}}}", b"spec: {template: []}"]
)
def test_a_workload_without_an_image_is_refused(text: bytes) -> None:
    assert refusal(text) == "deployments/deployment.yaml: expected the image of the model, found none"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a: [", "expected YAML, found something else"),
        (b"a: &x [1]\nb: *x", "expected YAML without aliases, found one"),
        (b"- a\n" * 100_000, "expected at most 100000 YAML events, found more"),
        (b" " * (2 << 20) + b"a", "expected at most 2097152 bytes of YAML, found more"),
    ],
)
def test_bad_yaml_is_refused_with_the_file_and_the_reason(text: bytes, reason: str) -> None:
    assert refusal(text) == f"deployments/deployment.yaml: {reason}"


def test_tags_mean_nothing() -> None:
    text = deployment("!!python/object/apply:os.system [x]") + b"x: !!int ''\ny: !!bool z\nz: !!timestamp q\n"

    assert refusal(text).endswith("found none")


def test_a_claim_and_a_variable_together_tell_a_mount_path() -> None:
    files = {"deployments/pvc.yaml": CLAIM, "deployments/a_deployment.yaml": deployment(SHARED_FOLDER_PATH="/data")}

    assert shared_folder_paths(files) == ("/data",)


def test_several_folders_come_in_the_order_of_their_numbers() -> None:
    environment = {"SHARED_FOLDER_PATH_10": "/ten", "SHARED_FOLDER_PATH": "/one", "SHARED_FOLDER_PATH_2": "/two"}
    files = {
        "deployments/pvc-10.yaml": CLAIM,
        "deployments/pvc-2.yaml": CLAIM,
        "deployments/pvc.yaml": CLAIM,
        "deployments/a_deployment.yaml": deployment(**environment),
    }

    assert shared_folder_paths(files) == ("/one", "/two", "/ten")


def test_paths_are_gathered_over_all_workloads_and_the_first_counts() -> None:
    files = {
        "deployments/pvc.yaml": CLAIM,
        "deployments/pvc-2.yaml": CLAIM,
        "deployments/a_deployment.yaml": deployment(SHARED_FOLDER_PATH="/a"),
        "deployments/b_job.yaml": deployment(SHARED_FOLDER_PATH="/b", SHARED_FOLDER_PATH_2="/b2"),
    }

    assert shared_folder_paths(files) == ("/a", "/b2")


def test_a_variable_without_a_claim_is_the_authors_own() -> None:
    assert shared_folder_paths({"deployments/a_deployment.yaml": deployment(SHARED_FOLDER_PATH="/data")}) == ()


def test_a_claim_without_a_variable_is_no_folder() -> None:
    files = {"deployments/pvc.yaml": CLAIM, "deployments/a_deployment.yaml": deployment(OTHER="SHARED_FOLDER_PATH")}

    assert shared_folder_paths(files) == ()


@pytest.mark.parametrize("value", ['""', "[/data]", "{a: b}"])
def test_a_variable_without_text_is_no_folder(value: str) -> None:
    files = {"deployments/pvc.yaml": CLAIM, "deployments/a_deployment.yaml": deployment(SHARED_FOLDER_PATH=value)}

    assert shared_folder_paths(files) == ()


def test_files_are_read_only_until_every_path_is_known() -> None:
    files = {
        "deployments/pvc.yaml": CLAIM,
        "deployments/a_deployment.yaml": deployment(SHARED_FOLDER_PATH="/a"),
        "deployments/b_deployment.yaml": b"SHARED_FOLDER_PATH: [",
    }

    assert shared_folder_paths(files) == ("/a",)


def test_no_yaml_is_read_where_there_is_no_claim() -> None:
    assert shared_folder_paths({"deployments/a_deployment.yaml": b"SHARED_FOLDER_PATH: ["}) == ()


def test_all_files_together_are_limited() -> None:
    padding = b"#" * (1 << 20)
    files = {"deployments/pvc.yaml": CLAIM} | {
        f"deployments/n{number}_deployment.yaml": b"# SHARED_FOLDER_PATH\n" + padding for number in range(3)
    }

    with pytest.raises(InvalidSolutionError) as raised:
        shared_folder_paths(files)

    assert [finding.path for finding in raised.value.findings] == ["deployments/n1_deployment.yaml"]


@given(st.text(alphabet="ab:-[]{}&*!|>'\"# \n\t%@`?,", max_size=120))
@settings(max_examples=250, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidSolutionError):
        assert model_image({"deployments/deployment.yaml": text.encode()})


@pytest.mark.parametrize("text", [b"- a\n" * 250_000, b"a: " * 300_000, b"{" * 10**6, b"&a " * 300_000], ids=range(4))
def test_a_mebibyte_of_anything_is_answered_in_time(text: bytes) -> None:
    with within(seconds=1), pytest.raises(InvalidSolutionError):
        model_image({"deployments/deployment.yaml": text})
