"""How much of a blueprint is read: real ones are a hundred times smaller, and hostile ones end in a finding."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 2 << 20
MAX_NODES = 500
MAX_OPERATIONS = 5000  # of all nodes together
MAX_EDGES = 5000
MAX_PORTS = 5000
MAX_TEXT = 512  # characters of a name; the longest real one has 60
MAX_IMAGE = 1024  # characters: name 255, tag 128 and digest 135 make a valid one
MAX_URI = 2048
MAX_MOUNT_PATH = 4096  # PATH_MAX of Linux
MAX_FINDINGS = 200  # more than anybody reads
MAX_PROTO_BYTES = 256 << 10
MAX_PROTOS_BYTES = 16 << 20


@dataclass(slots=True)
class Budget:
    """How many entries of one kind may still be read, over all the lists that hold them."""

    counted: str
    """The plural noun, for findings."""
    limit: int
    spent: int = 0

    def take(self, wanted: int) -> int:
        """Spend up to `wanted` entries and return how many that are."""
        granted = min(wanted, self.limit - self.spent)
        self.spent += granted
        return granted
