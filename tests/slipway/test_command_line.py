"""The command line, called as a person calls it: arguments in, files, text and exit status out."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from slipway.__main__ import main

BLUEPRINT = {
    "name": "Pair",
    "version": "1",
    "nodes": [
        {
            "container_name": "source",
            "node_type": "MLModel",
            "image": "registry.example.org/source:1",
            "proto_uri": "org/source.proto",
            "operation_signature_list": [
                {
                    "operation_signature": {
                        "operation_name": "next",
                        "input_message_name": "Empty",
                        "output_message_name": "Row",
                    },
                    "connected_to": [],
                }
            ],
        }
    ],
}
PROTO = (
    'syntax = "proto3";\nmessage Empty {\n}\nmessage Row {\n}\nservice Source {\n  rpc next(Empty) returns (Row);\n}\n'
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own, for an operator who chose an orchestrator."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_ORCHESTRATOR_IMAGE", "registry.example.org/orchestrator:1")


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    folder = tmp_path / "pair"
    (folder / "microservice").mkdir(parents=True)
    (folder / "blueprint.json").write_text(json.dumps(BLUEPRINT))
    (folder / "microservice" / "source.proto").write_text(PROTO)
    return folder


def broken(folder: Path) -> Path:
    (folder / "blueprint.json").write_text(json.dumps(BLUEPRINT).replace("registry.example.org/source:1", ""))
    return folder


def test_a_folder_that_holds_no_solution_is_a_finding_and_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")

    assert main(["check", str(tmp_path / "notes"), "--json"]) == 1

    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["severity"], finding["code"], finding["found"]) == ("error", "solution-unreadable", '"a.txt"')
    assert main(["build", "kubernetes-client", str(tmp_path / "notes")]) == 1
    assert "expected blueprint.json, model.json or modelname.txt at the top" in capsys.readouterr().err


def test_build_writes_solution_zip_into_the_working_folder(solution: Path, tmp_path: Path):
    assert main(["build", "kubernetes-client", str(solution)]) == 0

    with zipfile.ZipFile(tmp_path / "solution.zip") as bundle:
        assert "deployments/source_deployment.yaml" in bundle.namelist()


def test_a_bundle_is_a_solution_again_and_gives_the_same_bundle(solution: Path, tmp_path: Path):
    main(["build", "kubernetes-client", str(solution), "-o", "first.zip"])

    assert main(["build", "kubernetes-client", "first.zip", "-o", "second.zip"]) == 0

    first, second = (zipfile.ZipFile(tmp_path / name).read("bundle.json") for name in ("first.zip", "second.zip"))
    assert first == second


def test_the_bundle_goes_to_standard_output_on_request(solution: Path):
    command = [sys.executable, "-m", "slipway", "build", "kubernetes-client", str(solution), "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)

    assert done.stdout.startswith(b"PK\x03\x04")


def test_options_are_read_as_the_type_that_the_deployer_expects(solution: Path, tmp_path: Path):
    main(
        ["build", "kubernetes-client", str(solution), "--option", "replicas=2", "--option", "nodes.source.webui=false"]
    )

    with zipfile.ZipFile(tmp_path / "solution.zip") as bundle:
        assert b"replicas: 2\n" in bundle.read("deployments/source_deployment.yaml")
        assert "deployments/source_service_webui.yaml" not in bundle.namelist()


def test_an_option_on_the_command_line_wins_over_the_file(solution: Path, tmp_path: Path):
    (tmp_path / "options.yaml").write_text("replicas: 3\nprofile: restricted\n")

    main(["build", "kubernetes-client", str(solution), "--options", "options.yaml", "--option", "replicas=2"])

    with zipfile.ZipFile(tmp_path / "solution.zip") as bundle:
        deployment = bundle.read("deployments/source_deployment.yaml")
    assert b"replicas: 2\n" in deployment
    assert b"runAsNonRoot: true\n" in deployment


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--option", "replicas"], id="no value"),
        pytest.param(["--option", "replicas=many"], id="another type"),
        pytest.param(["--option", "nonsense=1"], id="unknown option"),
        pytest.param(["--option", "resources={"], id="broken JSON"),
        pytest.param(["--option", "replicas=1", "--option", "replicas.x=1"], id="a value used as an object"),
        pytest.param(["--options", "missing.json"], id="no such file"),
    ],
)
def test_wrong_options_are_wrong_usage(solution: Path, arguments: list[str]):
    assert main(["build", "kubernetes-client", str(solution), *arguments]) == 2


def test_an_unknown_deployer_is_answered_with_those_that_exist(solution: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["build", "docker-swarm", str(solution)]) == 2

    assert "kubernetes-client" in capsys.readouterr().err


def test_an_error_finding_leaves_no_file_behind(solution: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["build", "kubernetes-client", str(broken(solution))]) == 1

    assert "error: $.nodes[0].image: expected" in capsys.readouterr().err
    assert not (tmp_path / "solution.zip").exists()


def test_strict_makes_a_warning_a_failure(solution: Path, tmp_path: Path):
    (solution / "microservice" / "source.proto").unlink()

    assert main(["build", "kubernetes-client", str(solution), "--strict"]) == 1
    assert not (tmp_path / "solution.zip").exists()


def test_check_prints_findings_as_json_on_request(solution: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", str(broken(solution)), "--json"]) == 1

    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["severity"], finding["path"]) == ("error", "$.nodes[0].image")


@pytest.mark.parametrize(
    ("proto", "code"),
    [
        pytest.param("bogus", "proto-invalid", id="no proto at all"),
        pytest.param('import "b.proto";\n' + PROTO, "proto-invalid", id="an import that is not there"),
        pytest.param(PROTO.replace("rpc next", "rpc other"), "operation-unknown", id="another rpc"),
        pytest.param(
            PROTO.replace("returns (Row)", "returns (stream Row)"), None, id="the proto alone knows of a stream"
        ),
    ],
)
def test_check_compiles_the_protos(solution: Path, proto: str, code: str | None, capsys: pytest.CaptureFixture[str]):
    (solution / "microservice" / "source.proto").write_text(proto)

    main(["check", str(solution), "--json"])

    found = {finding["code"]: finding["severity"] for finding in json.loads(capsys.readouterr().out)}
    assert found == ({code: "warning"} if code else {})


def test_check_compiles_the_proto_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.json").write_text(json.dumps({"name": "one", "image": "registry.example.org/one:1"}))
    (tmp_path / "model.proto").write_text("bogus")

    main(["check", str(tmp_path), "--json"])

    assert [finding["code"] for finding in json.loads(capsys.readouterr().out)] == ["proto-invalid"]


def test_check_is_content_with_a_sound_solution(solution: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", str(solution), "--strict"]) == 0

    assert capsys.readouterr().out == "errors=0, warnings=0\n"


def test_list_names_the_deployers(capsys: pytest.CaptureFixture[str]):
    assert main(["list"]) == 0

    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["argo", "kubeflow", "kubernetes-client", "playground-deployer"]


@pytest.mark.parametrize("solution", ["missing", "id:../x/1", "id:a", "id:"])
def test_what_names_no_solution_is_said_in_one_line(solution: str, capsys: pytest.CaptureFixture[str]):
    assert main(["check", solution]) == 2

    assert capsys.readouterr().err.count("\n") == 1


def test_a_solution_comes_from_the_configured_persistence(
    solution: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "store" / "pair").mkdir(parents=True)
    solution.rename(tmp_path / "store" / "pair" / "1")
    monkeypatch.setenv("SLIPWAY_PERSISTENCE", f"folder:{tmp_path / 'store'}")

    assert main(["build", "kubernetes-client", "id:pair/1"]) == 0

    with zipfile.ZipFile(tmp_path / "solution.zip") as bundle:
        assert json.loads(bundle.read("bundle.json"))["solutionId"] == "pair"


def test_hostile_text_cannot_command_the_terminal(solution: Path, capsys: pytest.CaptureFixture[str]):
    text = json.dumps(BLUEPRINT).replace("registry.example.org/source:1", "\\u001b[2J\\u0007 x")
    (solution / "blueprint.json").write_text(text)

    main(["check", str(solution)])

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_links_in_a_folder_are_not_followed(solution: Path, tmp_path: Path):
    (tmp_path / "secret").write_text(PROTO)
    (solution / "microservice" / "source.proto").unlink()
    (solution / "microservice" / "source.proto").symlink_to(tmp_path / "secret")

    main(["build", "kubernetes-client", str(solution)])

    with zipfile.ZipFile(tmp_path / "solution.zip") as bundle:
        assert "microservice/source.proto" not in bundle.namelist()


def test_help_imports_no_http_client():
    code = "import sys\nfrom slipway.__main__ import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "print([m for m in ('requests', 'flask', 'boto3', 'msgspec', 'yaml') if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"
