"""W3C trace context along the edges: a source begins a trace, every call that follows from it continues it.

Off by default; when on, each call carries `traceparent`, which every OpenTelemetry instrumentation of a node continues.
"""

from __future__ import annotations

import secrets
from typing import Any

from orchestrator.inbox import Context


class Tracing:
    """Decides what travels beside the messages."""

    def __init__(self, *, is_on: bool = False) -> None:
        self._is_on = is_on

    def begin(self, context: Context) -> tuple[Context, Any]:
        """Return what travels on with the answers, and the metadata of the call."""
        if not self._is_on:
            return None, None
        trace_id = context if isinstance(context, str) else secrets.token_hex(16)
        return trace_id, (("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),)
