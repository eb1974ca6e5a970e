"""What becomes of the protos of a solution, as a value: whoever only passes it on needs no compiler."""

from __future__ import annotations

from dataclasses import dataclass

from shared.findings import Findings

FILE = "pipeline.binpb"


@dataclass(frozen=True, slots=True)
class Described:
    """The descriptors of all nodes, and what is to say about protos that have none."""

    content: bytes
    """A FileDescriptorSet; empty when there are none at all."""
    findings: Findings
