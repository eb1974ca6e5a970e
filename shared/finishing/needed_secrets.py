"""Which Secrets a workflow refers to, and what it deploys: they are looked for before anything is written. Pure."""

from __future__ import annotations

import base64
import re
from typing import Any, Dict, Iterator, List

from shared.finishing.objects import Manifest, name_of, of_kinds

# `<instance>-<digest>-bundle-<n>` holds manifests by file name; one that does not fit is cut into `<file>.000`, ….
BUNDLE_MAP = re.compile(r"-bundle-[0-9]+\Z")
PIECE_NUMBER = re.compile(r"\.[0-9]{3}\Z")


def secrets_of(manifests: List[Manifest]) -> List[str]:
    """Return the names of the Secrets that pods need, but of those that the manifests themselves make."""
    made = {name_of(each) for each in of_kinds(manifests, "Secret")}
    return sorted({name for each in manifests for name in named_in(each)} - made)


def named_in(part: Any) -> Iterator[str]:
    """Yield the names of Secrets that any part of an object refers to."""
    if isinstance(part, list):
        for each in part:
            yield from named_in(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "imagePullSecrets":
                yield from map(str, (each["name"] for each in value or []))
            elif key == "secretKeyRef":
                yield str(value["name"])
            else:
                yield from named_in(value)


def deployed_with_secrets(manifests: List[Manifest]) -> List[str]:
    """Return, as YAML, the manifests that the workflow deploys and that name a Secret: ConfigMaps carry them.

    kubectl knows the kinds of these; of others, that need not be so.
    """
    pieces: Dict[str, bytes] = {}
    for each in of_kinds(manifests, "ConfigMap"):
        if BUNDLE_MAP.search(name_of(each)):
            pieces.update({name: text.encode() for name, text in (each.get("data") or {}).items()})
            pieces.update({name: base64.b64decode(text) for name, text in (each.get("binaryData") or {}).items()})
    files: Dict[str, bytes] = {}
    for name in sorted(pieces):
        whole = PIECE_NUMBER.sub("", name)
        files[whole] = files.get(whole, b"") + pieces[name]
    texts = (content.decode("utf-8", "replace") for content in files.values())
    return [text for text in texts if "imagePullSecrets" in text or "secretKeyRef" in text or "kind: Secret" in text]
