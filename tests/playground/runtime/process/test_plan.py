"""What of a bundle is run, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.runtime_contract import push

from playground.runtime.process import plan
from playground.runtime.process.images import Limits, Program, Table, read
from shared.errors import InvalidSolutionError, SettingsError

NODE = Program(("python", "node.py"), "x", ("SEED",))
TABLE = Table({f"slipway/sample-{name}:1": NODE for name in ("seed", "writer", "counter", "reporter", "sentiment")})


def test_a_job_is_known_by_its_manifest_and_a_server_by_its_operations() -> None:
    made = plan.made(push("word-count").files, TABLE)

    assert {node.name: (node.is_job, node.is_called) for node in made.nodes} == {
        "seed": (True, False),
        "writer": (False, True),
        "counter": (False, True),
        "reporter": (False, True),
    }
    assert [folder.claim for folder in made.folders] == ["shared-folder"]
    assert made.findings.items == ()


def test_variables_that_the_program_takes_are_told_and_others_left_out_with_a_finding() -> None:
    made = plan.made(push("sentiment", SEED=5, LD_PRELOAD="/tmp/x.so", OTHER="$(SEED)").files, TABLE)

    assert made.nodes[0].environment == {"SEED": "5"}
    assert [(finding.code, finding.found) for finding in made.findings] == [
        ("variable-left-out", '"LD_PRELOAD"'),
        ("variable-left-out", '"OTHER"'),
    ]


def test_a_value_from_elsewhere_is_left_out_with_a_finding() -> None:
    files = dict(push("sentiment", SEED=5).files)
    path = "deployments/deployment.yaml"
    files[path] = files[path].replace(b'value: "5"', b"valueFrom: {secretKeyRef: {name: x, key: y}}")

    made = plan.made(files, TABLE)

    assert made.nodes[0].environment == {}
    assert [finding.code for finding in made.findings] == ["variable-left-out"]


def test_every_unknown_image_has_a_finding() -> None:
    with pytest.raises(InvalidSolutionError) as refused:
        plan.made(push("code-breaker").files, TABLE)

    assert [(finding.code, finding.path, finding.found) for finding in refused.value.findings] == [
        ("image-unknown", "deployments/player_deployment.yaml", '"slipway/sample-player:1" of node player'),
        (
            "image-unknown",
            "deployments/place-judge_deployment.yaml",
            '"slipway/sample-place-judge:1" of node place-judge',
        ),
        (
            "image-unknown",
            "deployments/digit-judge_deployment.yaml",
            '"slipway/sample-digit-judge:1" of node digit-judge',
        ),
    ]


def test_the_manifests_and_not_the_blueprint_say_which_image_runs() -> None:
    files = dict(push("word-count").files)
    path = "deployments/writer_deployment.yaml"
    files[path] = files[path].replace(b"slipway/sample-writer:1", b"evil/writer:1")

    with pytest.raises(InvalidSolutionError) as refused:
        plan.made(files, TABLE)

    assert [(finding.path, finding.found) for finding in refused.value.findings] == [
        (path, '"evil/writer:1" of node writer')
    ]


@pytest.mark.parametrize(
    "manifest",
    [b"a: &a [*a]", b"[" * 1000, b"{", b"\xff\xfe\x00", b"a: &x 1\nb: *x", b"- 1\n" * 500_000],
    ids=["recursive", "deep", "open", "binary", "alias", "long"],
)
def test_a_hostile_manifest_is_refused(manifest: bytes) -> None:
    with pytest.raises(InvalidSolutionError):
        plan.made({**push("sentiment").files, "deployments/x.yaml": manifest}, TABLE)


def test_a_workload_that_no_node_stands_for_is_left_out_with_a_finding() -> None:
    extra = b"kind: Deployment\nmetadata: {name: miner}\nspec: {template: {spec: {containers: [{image: x}]}}}\n"
    made = plan.made({**push("word-count").files, "deployments/miner.yaml": extra}, TABLE)

    assert [(finding.code, finding.found) for finding in made.findings] == [("workload-left-out", '"miner"')]
    assert "miner" not in [node.name for node in made.nodes]


def test_the_table_is_read_with_its_limits(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text(
        '{"images": {"a:1": {"command": ["x"], "folder": "f", "webUi": true}}, "limits": {"running": 3}}',
        encoding="utf-8",
    )

    assert read(tmp_path) == Table({"a:1": Program(("x",), "f", (), web_ui=True)}, Limits(running=3))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"images": {"a": {"command": "sh -c x", "folder": "f"}}}', '{"images": {}, "x": 1}']
)
def test_another_form_of_the_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "images.json").write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match="SLIPWAY_PLAYGROUND_RUNTIME"):
        read(tmp_path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"images\.json of the runtime's folder: there is none"):
        read(tmp_path)


KINDS = (
    "ClusterRole",
    "ClusterRoleBinding",
    "RoleBinding",
    "Namespace",
    "PersistentVolume",
    "DaemonSet",
    "Pod",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "Secret",
    "List",
    "",
)


@pytest.mark.parametrize("folder", ["deployments", "policies"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_no_deployer_makes_is_refused_by_its_name(kind: str, folder: str) -> None:
    files = {**push("sentiment").files, f"{folder}/evil.yaml": f"kind: {kind}\nmetadata: {{name: evil}}\n".encode()}

    with pytest.raises(InvalidSolutionError) as refused:
        plan.made(files, TABLE)

    (finding,) = refused.value.findings
    assert (finding.code, finding.path, finding.found) == (
        "kind-refused",
        f"{folder}/evil.yaml",
        f'"{kind}" "evil"',
    )


def test_no_field_of_a_pod_decides_what_runs_or_how() -> None:
    benign = push("sentiment").files
    hostile = (
        b"      hostNetwork: true\n      hostPID: true\n      serviceAccountName: root\n"
        b'      volumes: [{"name": "v", "hostPath": {"path": "/"}}]\n      containers:\n'
    )
    path = "deployments/deployment.yaml"
    changed = benign[path].replace(b"      containers:\n", hostile)
    changed = changed.replace(
        b"          image:", b'          command: ["/bin/sh"]\n          args: ["-c", "id"]\n          image:'
    )

    assert changed.count(b"hostNetwork") == 1
    assert changed.count(b"/bin/sh") == 1
    assert plan.made({**benign, path: changed}, TABLE) == plan.made(benign, TABLE)
