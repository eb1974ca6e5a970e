"""A bundle: file paths → bytes, sealed with `report.json` and `bundle.json`, and written as a deterministic zip.

The digest of a bundle is the SHA-256 over the sorted pairs of path and content hash, `bundle.json` left out;
it is the bundle's identity everywhere. Reading foreign archives is `shared.archive`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from shared.findings import Findings
from shared.solution import Ids

FORMAT_VERSION = 1


def digest(hashes: Mapping[str, str]) -> str:
    """Return the digest for SHA-256 hex hashes by path; `bundle.json` is left out, order does not matter."""
    total = hashlib.sha256()
    for path in sorted(hashes):
        if path != "bundle.json":
            total.update(f"{path}\0{hashes[path]}\n".encode())
    return total.hexdigest()


@dataclass(frozen=True)
class Bundle:
    """What a deployer makes. `files` are its own; `sealed` adds what every bundle carries."""

    deployer: str
    solution_name: str
    files: Mapping[str, bytes] = field(hash=False)
    """Relative POSIX path → content, without `report.json` and `bundle.json`."""
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The name map: a node's name in the bundle → its `container_name` in the source."""
    ids: Ids | None = None
    findings: Findings = field(default_factory=Findings)

    def with_findings(self, findings: Findings) -> Bundle:
        """Return the same bundle with these findings instead."""
        return replace(self, findings=findings)

    @property
    def about(self) -> dict[str, Any]:
        """Who made what: the head of `report.json` and `bundle.json`."""
        return {
            "deployer": self.deployer,
            "solution": self.solution_name,
            "solutionId": self.ids.solution_id if self.ids else None,
            "revisionId": self.ids.revision_id if self.ids else None,
        }

    @cached_property
    def sealed(self) -> dict[str, bytes]:
        """All files, sorted by path, with `report.json` and `bundle.json`."""
        files = {**self.files, "report.json": self.findings.report(**self.about)}
        hashes = {path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)}
        manifest = {
            "formatVersion": FORMAT_VERSION,
            **self.about,
            "digest": digest(hashes),
            "names": dict(sorted(self.names.items())),
            "files": hashes,
        }
        files["bundle.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
        return dict(sorted(files.items()))

    @property
    def digest(self) -> str:
        """The identity of the bundle."""
        manifest: dict[str, Any] = json.loads(self.sealed["bundle.json"])
        return str(manifest["digest"])
