"""Shared folders: nodes that stand for a volume. They, every `mountVolume` and every link to them leave the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.blueprint.collector import Collector
from shared.blueprint.limits import MAX_MOUNT_PATH
from shared.blueprint.place import Place
from shared.findings import quoted
from shared.solution import SharedFolder

_NODE_TYPE = "sharedfolder"
_MOUNT = "mountvolume"
_NOT_NORMAL = frozenset({"", ".", ".."})
# A volume there would hide what the container needs to run, or what the kubelet puts in place.
_PROGRAM_TREES = tuple(
    f"{parent}/{tree}" for parent in ("", "/usr", "/usr/local") for tree in ("bin", "lib", "lib64", "libexec", "sbin")
)
_SYSTEM_TREES = (*_PROGRAM_TREES, "/boot", "/dev", "/etc", "/proc", "/run", "/sys", "/var/run")
_SYSTEM_FOLDERS = frozenset({"/", "/usr", "/usr/local", "/var"})
# Every folder is mounted into the orchestrator as well, and there our images have their program.
_ORCHESTRATOR_TREE = "/app"


@dataclass(frozen=True, slots=True)
class Folders:
    """The shared folders of a solution."""

    containers: frozenset[str]
    """Container names of the nodes that stand for one."""
    shared: tuple[SharedFolder, ...]

    def hide(self, container: str, operation: str) -> bool:
        """Tell whether an operation, or a link to it, belongs to the mounting of folders and leaves the graph."""
        return container in self.containers or is_mount(operation)


def is_folder(node: Place) -> bool:
    """Tell whether a node stands for a shared folder."""
    node_type = node.value.get("node_type")
    return isinstance(node_type, str) and _NODE_TYPE in node_type.casefold()


def is_mount(operation: str) -> bool:
    """Tell whether an operation exists only to connect a node with a shared folder; no proto has it."""
    return operation.casefold() == _MOUNT


def find(nodes: Sequence[Place], known_paths: Iterable[str], findings: Collector) -> Folders:
    """Collect the folders of the blueprint in its order, then those known from elsewhere."""
    paths: dict[str, None] = {}
    for node in nodes:
        place = f"{node.path}.container_name"
        path = _checked(node.text("container_name", limit=MAX_MOUNT_PATH), place, findings)
        if path in paths:
            findings.error("mount-path-duplicate", place, expected="each mount path once", found=quoted(path))
        paths[path] = None
    for known in known_paths:
        paths[_checked(known, "deployments", findings)] = None
    names = (node.value.get("container_name") for node in nodes)
    return Folders(
        containers=frozenset(name for name in names if isinstance(name, str)),
        shared=tuple(SharedFolder(index, path) for index, path in enumerate(paths, start=1)),
    )


def _checked(text: str, place: str, findings: Collector) -> str:
    path = text.rstrip("/") or text
    problem = _problem(path)
    if problem:
        expected = "the absolute path where the folder is mounted"
        findings.error("mount-path-invalid", place, expected=expected, found=quoted(text), hint=problem)
    elif path != text:
        findings.note("mount-path-mended", place, expected=quoted(path), found=quoted(text))
    return path


def _problem(path: str) -> str:
    """Say why a path cannot be a mount path; empty when it can."""
    if not path.startswith("/"):
        return "it must start with '/'"
    if path != "/" and not _NOT_NORMAL.isdisjoint(path.split("/")[1:]):
        return "it must be normalised: no part of it is '.', '..' or empty"
    if len(path) > MAX_MOUNT_PATH or not path.isprintable() or ":" in path:
        return f"it must have at most {MAX_MOUNT_PATH} printable characters and no ':'"
    if path in _SYSTEM_FOLDERS or any(f"{path}/".startswith(f"{tree}/") for tree in _SYSTEM_TREES):
        return "the system of the container needs what is there"
    if f"{path}/".startswith(f"{_ORCHESTRATOR_TREE}/"):
        return "the orchestrator mounts the folder too, and has its program there"
    return ""
