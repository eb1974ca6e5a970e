"""ConfigMaps that carry the pipeline to the orchestrator, which finds all of them in one folder.

How files are cut to fit, and put together again, `shared.orchestration.pipeline_files` says.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from shared.kubernetes import labels
from shared.kubernetes.labels import Identity
from shared.orchestration.pipeline_files import Data, text_of


def digest(files: Mapping[str, bytes]) -> str:
    """Return a text that changes when a file does, for the annotation that restarts the orchestrator."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return f"sha256:{total.hexdigest()}"


def config_map(name: str, data: Data, identity: Identity) -> dict[str, Any]:
    """Return a ConfigMap; what is not UTF-8 text goes into its `binaryData`."""
    texts: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, content in data.items():
        text = text_of(content)
        if text is None:
            others[key] = base64.b64encode(content).decode("ascii")
        else:
            texts[key] = text
    made: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": identity.metadata(name, labels.CONFIGURATION, app=identity.instance),
    }
    return made | {key: value for key, value in (("data", texts), ("binaryData", others)) if value}


def projected_volume(name: str, config_maps: Sequence[str]) -> dict[str, Any]:
    """Return one volume over all ConfigMaps, each optional.

    Graphene's script applies `deployments/` alone: then the orchestrator must start without them, and a client
    initialises it.
    """
    sources = [{"configMap": {"name": config_map, "optional": True}} for config_map in config_maps]
    return {"name": name, "projected": {"sources": sources}}
