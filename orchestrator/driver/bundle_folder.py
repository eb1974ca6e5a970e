"""The manifests of a release: out of a mounted ConfigMap (flat, in pieces) or an unpacked bundle, marked as the release's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.errors import InvalidRequestError, UsageError
from shared.findings import quoted
from shared.finishing.bundle_files import FOLDERS
from shared.orchestration import pipeline_files

RELEASE_LABEL = "slipway.dev/release"
NODE_LABEL = "slipway.dev/node"
CLAIM = "PersistentVolumeClaim"
# Who may be the owner of objects, by kind.
_OWNERS = {"Workflow": "argoproj.io/v1alpha1", "Pod": "v1", "Job": "batch/v1"}
_RELEASE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LEFT_OUT = ("Kustomization",)

Manifest = dict[str, Any]
Reference = dict[str, str]
"""Of an owner: apiVersion, kind, name, uid."""


def read(folder: Path) -> list[Manifest]:
    """Return every object of the folder's YAML files, `kustomization.yaml` left out.

    Raises:
        InvalidRequestError: there is none, or one cannot be read.
    """
    try:
        files = pipeline_files.read(folder)
        for inner in FOLDERS:
            if (folder / inner).is_dir():
                files |= {f"{inner}/{name}": content for name, content in pipeline_files.read(folder / inner).items()}
    except (OSError, ValueError) as problem:
        raise InvalidRequestError(f"--bundle: expected a folder with manifests: {problem}") from problem
    manifests = list(_documents(files))
    if not manifests:
        raise InvalidRequestError("--bundle: expected manifests in *.yaml, found none")
    return manifests


def _documents(files: Mapping[str, bytes]) -> Iterator[Manifest]:
    for name, content in sorted(files.items()):
        if not name.endswith((".yaml", ".yml")):
            continue
        try:
            documents = list(yaml.load_all(content, Loader=yaml.CSafeLoader))
        except yaml.YAMLError as problem:
            raise InvalidRequestError(f"{name}: expected YAML") from problem
        for document in documents:
            if document is None or (isinstance(document, dict) and document.get("kind") in _LEFT_OUT):
                continue
            if (
                not isinstance(document, dict)
                or not isinstance(document.get("metadata"), dict)
                or "kind" not in document
            ):
                raise InvalidRequestError(f"{name}: expected Kubernetes objects")
            yield document


def release(name: str) -> str:
    """Return the name, checked: it becomes a label.

    Raises:
        UsageError: it cannot be one.
    """
    if not _RELEASE.fullmatch(name):
        raise UsageError(f"--name: expected a label of lower-case letters, digits and dashes, found {quoted(name)}")
    return name


def owner(text: str | None) -> Reference | None:
    """Return the owner reference that `KIND/NAME/UID` stands for.

    Raises:
        UsageError: it has another form, or a kind that owns nothing here.
    """
    if text is None:
        return None
    kind, _, rest = text.partition("/")
    name, _, uid = rest.partition("/")
    if kind not in _OWNERS or not name or not uid:
        raise UsageError(f"--owner: expected KIND/NAME/UID with one of {', '.join(_OWNERS)}, found {quoted(text)}")
    return {"apiVersion": _OWNERS[kind], "kind": kind, "name": name, "uid": uid}


def marked(manifest: Manifest, name: str, reference: Reference | None) -> Manifest:
    """Return the object as the release's; claims get no owner, data must not go with a workflow."""
    about = manifest["metadata"]
    metadata = {**about, "labels": {**(about.get("labels") or {}), RELEASE_LABEL: name}}
    metadata.pop("namespace", None)
    if reference is not None and manifest["kind"] != CLAIM:
        metadata["ownerReferences"] = [reference]
    return {**manifest, "metadata": metadata}


def endpoints(manifests: list[Manifest], namespace: str) -> dict[str, str]:
    """Return `host:port` by node: that of the Service which has the node's name."""
    return {
        name: f"{name}.{namespace}.svc:{manifest['spec']['ports'][0]['port']}"
        for manifest in manifests
        if manifest["kind"] == "Service"
        and (name := str(manifest["metadata"]["name"])) == (manifest["metadata"].get("labels") or {}).get(NODE_LABEL)
    }
