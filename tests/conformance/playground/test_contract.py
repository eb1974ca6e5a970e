"""The process runtime does what every runtime does."""

from __future__ import annotations

from support.runtime_contract import RuntimeContract


class TestProcessRuntime(RuntimeContract):
    """All in `support.runtime_contract`."""
