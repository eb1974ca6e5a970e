"""The files of a solution as a folder or a zip has them, in any layout that we read, → the values of a solution.

Three layouts: a folder written by hand (`blueprint.json`, or `model.json`, and protos), a bundle of ours, and a
solution.zip of Graphene, also one that its finishing script has changed. Pure: reading the disk or the archive is done
by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import json_text, solution_manifests
from shared.bundle import FORMAT_VERSION
from shared.errors import InvalidRequestError
from shared.findings import Finding, quoted, warning
from shared.json_text import JsonTextError
from shared.solution import Attachments, Ids, SolutionFiles
from shared.unreadable import unreadable

BLUEPRINT = "blueprint.json"
MODEL = "model.json"
MODEL_NAME = "modelname.txt"
BUNDLE = "bundle.json"
ICON = "solution_icon.png"
DESCRIPTION = "solution_description.html"
SOURCE_URL = "source_system_url.txt"

_DEPLOYMENT = "deployments/deployment.yaml"
_KINDS = (BLUEPRINT, MODEL, MODEL_NAME, _DEPLOYMENT)
_PROTOS = "microservice/"
_JUNK = "__MACOSX/"  # what macOS adds to every zip
_MAX_JSON_BYTES = 4 << 20  # a bundle.json lists every file of a pipeline of 500 nodes
_SHOWN_FILES = 5


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    image: str
    version: str = ""


def from_files(files: Mapping[str, bytes], *, ids: Ids | None = None) -> SolutionFiles:
    """Return the solution in `files` (relative POSIX path → content); files of unknown kind are passed over.

    Args:
        files: the content of the folder, or of one folder in it that holds everything.
        ids: the ids of the revision; without them those of a bundle of ours.

    Raises:
        InvalidSolutionError: it is no solution; the one finding says what was expected.
    """
    files = _without_enclosing_folder(files)
    about = _about(files)
    ids = ids or _ids(about)
    protos, hidden = _flat(files)
    if BLUEPRINT in files:
        return SolutionFiles(
            name=_text(about, "solution"),
            blueprint=files[BLUEPRINT],
            protos=protos,
            shared_folder_paths=solution_manifests.shared_folder_paths(files),
            ids=ids,
            attachments=_attachments(files),
            findings=(*_legacies(files, about), *hidden),
        )
    model = _described_model(files) if MODEL in files else _bundled_model(files, about)
    return SolutionFiles(
        name=model.name,
        version=model.version,
        model_image=model.image,
        protos=protos or _protos(files, ""),
        shared_folder_paths=solution_manifests.shared_folder_paths(files),
        ids=ids,
        attachments=_attachments(files),
        findings=(*_legacies(files, about), *hidden),
    )


def _legacies(files: Mapping[str, bytes], about: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return what is normalised when a bundle of Graphene is built anew; a bundle of ours has no legacies."""
    return () if about else solution_manifests.legacies(files)


def _without_enclosing_folder(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the files of a solution, also where somebody has zipped the folder instead of what is in it."""
    kept = {path: data for path, data in files.items() if not path.startswith((_JUNK, "."))}
    if not kept.keys().isdisjoint(_KINDS):
        return kept
    tops = {path.partition("/")[0] for path in kept}
    inner = {path.partition("/")[2]: data for path, data in kept.items()}
    if len(tops) == 1 and not inner.keys().isdisjoint(_KINDS):
        return inner
    shown = ", ".join(quoted(path) for path in sorted(kept)[:_SHOWN_FILES]) or "no file"
    raise unreadable("$", expected=f"{BLUEPRINT}, {MODEL} or {MODEL_NAME} at the top", found=shown)


def _about(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what `bundle.json` says when it is one of ours; anything else under that name means nothing."""
    try:
        about = json_text.read(files.get(BUNDLE, b"{}"), max_bytes=_MAX_JSON_BYTES)
    except JsonTextError:
        return {}
    if not isinstance(about, dict) or not isinstance(about.get("formatVersion"), int):
        return {}
    version = about["formatVersion"]
    if version > FORMAT_VERSION:
        expected = f"formatVersion {FORMAT_VERSION} or less"
        raise unreadable(BUNDLE, expected=expected, found=f"{version}: made by a newer Slipway")
    return about


def _ids(about: Mapping[str, Any]) -> Ids | None:
    try:
        return Ids.parse(about.get("solutionId"), about.get("revisionId"))
    except InvalidRequestError:
        return None


def _described_model(files: Mapping[str, bytes]) -> _Model:
    """Return what `model.json` says."""
    try:
        model = json_text.read(files[MODEL], max_bytes=_MAX_JSON_BYTES)
    except JsonTextError as problem:
        fault = problem.fault
        raise unreadable(f"{MODEL}: {fault.path}", expected=fault.expected, found=fault.found) from problem
    if not isinstance(model, dict):
        raise unreadable(MODEL, expected="an object with name and image", found="something else")
    for key, required in (("name", True), ("image", True), ("version", False)):
        value = model.get(key, "")
        if not isinstance(value, str) or (required and not value):
            raise unreadable(f"{MODEL}: $.{key}", expected="text", found=quoted(value))
    return _Model(model["name"], model["image"], model.get("version", ""))


def _bundled_model(files: Mapping[str, bytes], about: Mapping[str, Any]) -> _Model:
    """Return what the bundle of a model tells: its image stands in its Deployment only, and its version nowhere."""
    name = _text(about, "solution") or _line(files.get(MODEL_NAME, b""))
    if not name:
        name = next(iter(_protos(files, _PROTOS)), "")
    return _Model(name, solution_manifests.model_image(files))


def _protos(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    """Return the protos directly in a folder by stem, sorted."""
    names = {path.removeprefix(folder): path for path in sorted(files) if path.startswith(folder)}
    return {
        name.removesuffix(".proto"): files[path]
        for name, path in names.items()
        if "/" not in name and name.endswith(".proto") and name != ".proto"
    }


def _flat(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], tuple[Finding, ...]]:
    """Return the protos by stem, those of folders within too, and which of them others of the same name hide.

    A bundle keeps them side by side, and an import finds a file by its name alone.
    """
    protos: dict[str, bytes] = {}
    findings = []
    paths = (path for path in files if path.startswith(_PROTOS) and path.endswith(".proto"))
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        stem = path.rpartition("/")[2].removesuffix(".proto")
        if stem and protos.setdefault(stem, files[path]) != files[path]:
            expected, hint = "a file name that no other proto has", "rename the file and what imports it"
            findings.append(
                warning("proto-name-taken", path, expected=expected, found=quoted(f"{stem}.proto"), hint=hint)
            )
    return dict(sorted(protos.items())), tuple(findings)


def _attachments(files: Mapping[str, bytes]) -> Attachments:
    description = files.get(DESCRIPTION)
    return Attachments(
        icon=files.get(ICON) or None,
        description=None if description is None else description.decode(errors="replace"),
        source_url=_line(files.get(SOURCE_URL, b"")) or None,
    )


def _text(about: Mapping[str, Any], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""


def _line(data: bytes) -> str:
    """Return the first line of a text file without blanks around it."""
    lines = data.decode("utf-8-sig", errors="replace").strip().splitlines()
    return lines[0].strip() if lines else ""
