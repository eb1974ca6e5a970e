"""Every real solution of the corpus, against what a person reads in it."""

from pathlib import Path

import pytest
from support.blueprints import edges, found, operations

from shared import blueprint
from shared.blueprint import Parsed
from shared.solution import ImageRef, Role, SharedFolder, Solution, SolutionFiles

SOLUTIONS = (
    "acumos--addmulti",
    "acumos--csvdbtest",
    "acumos--name-of-the-composite-solution",
    "acumos--name-of-the-composite-solution-2",
    "acumos--name-of-the-composite-solution-6",
    "acumos--rcs",
    "ai4eu--simplepipeline",
    "ai4eu-graphene--simple-math-pipeline",
    "ai4eu-graphene--sudoku-stream",
    "cloudferro--news-training-pi",
    "cloudferro--sudoku-tutorial",
)


def load(test_data: Path, name: str) -> SolutionFiles:
    folder = test_data / "corpus" / "solutions" / name
    protos = {path.stem: path.read_bytes() for path in folder.glob("microservice/*.proto")}
    return SolutionFiles(name="", blueprint=(folder / "blueprint.json").read_bytes(), protos=protos)


def parse(test_data: Path, name: str) -> Parsed:
    return blueprint.parse(load(test_data, name))


def made(parsed: Parsed) -> Solution:
    assert parsed.solution is not None
    return parsed.solution


def errors(parsed: Parsed) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in parsed.findings.errors]


def test_no_solution_of_the_corpus_is_left_out_here(test_data: Path) -> None:
    folders = sorted(path.name for path in (test_data / "corpus" / "solutions").iterdir())

    assert folders == sorted(SOLUTIONS)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_what_is_emitted_parses_back_to_the_same(test_data: Path, name: str) -> None:
    first = made(parse(test_data, name))

    again = made(
        blueprint.parse(
            SolutionFiles(
                name="",
                blueprint=blueprint.emit(first),
                protos=first.protos,
                shared_folder_paths=tuple(folder.mount_path for folder in first.shared_folders),
            )
        )
    )

    assert again.document == first.document
    assert again.edges == first.edges
    assert operations(again) == operations(first)
    assert again.shared_folders == first.shared_folders
    assert again.protos == first.protos
    assert blueprint.emit(again) == blueprint.emit(first)


def test_addmulti_gets_its_operations_from_the_successors(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--addmulti")

    assert operations(made(parsed)) == {"adder1": ["add"], "multiplier1": ["multiply"]}
    assert edges(made(parsed)) == ["adder1.add -> multiplier1.multiply"]
    assert [node.image for node in made(parsed).nodes] == ["adder:2", "multiplier:2"]
    assert found(parsed) == [
        ("warning", "message-name-missing", "$.input_operation_signatures[0].operation"),
        ("warning", "message-name-missing", "$.nodes[0].depends_on[0].operation_signature.operation"),
        ("note", "container-renamed", "$.nodes[0].container_name"),
        ("note", "container-renamed", "$.nodes[1].container_name"),
        ("warning", "proto-missing", "$.nodes[0].proto_uri"),
        ("warning", "proto-missing", "$.nodes[1].proto_uri"),
    ]


def test_csvdbtest_keeps_the_settings_of_its_data_broker(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--csvdbtest")

    broker = made(parsed).node("csvdatabroker")
    assert (broker.node_type, broker.role) == ("DataBroker", Role.WORKLOAD)
    assert broker.settings["local_system_data_file_path"] == "book2.csv"
    assert made(parsed).node("cpm21").settings == {}
    assert edges(made(parsed)) == ["csvdatabroker.pullData -> cpm21.transform"]
    assert found(parsed) == [
        ("note", "container-renamed", "$.nodes[0].container_name"),
        ("note", "container-renamed", "$.nodes[1].container_name"),
        ("warning", "proto-missing", "$.nodes[0].proto_uri"),
        ("warning", "proto-missing", "$.nodes[1].proto_uri"),
    ]


def test_the_annotated_template_is_answered_with_every_place_to_mend(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--name-of-the-composite-solution")

    assert errors(parsed) == [
        ("image-invalid", "$.nodes[0].image"),
        ("image-invalid", "$.nodes[1].image"),
        ("image-invalid", "$.nodes[2].image"),
        ("image-invalid", "$.nodes[3].image"),
        ("image-invalid", "$.nodes[6].image"),
        ("edge-dangling", "$.nodes[2].operation_signature_list[0].connected_to[0].container_name"),
        ("edge-dangling", "$.nodes[4].operation_signature_list[0].connected_to[0].container_name"),
        ("edge-dangling", "$.nodes[4].operation_signature_list[0].connected_to[1].container_name"),
        ("edge-dangling", "$.nodes[4].operation_signature_list[0].connected_to[2].container_name"),
        ("edge-dangling", "$.nodes[5].operation_signature_list[0].connected_to[0].container_name"),
        ("edge-dangling", "$.nodes[6].operation_signature_list[0].connected_to[0].container_name"),
        ("edge-dangling", "$.nodes[6].operation_signature_list[0].connected_to[1].container_name"),
    ]
    assert edges(made(parsed)) == [
        "aggregator-1.aggregate -> predictor-1.predict",
        "predictor-1.predict -> classifier-1.classify",
    ]
    assert [node.role for node in made(parsed).nodes[4:6]] == [Role.SPLITTER, Role.COLLATOR]


def test_the_annotated_template_also_says_what_would_be_lost(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--name-of-the-composite-solution")

    assert [(finding.code, finding.path) for finding in parsed.findings.warnings if "proto" not in finding.code] == [
        ("node-type-unknown", "$.nodes[0].node_type"),
        ("node-type-unknown", "$.nodes[1].node_type"),
        ("node-type-unknown", "$.nodes[2].node_type"),
        (
            "operation-name-unusual",
            "$.nodes[6].operation_signature_list[0].operation_signature.operation_name",
        ),
        ("training-clients-ignored", "$.training_clients"),
        ("probe-unclear", "$.probeIndicator"),
        ("input-port-dangling", "$.input_ports[0]"),
        ("input-port-dangling", "$.input_ports[1]"),
    ]


def test_the_second_template_is_answered_with_every_place_to_mend(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--name-of-the-composite-solution-2")

    assert errors(parsed) == [
        ("image-invalid", "$.nodes[0].image"),
        ("image-invalid", "$.nodes[1].image"),
        ("image-invalid", "$.nodes[2].image"),
        ("image-invalid", "$.nodes[3].image"),
        ("image-invalid", "$.nodes[4].image"),
        ("edge-dangling", "$.nodes[0].operation_signature_list[0].connected_to[1].container_name"),
        ("edge-dangling", "$.nodes[1].operation_signature_list[0].connected_to[1].container_name"),
        ("edge-dangling", "$.nodes[2].operation_signature_list[0].connected_to[1].container_name"),
        ("edge-dangling", "$.nodes[4].operation_signature_list[0].connected_to[0].container_name"),
        ("edge-dangling", "$.nodes[4].operation_signature_list[0].connected_to[1].container_name"),
    ]
    assert edges(made(parsed)) == [
        "aggregator-1.aggregate -> predictor-1.predict",
        "predictor-1.predict -> classifier-1.classify",
        "classifier-1.classify -> alarm-generator-1-1eb8bccb.generate_alarms",
    ]


def test_the_legacy_template_is_answered_with_every_place_to_mend(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--name-of-the-composite-solution-6")

    assert errors(parsed) == [
        ("wrong-type", "$.nodes[0].depends_on[0].operation_signature"),
        ("wrong-type", "$.nodes[0].depends_on[1].operation_signature"),
        ("wrong-type", "$.nodes[1].depends_on[0].operation_signature"),
        ("wrong-type", "$.nodes[1].depends_on[1].operation_signature"),
        ("wrong-type", "$.input_operation_signatures[0].operation_signature"),
        ("wrong-type", "$.input_operation_signatures[1].operation_signature"),
        ("operation-unknown", "$.nodes[0].depends_on"),
        ("operation-unknown", "$.nodes[1].depends_on"),
        ("edge-dangling", "$.nodes[0].depends_on[1].name"),
        ("edge-dangling", "$.nodes[1].depends_on[0].name"),
        ("edge-dangling", "$.nodes[1].depends_on[1].name"),
    ]
    assert [node.name for node in made(parsed).nodes] == ["predictor-1", "classifier-1"]


def test_rcs_asks_for_the_probe_and_gets_short_names(test_data: Path) -> None:
    parsed = parse(test_data, "acumos--rcs")

    assert made(parsed).probe is True
    assert (made(parsed).name, made(parsed).version) == ("RCS", "2.0")
    assert edges(made(parsed)) == [
        "imageclassification-talasila-0324-11-8464c51b.classify -> imagemoodclass-talasila-0324-21-c06a1dcb.classify"
    ]
    assert found(parsed) == [
        ("note", "container-renamed", "$.nodes[0].container_name"),
        ("note", "container-renamed", "$.nodes[1].container_name"),
        ("warning", "proto-missing", "$.nodes[0].proto_uri"),
        ("warning", "proto-missing", "$.nodes[1].proto_uri"),
    ]


def test_simplepipeline_gets_images_that_can_be_pulled(test_data: Path) -> None:
    parsed = parse(test_data, "ai4eu--simplepipeline")

    assert [node.image for node in made(parsed).nodes] == [
        "cicd.ai4eu-dev.eu:7444/csvdatabroker:v2",
        "cicd.ai4eu-dev.eu:7444/houseprice:v1",
    ]
    assert edges(made(parsed)) == ["csvdatabroker1.get_next_row -> houseprice1.predict_sale_price"]
    assert found(parsed) == [
        ("warning", "image-mended", "$.nodes[0].image"),
        ("warning", "image-mended", "$.nodes[1].image"),
        ("warning", "proto-missing", "$.nodes[0].proto_uri"),
        ("warning", "proto-missing", "$.nodes[1].proto_uri"),
    ]


def test_simple_math_pipeline_needs_no_protos(test_data: Path) -> None:
    parsed = parse(test_data, "ai4eu-graphene--simple-math-pipeline")

    assert edges(made(parsed)) == ["square-node-container.square -> cube-node-container.cube"]
    assert found(parsed) == [
        ("note", "image-moving", "$.nodes[0].image"),
        ("note", "image-moving", "$.nodes[1].image"),
        (
            "note",
            "message-names-differ",
            "$.nodes[0].operation_signature_list[0].connected_to[0].operation_signature.operation_name",
        ),
        ("note", "proto-missing", "$.nodes[0].proto_uri"),
        ("note", "proto-missing", "$.nodes[1].proto_uri"),
    ]


def test_sudoku_stream_is_read_without_a_finding(test_data: Path) -> None:
    parsed = parse(test_data, "ai4eu-graphene--sudoku-stream")

    assert found(parsed) == []
    assert operations(made(parsed)) == {
        "sudoku-gui-stream1": ["requestSudokuEvaluation", "processEvaluationResult"],
        "sudoku-design-evaluator-stream1": [
            "receiveAnswersetSolverResult",
            "callAnswersetSolver",
            "evaluateSudokuDesign",
        ],
        "sudoku-aspsolver1": ["solve"],
    }
    assert edges(made(parsed)) == [
        "sudoku-gui-stream1.requestSudokuEvaluation -> sudoku-design-evaluator-stream1.evaluateSudokuDesign",
        "sudoku-design-evaluator-stream1.callAnswersetSolver -> sudoku-aspsolver1.solve",
        "sudoku-design-evaluator-stream1.evaluateSudokuDesign -> sudoku-gui-stream1.processEvaluationResult",
        "sudoku-aspsolver1.solve -> sudoku-design-evaluator-stream1.receiveAnswersetSolverResult",
    ]


def test_sudoku_stream_keeps_streams_and_protos_apart(test_data: Path) -> None:
    solution = made(parse(test_data, "ai4eu-graphene--sudoku-stream"))

    request = solution.node("sudoku-gui-stream1").operations[0]
    assert (request.input.name, request.input.stream, request.input.is_empty) == ("Empty", False, True)
    assert (request.output.name, request.output.stream) == ("SudokuDesignEvaluationJob", True)
    assert sorted(solution.protos) == ["sudoku-aspsolver1", "sudoku-design-evaluator-stream1", "sudoku-gui-stream1"]


def test_news_training_loses_the_folder_and_keeps_its_mount_path(test_data: Path) -> None:
    parsed = parse(test_data, "cloudferro--news-training-pi")

    assert made(parsed).shared_folders == (SharedFolder(1, "/data/shared"),)
    assert operations(made(parsed)) == {
        "tensorboard1": [],
        "newstrainer1": ["startTraining"],
        "news-classifier1": ["startTraining"],
    }
    assert edges(made(parsed)) == ["newstrainer1.startTraining -> news-classifier1.startTraining"]
    assert found(parsed) == [("warning", "operations-missing", "$.nodes[1]")]
    assert b"mountVolume" not in blueprint.emit(made(parsed))
    assert b"SharedFolder" not in blueprint.emit(made(parsed))


def test_sudoku_tutorial_keeps_its_cycle(test_data: Path) -> None:
    parsed = parse(test_data, "cloudferro--sudoku-tutorial")

    assert found(parsed) == []
    assert (made(parsed).name, made(parsed).version, made(parsed).is_pipeline) == ("Sudoku Tutorial", "2", True)
    assert edges(made(parsed)) == [
        "aspsolver-clingo-oneshot1.solve -> sudoku-tutorial-design-evaluator1.processSolverResult",
        "sudoku-tutorial-design-evaluator1.processSolverResult -> sudoku-tutorial-gui1.processEvaluationResult",
        "sudoku-tutorial-design-evaluator1.evaluateSudokuDesign -> aspsolver-clingo-oneshot1.solve",
        "sudoku-tutorial-gui1.requestSudokuEvaluation -> sudoku-tutorial-design-evaluator1.evaluateSudokuDesign",
    ]
    assert made(parsed).nodes[0].image == ImageRef("cicd.ai4eu-dev.eu:7444/tutorials/sudoku:aspsolver-1.2")


def test_protos_are_asked_for_by_container_name(test_data: Path) -> None:
    data = load(test_data, "cloudferro--news-training-pi").blueprint

    uris = blueprint.proto_uris(data or b"")

    assert uris == {
        "tensorboard1": "org/acumos/99a477a3-99ef-4ca9-a1e2-b21d520d554f/tensorboard/1.0.0/tensorboard-1.0.0.proto",
        "newstrainer1": "org/acumos/a3aa7df6-14d1-477f-ae22-de47374251ac/newstrainer/1.0.0/newstrainer-1.0.0.proto",
        "news-classifier1": (
            "org/acumos/adba1c6e-8c95-4eaf-acfa-7b9827cf42d6/newsclassifier/1.0.0/newsclassifier-1.0.0.proto"
        ),
    }
