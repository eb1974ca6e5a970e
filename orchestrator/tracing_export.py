"""Sends spans to a collector from a thread of its own, and counts what becomes of them.

Messages never wait for it: a span that finds the queue full is dropped, and a collector that is gone costs one line in
the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from orchestrator.tracing_spans import Tracer
from shared.version import VERSION

_LOG = structlog.get_logger()
_LIBRARY = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
NAME = "slipway-orchestrator"
FLUSH_SECONDS = 5.0
"""What a collector gets for the last spans, at most."""
FAILING_SECONDS = 0.5
"""The same for one that did not take those before."""


class Traces:
    """The way of the spans to the collector; `close` ends it."""

    def __init__(self, exporter: SpanExporter, *, queue_spans: int) -> None:
        self._exporter = _Counting(exporter)
        self._queue = _Queue(self._exporter, queue_spans)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(self._queue)
        self._spans = self._provider.get_tracer("slipway.orchestrator", VERSION)

    def of_run(self, label: str) -> Tracer:
        """Return what makes the spans of a run."""
        return Tracer(self._spans, label)

    @property
    def counts(self) -> dict[str, int]:
        """What became of the spans so far: `sent`, `dropped` by the full queue, `lost` on the way to the collector."""
        return {"sent": self._exporter.sent, "dropped": self._queue.dropped, "lost": self._exporter.lost}

    async def close(self, seconds: float) -> None:
        """Send what waits, within so many seconds; what is not sent by then is lost, and logged."""
        loop = asyncio.get_running_loop()
        flushed = asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop did not wait, and is closed
                loop.call_soon_threadsafe(flushed.set)

        # Not in the loop's own pool: asyncio waits for that, however long a collector takes.
        threading.Thread(target=flush, name="traces-flush", daemon=True).start()
        longest = FAILING_SECONDS if self._exporter.reason else FLUSH_SECONDS
        try:
            await asyncio.wait_for(flushed.wait(), min(seconds, longest))
        except TimeoutError:
            self._exporter.shutdown()
        unsent = self._queue.ended - self._queue.dropped - self._exporter.sent
        if unsent:
            _LOG.warning("traces_lost", spans=unsent, reason=self._exporter.reason)


def to_collector() -> SpanExporter:
    """Return the exporter that the `OTEL_EXPORTER_OTLP_*` variables describe."""
    return OTLPSpanExporter()


class _Counting(SpanExporter):
    """Counts what the collector takes; logs once that it does not, and once that it does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.taken = 0
        """Spans that have left the queue. Only the exporting thread writes this and the other counters."""
        self.sent = 0
        self.lost = 0
        self._is_failing = False
        self._exporter = exporter
        self._words = _Words()

    @property
    def reason(self) -> str:
        """Why the last batch was lost, or a try of this one; empty while all is well."""
        return self._words.first

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; takes up to `OTEL_EXPORTER_OTLP_TIMEOUT`."""
        self.taken += len(spans)
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._note_sent(len(spans))
        else:
            self._note_lost(len(spans))
        return result

    def _note_sent(self, count: int) -> None:
        self.sent += count
        self._words.first = ""
        if self._is_failing:
            _LOG.info("traces_delivered_again", lost=self.lost)
        self._is_failing = False

    def _note_lost(self, count: int) -> None:
        self.lost += count
        if not self._is_failing:
            _LOG.warning("traces_not_delivered", reason=self.reason)
        self._is_failing = True

    def shutdown(self) -> None:
        """Give up what is being tried again; nothing more is logged."""
        self._is_failing = True
        self._exporter.shutdown()


class _Queue(SpanProcessor):
    """A bounded queue before the exporting thread, which counts what finds it full; the library's own only logs it."""

    def __init__(self, exporter: _Counting, most: int) -> None:
        self.ended = 0
        """Spans that came. Only the event loop writes this and `dropped`."""
        self.dropped = 0
        self._exporter = exporter
        self._most = most
        self._processor = BatchSpanProcessor(exporter, max_queue_size=most)

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that has ended, without waiting."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        self.ended += 1
        # What waits here is never less than what waits there, so the library drops nothing by itself.
        if self.ended - self.dropped - self._exporter.taken > self._most:
            self.dropped += 1
            return
        self._processor.on_end(span)

    def shutdown(self) -> None:
        """Export what waits; takes as long as the collector does, up to 30 seconds."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


class _Words(logging.Handler):
    """Takes what the library logs, a line per try, so that an operator reads one per outage."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""
        _LIBRARY.propagate = False
        _LIBRARY.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line, which says why."""
        self.first = self.first or record.getMessage()


def _resource() -> Resource:
    """Say who sends the spans; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win."""
    found = Resource.create()
    if not str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found
    return found.merge(Resource({SERVICE_NAME: NAME, SERVICE_VERSION: VERSION}))
