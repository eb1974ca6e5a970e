"""Shared folders and everything that only mounts them."""

import json

import pytest
from support.blueprints import document, edges, folder, found, link, links, node, operation, operations, parse, solution

from shared.solution import SharedFolder

MOUNT = operation("mountVolume", takes="SharedFolderRequest", gives="SharedFolderStatus")


def test_a_folder_leaves_the_graph_and_keeps_its_mount_path() -> None:
    made = solution(document(folder("/data/shared", "a.mountVolume"), node("a", MOUNT, operation())))

    assert made.shared_folders == (SharedFolder(1, "/data/shared"),)
    assert [n.name for n in made.nodes] == ["a"]
    assert operations(made) == {"a": ["process"]}
    assert edges(made) == []
    assert [n["container_name"] for n in made.document["nodes"]] == ["a"]


@pytest.mark.parametrize("node_type", ["SharedFolder", "sharedfolder", "MySharedFolderProvider"])
def test_a_folder_is_recognised_by_its_type(node_type: str) -> None:
    made = solution(document(folder("/data") | {"node_type": node_type}, node("a")))

    assert [shared.mount_path for shared in made.shared_folders] == ["/data"]


def test_several_folders_are_numbered_in_the_order_of_the_source() -> None:
    made = solution(document(folder("/b"), node("a"), folder("/a")), shared_folder_paths=("/known", "/b"))

    assert made.shared_folders == (SharedFolder(1, "/b"), SharedFolder(2, "/a"), SharedFolder(3, "/known"))
    assert [shared.variable for shared in made.shared_folders] == [
        "SHARED_FOLDER_PATH",
        "SHARED_FOLDER_PATH_2",
        "SHARED_FOLDER_PATH_3",
    ]


def test_one_path_twice_is_an_error() -> None:
    parsed = parse(document(folder("/data"), node("a"), folder("/data")))

    assert found(parsed) == [("error", "mount-path-duplicate", "$.nodes[2].container_name")]


def test_every_mount_and_every_link_to_a_folder_leaves_the_document() -> None:
    source = document(
        folder("/data", "a.mountVolume"),
        node("a", operation("MOUNTVOLUME"), operation("process", "/data.store", "b.mountvolume", "b.process")),
        node("b"),
        input_ports=[link("/data", "provideFolder"), link("a", "mountVolume"), link("a")],
    )

    made = solution(source)

    assert edges(made) == ["a.process -> b.process"]
    assert links(made.document["nodes"][0]["operation_signature_list"][0]) == ["b.process"]
    assert made.document["input_ports"] == [link("a")]
    assert "mountvolume" not in json.dumps(made.document).lower()
    assert "/data" not in json.dumps(made.document)


def test_a_node_that_only_mounts_is_left_without_operations() -> None:
    parsed = parse(document(folder("/data", "a.mountVolume"), node("a", MOUNT)))

    assert found(parsed) == [("warning", "operations-missing", "$.nodes[1]")]


def test_a_mount_without_any_folder_is_a_warning() -> None:
    parsed = parse(document(node("a", MOUNT, operation())))

    path = "$.nodes[0].operation_signature_list[0].operation_signature.operation_name"
    assert found(parsed) == [("warning", "mount-without-folder", path)]


def test_a_mount_of_a_folder_known_from_elsewhere_is_no_finding() -> None:
    parsed = parse(document(node("a", MOUNT, operation())), shared_folder_paths=("/data",))

    assert found(parsed) == []


@pytest.mark.parametrize(
    "path",
    [
        "/data",
        "/data/shared",
        "/srv/a b",
        "/usr/share/x",
        "/usr/local/share",
        "/var/lib/x",
        "/lib32",
        "/apps",
        "/häuser",
    ],
)
def test_paths_where_a_folder_can_be_mounted(path: str) -> None:
    assert solution(document(folder(path), node("a"))).shared_folders == (SharedFolder(1, path),)


def test_a_slash_at_the_end_is_dropped_with_a_note() -> None:
    parsed = parse(document(folder("/data/shared/"), node("a", operation("process", "/data/shared/.x"))))

    assert found(parsed) == [("note", "mount-path-mended", "$.nodes[0].container_name")]
    assert parsed.solution is not None
    assert parsed.solution.shared_folders == (SharedFolder(1, "/data/shared"),)
    assert edges(parsed.solution) == []


@pytest.mark.parametrize(
    "path",
    [
        "data",
        "./data",
        "/",
        "//",
        "//data",
        "/data//shared",
        "/data/../etc",
        "/data/.",
        "/..",
        "/etc",
        "/etc/ssl",
        "/proc/1",
        "/sys",
        "/dev/shm",
        "/var/run/secrets/kubernetes.io/serviceaccount",
        "/run",
        "/bin",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/lib/python3/dist-packages",
        "/usr/lib64",
        "/usr/sbin",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib/python3.13",
        "/etc/slipway",
        "/app",
        "/app/lib",
        "/var",
        "/lib64/x",
        "/data:ro",
        "C:\\data",
        "${HOME}",
    ],
)
def test_paths_where_no_folder_can_be_mounted(path: str) -> None:
    parsed = parse(document(folder(path), node("a")))

    assert found(parsed) == [("error", "mount-path-invalid", "$.nodes[0].container_name")]


@pytest.mark.parametrize("path", ["/data\n", "/\x1b[2J", "/a\0", "/" + "x" * 4096])
def test_a_path_that_cannot_be_shown_or_is_too_long_is_an_error(path: str) -> None:
    parsed = parse(document(folder(path), node("a")))

    assert {finding.path for finding in parsed.findings.errors} == {"$.nodes[0].container_name"}


@pytest.mark.parametrize("name", [None, "", 5])
def test_a_folder_without_a_path_is_an_error(name: object) -> None:
    parsed = parse(document(folder("/x") | {"container_name": name}, node("None")))

    assert ("error", "mount-path-invalid", "$.nodes[0].container_name") in found(parsed)
    assert parsed.solution is not None
    assert operations(parsed.solution).popitem()[1] == ["process"]


@pytest.mark.parametrize("path", ["../etc", "/etc", ""])
def test_a_bad_path_known_from_elsewhere_is_an_error(path: str) -> None:
    parsed = parse(document(node("a")), shared_folder_paths=(path,))

    assert found(parsed) == [("error", "mount-path-invalid", "deployments")]


def test_a_pipeline_of_folders_alone_has_no_node() -> None:
    parsed = parse(document(folder("/data")))

    assert parsed.solution is None
    assert found(parsed) == [("error", "no-nodes", "$.nodes")]


def test_a_long_mount_path_in_a_link_is_recognised() -> None:
    path = "/data/" + "x" * 1000

    made = solution(document(folder(path), node("a", operation("process", f"{path}.store"))))

    assert edges(made) == []
