"""Switches traces on: OpenTelemetry is an extra, and imported only then.

Off is the default and costs nothing: workers find no tracer and make no spans.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from shared.errors import SettingsError

if TYPE_CHECKING:
    from orchestrator.tracing_export import Traces

UNTRACED = contextlib.nullcontext()
"""Stands where a span would: `with UNTRACED as span` gives None."""


def begin(*, queue_spans: int) -> Traces:
    """Send spans to the collector that the `OTEL_EXPORTER_OTLP_*` variables name.

    Args:
        queue_spans: how many wait for the collector at most.

    Raises:
        SettingsError: the extra is not installed, or the variables contradict each other.
    """
    try:
        from orchestrator import tracing_export  # noqa: PLC0415 - see the module
    except ImportError as problem:
        raise SettingsError("SLIPWAY_TRACING: expected the extra `tracing` to be installed") from problem
    try:
        return tracing_export.Traces(tracing_export.to_collector(), queue_spans=queue_spans)
    except ValueError as problem:
        raise SettingsError(f"OTEL_*: {problem}") from problem
