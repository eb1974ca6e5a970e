"""Folders, our bundles and Graphene's zips."""

import json
from dataclasses import replace

import pytest
from support.blueprints import document, folder, node, operation

from shared import blueprint, solution_folder
from shared.errors import InvalidSolutionError
from shared.solution import Attachments, Ids, RevisionId, SharedFolder, SolutionFiles, SolutionId

BLUEPRINT = json.dumps(document(node("a"))).encode()
IDS = Ids(SolutionId("s-1"), RevisionId("r-1"))
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: entityrecognizer}
spec:
  template:
    spec:
      containers:
      - name: entityrecognizer
        image: registry.example/ner:1.0
        env:
        - name: SHARED_FOLDER_PATH
          value: /data/shared
      imagePullSecrets: [{name: acumos-registry}]
"""
GRAPHENE_MODEL = {
    "modelname.txt": b"entityrecognizer",
    "kubernetes-client-script.py": b"print()",
    "jupyter-deployment-script.py": b"print()",
    "deployment-readme.txt": b"read me",
    "source_system_url.txt": b"",
    "deployments/deployment.yaml": DEPLOYMENT.encode(),
    "deployments/service.yaml": b"kind: Service\nspec: {ports: [{nodePort: 30333}]}\n",
    "deployments/pvc.yaml": b"kind: PersistentVolumeClaim\nspec:\n  storageClassName:\n",
    "deployments/jupyter-deployment.yaml": DEPLOYMENT.replace("ner:1.0", "jupyter-connect:1.1").encode(),
    "deployments/jupyter-service.yaml": b"kind: Service\n",
    "microservice/ner.proto": b"message A {}",
}


def refusal(files: dict[str, bytes]) -> str:
    with pytest.raises(InvalidSolutionError) as raised:
        solution_folder.from_files(files)
    (finding,) = raised.value.findings.errors
    return f"{finding.path}: expected {finding.expected}, found {finding.found}"


def bundle(**about: object) -> dict[str, bytes]:
    """Return the `bundle.json` of a bundle of ours."""
    default = {"formatVersion": 1, "deployer": "kubernetes-client", "solution": "Sudoku Tutorial"}
    ids = {"solutionId": "s-1", "revisionId": "r-1"}
    return {"bundle.json": json.dumps({**default, **ids, **about}).encode()}


def test_a_folder_of_a_pipeline() -> None:
    files = {
        "blueprint.json": BLUEPRINT,
        "microservice/a.proto": b"A",
        "microservice/common.proto": b"C",
        "microservice/.proto": b"no",
        "microservice/readme.md": b"no",
        "top.proto": b"no",
        "src/node.py": b"no",
    }

    assert solution_folder.from_files(files) == SolutionFiles(
        name="", blueprint=BLUEPRINT, protos={"a": b"A", "common": b"C"}
    )


def test_protos_in_folders_are_found_by_their_names() -> None:
    files = {"microservice/a.proto": b"A", "microservice/common/types.proto": b"T", "microservice/x/y/deep.proto": b"D"}

    found = solution_folder.from_files({"blueprint.json": BLUEPRINT, **files})

    assert (dict(found.protos), found.findings) == ({"a": b"A", "deep": b"D", "types": b"T"}, ())


def test_a_proto_that_another_of_its_name_hides_is_told() -> None:
    files = {"microservice/a.proto": b"A", "microservice/b/a.proto": b"other", "microservice/c/a.proto": b"A"}

    found = solution_folder.from_files({"blueprint.json": BLUEPRINT, **files})

    assert dict(found.protos) == {"a": b"A"}
    assert [(f.code, f.path, f.found) for f in found.findings] == [
        ("proto-name-taken", "microservice/b/a.proto", '"a.proto"')
    ]


def test_ids_are_those_of_the_caller() -> None:
    assert solution_folder.from_files({"blueprint.json": BLUEPRINT}, ids=IDS).ids == IDS
    assert solution_folder.from_files({"blueprint.json": BLUEPRINT, **bundle(solutionId="other")}, ids=IDS).ids == IDS


def test_what_comes_with_a_solution_is_carried_along() -> None:
    files = {
        "blueprint.json": BLUEPRINT,
        "solution_icon.png": b"\x89PNG",
        "solution_description.html": "<p>ü".encode() + b"\xff",
        "source_system_url.txt": b"\xef\xbb\xbf https://portal.example/x \nmore\n",
    }

    attachments = solution_folder.from_files(files).attachments

    assert attachments == Attachments(b"\x89PNG", "<p>ü\ufffd", "https://portal.example/x")


def test_empty_attachments_are_none_at_all() -> None:
    files = {"blueprint.json": BLUEPRINT, "solution_icon.png": b"", "source_system_url.txt": b" \n"}

    assert solution_folder.from_files(files).attachments == Attachments()


@pytest.mark.parametrize("junk", [{}, {"__MACOSX/._x": b""}, {".DS_Store": b""}])
def test_a_zip_of_the_folder_itself_is_taken_too(junk: dict[str, bytes]) -> None:
    files = {"my solution/blueprint.json": BLUEPRINT, "my solution/microservice/a.proto": b"A", **junk}

    assert solution_folder.from_files(files) == SolutionFiles(name="", blueprint=BLUEPRINT, protos={"a": b"A"})


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ({}, "no file"),
        ({"readme.md": b""}, '"readme.md"'),
        ({"a/blueprint.json": BLUEPRINT, "b/x": b""}, '"a/blueprint.json", "b/x"'),
        ({"a/b/blueprint.json": BLUEPRINT}, '"a/b/blueprint.json"'),
        ({"Blueprint.json": BLUEPRINT}, '"Blueprint.json"'),
        ({f"{number}\n": b"" for number in range(9)}, '"0\\n", "1\\n", "2\\n", "3\\n", "4\\n"'),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(files: dict[str, bytes], shown: str) -> None:
    assert refusal(files) == (f"$: expected blueprint.json, model.json or modelname.txt at the top, found {shown}")


@pytest.mark.parametrize("proto", ["microservice/ner.proto", "ner.proto"])
def test_a_folder_of_a_model(proto: str) -> None:
    model = {"name": "EntityRecognizer", "image": "registry.example/ner:1", "version": "1.0.2", "more": 1}

    files = solution_folder.from_files({"model.json": json.dumps(model).encode(), proto: b"A"})

    assert files == SolutionFiles(
        name="EntityRecognizer", model_image="registry.example/ner:1", protos={"ner": b"A"}, version="1.0.2"
    )


def test_a_model_needs_no_version() -> None:
    files = solution_folder.from_files({"model.json": b'{"name": "a", "image": "b"}'})

    assert (files.name, files.model_image, files.version, dict(files.protos)) == ("a", "b", "", {})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "model.json: $: expected JSON, found an empty file"),
        (b"[]", "model.json: expected an object with name and image, found something else"),
        (b'{"name": "a"}', 'model.json: $.image: expected text, found ""'),
        (b'{"name": "", "image": "b"}', 'model.json: $.name: expected text, found ""'),
        (b'{"name": "a", "image": 1}', "model.json: $.image: expected text, found 1"),
        (b'{"name": "a", "image": "b", "version": 2}', "model.json: $.version: expected text, found 2"),
        (b'{"name": "a", "name": "b", "image": "b"}', "model.json: $.name: expected each key once, found the key again"),
        (b"[" * 10**5, "model.json: $: expected at most 50 levels of nesting, found more"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_read_is_refused(data: bytes, message: str) -> None:
    assert refusal({"model.json": data}) == message


def test_a_blueprint_comes_before_a_file_named_like_a_model() -> None:
    files = {"blueprint.json": BLUEPRINT, "model.json": b"weights", "modelname.txt": b"x"}

    assert solution_folder.from_files(files).blueprint == BLUEPRINT


def test_a_model_zip_of_graphene() -> None:
    read = solution_folder.from_files(GRAPHENE_MODEL)

    assert replace(read, findings=()) == SolutionFiles(
        name="entityrecognizer",
        model_image="registry.example/ner:1.0",
        protos={"ner": b"message A {}"},
        shared_folder_paths=("/data/shared",),
    )


def test_a_model_zip_without_a_name_takes_that_of_its_proto() -> None:
    files = {path: data for path, data in GRAPHENE_MODEL.items() if path != "modelname.txt"}

    assert solution_folder.from_files(files).name == "ner"
    assert solution_folder.from_files({**files, "modelname.txt": b" \n"}).name == "ner"


def test_a_model_zip_without_name_and_proto_has_no_name() -> None:
    files = solution_folder.from_files({"deployments/deployment.yaml": DEPLOYMENT.encode()})

    assert (files.name, files.model_image) == ("", "registry.example/ner:1.0")


def test_a_model_zip_without_an_image_is_refused() -> None:
    assert refusal({"modelname.txt": b"a"}) == (
        "deployments/deployment.yaml: expected the image of the model, found none"
    )


def test_a_pipeline_zip_of_graphene_keeps_its_shared_folder() -> None:
    files = {
        "blueprint.json": BLUEPRINT,
        "dockerinfo.json": b"{}",
        "protobuf/orchestrator.proto": b"no",
        "orchestrator_client/orchestrator_client.py": b"",
        "deployments/a_deployment.yaml": DEPLOYMENT.encode(),
        "deployments/a_service.yaml": b"kind: Service\n",
        "deployments/pvc.yaml": b"kind: PersistentVolumeClaim\n",
        "microservice/a.proto": b"A",
    }

    made = solution_folder.from_files(files)

    assert (made.shared_folder_paths, dict(made.protos)) == (("/data/shared",), {"a": b"A"})


def test_our_bundle_gives_back_name_and_ids() -> None:
    files = solution_folder.from_files({"blueprint.json": BLUEPRINT, **bundle()})

    assert (files.name, files.ids) == ("Sudoku Tutorial", IDS)


def test_our_bundle_of_a_model_gives_back_its_name() -> None:
    files = solution_folder.from_files({**GRAPHENE_MODEL, **bundle(solution="EntityRecognizer")})

    assert files.name == "EntityRecognizer"


@pytest.mark.parametrize("about", [{"solutionId": None}, {"revisionId": "../x"}, {"solutionId": 5}])
def test_ids_that_are_none_are_left_out(about: dict[str, object]) -> None:
    assert solution_folder.from_files({"blueprint.json": BLUEPRINT, **bundle(**about)}).ids is None


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"{}", b'{"formatVersion": "1", "solution": "x"}'])
def test_a_file_that_only_has_the_name_of_our_bundle_means_nothing(data: bytes) -> None:
    files = solution_folder.from_files({"blueprint.json": BLUEPRINT, "bundle.json": data})

    assert (files.name, files.ids) == ("", None)


def test_a_name_that_is_no_text_means_nothing() -> None:
    assert solution_folder.from_files({"blueprint.json": BLUEPRINT, **bundle(solution=5)}).name == ""


def test_a_bundle_of_a_newer_slipway_is_refused_with_a_hint() -> None:
    assert refusal({"blueprint.json": BLUEPRINT, **bundle(formatVersion=2)}) == (
        "bundle.json: expected formatVersion 1 or less, found 2: made by a newer Slipway"
    )


def test_a_pipeline_survives_the_way_through_a_bundle() -> None:
    source = document(
        folder("/data/shared", "A.mountVolume"),
        node("A", operation("mountVolume"), operation("process", "B b.process")),
        node("B b"),
        name="Two nodes",
    )
    first = blueprint.parse(
        SolutionFiles(name="", blueprint=json.dumps(source).encode(), protos={"A": b"A", "B b": b"B"}, ids=IDS)
    ).solution
    assert first is not None
    files = {
        "blueprint.json": blueprint.emit(first),
        "deployments/a_deployment.yaml": DEPLOYMENT.encode(),
        "deployments/pvc.yaml": b"",
        **{f"microservice/{stem}.proto": data for stem, data in first.protos.items()},
        **bundle(solution=first.name),
    }

    again = blueprint.parse(solution_folder.from_files(files)).solution

    assert again is not None
    assert again.document == first.document
    assert again.edges == first.edges
    assert again.protos == first.protos
    assert again.shared_folders == first.shared_folders == (SharedFolder(1, "/data/shared"),)
    assert (again.name, again.ids, again.version) == (first.name, first.ids, first.version)
