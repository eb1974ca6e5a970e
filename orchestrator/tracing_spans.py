"""The spans of a run: one per call to a node with all its tries, and one per message that enters or leaves a stream.

Names and attributes of calls follow OpenTelemetry's conventions for RPC. A stream may last for ever, so its span is no
parent of its messages: these have short spans of their own in the traces of the messages, linked to the stream's, as
the conventions for messaging have it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Self

import grpc.aio
from opentelemetry import trace
from opentelemetry.context import Context as Parent
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from orchestrator import retrying
from orchestrator.inbox import Context
from orchestrator.plan import Operation, Part
from orchestrator.retrying import END_OF_DATA

MAX_LINKS = 32
"""Messages that an answer of a stream is linked to: the newest."""
_NOBODY = Parent()


class Tracer:
    """Makes the spans of one run. What they call their context travels along the edges beside the messages."""

    def __init__(self, spans: trace.Tracer, run: str) -> None:
        self._spans = spans
        self._run = run
        self._known: dict[tuple[str, str], dict[str, AttributeValue]] = {}

    def call(self, operation: Operation, context: Context, size: int) -> CallSpan:
        """Begin the span of a call with a message of `size` bytes; without a context it begins a trace."""
        span = self.begin(operation.path[1:], operation, context)
        span.set_attribute("slipway.message.bytes", size)
        return CallSpan(span, operation)

    def stream(self, operation: Operation) -> StreamSpan:
        """Begin the span of a call whose stream may last for ever: a trace of its own."""
        return StreamSpan(self.begin(operation.path[1:], operation, None), operation, self)

    def join(self, operation: Operation, contexts: Iterable[Context]) -> Context:
        """Return the context of a message that several were joined to: the first one's trace, the others linked."""
        known = [context for context in contexts if isinstance(context, SpanContext)]
        first = known[0] if known else None
        span = self.begin(f"join {operation.key}", operation, first, kind=SpanKind.INTERNAL, links=known[1:])
        span.end()
        return span.get_span_context()

    def begin(
        self,
        name: str,
        operation: Operation,
        context: Context,
        *,
        kind: SpanKind = SpanKind.CLIENT,
        links: Iterable[SpanContext] = (),
    ) -> Span:
        """Begin a span that follows from `context`."""
        parent = _NOBODY
        if isinstance(context, SpanContext):
            parent = trace.set_span_in_context(NonRecordingSpan(context), _NOBODY)
        return self._spans.start_span(name, parent, kind, self._attributes(operation), [Link(link) for link in links])

    def _attributes(self, operation: Operation) -> dict[str, AttributeValue]:
        key = operation.node, operation.name
        if key not in self._known:
            own = {"slipway.run": self._run, "slipway.node": operation.node, "slipway.operation": operation.name}
            self._known[key] = {**_rpc(operation), **own}
        return self._known[key]


class CallSpan:
    """The span of one call and of its tries: `with tracer.call(…) as span`, or `end` it in every case."""

    def __init__(self, span: Span, operation: Operation) -> None:
        self.context: SpanContext = span.get_span_context()
        self.metadata = _metadata(self.context)
        """What the node gets, so that its own spans continue the trace."""
        self._span = span
        self._operation = operation
        self._status = grpc.StatusCode.CANCELLED
        """Who ends the span without another word has cancelled the call."""
        self._reason = ""
        self._failures = 0
        self._answers = 0
        self._answered_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: BaseException | None, where: object) -> None:
        if isinstance(value, grpc.aio.AioRpcError):
            self.failed(value)
        self.end()

    def answered(self, size: int) -> None:
        """Count an answer."""
        self._answers += 1
        self._answered_bytes += size

    def succeeded(self) -> None:
        """Note that the node ended the call well."""
        self._status = grpc.StatusCode.OK

    def failed(self, failure: grpc.aio.AioRpcError) -> None:
        """Note a try that failed; another may follow."""
        self._status, self._reason = failure.code(), retrying.describe(failure)
        self._failures += 1
        attributes = {"rpc.response.status_code": self._status.name, "slipway.reason": self._reason}
        self._span.add_event("slipway.try.failed", attributes)

    def end(self) -> None:
        """Tell how the call ended, as the last try did."""
        span, status = self._span, self._status
        span.set_attribute("rpc.response.status_code", status.name)
        span.set_attribute("slipway.answers", self._answers)
        span.set_attribute("slipway.answers.bytes", self._answered_bytes)
        if self._failures:
            span.set_attribute("slipway.tries", self._failures + (status is grpc.StatusCode.OK))
        if self._reason and status is not grpc.StatusCode.OK and not self._is_end_of_data:
            span.set_attribute("error.type", status.name)
            span.set_status(StatusCode.ERROR, self._reason)
        span.end()

    @property
    def _is_end_of_data(self) -> bool:
        return self._operation.part is Part.SOURCE and self._status in END_OF_DATA


class StreamSpan(CallSpan):
    """The span of a call with a stream of messages."""

    def __init__(self, span: Span, operation: Operation, tracer: Tracer) -> None:
        super().__init__(span, operation)
        self._tracer = tracer
        self._unanswered: deque[SpanContext] = deque(maxlen=MAX_LINKS)
        self._newest: SpanContext | None = None

    def send(self, context: Context, size: int) -> Span:
        """Begin the span of a message that is written to the node; end it when the transport has taken it."""
        span = self._message("send", context, size, [])
        self._newest = span.get_span_context()
        self._unanswered.append(self._newest)
        return span

    def receive(self, size: int) -> Context:
        """Return the context of a message that the node has sent.

        gRPC does not tell which message it answers: it continues the trace of the newest that was written before it,
        and is linked to all that were written since the previous answer. Where none was, it begins a trace.
        """
        self.answered(size)
        links = [context for context in self._unanswered if context is not self._newest]
        self._unanswered.clear()
        span = self._message("receive", self._newest, size, links)
        span.end()
        return span.get_span_context()

    def _message(self, what: str, context: Context, size: int, links: list[SpanContext]) -> Span:
        operation = self._operation
        name = f"{what} {operation.path[1:]}"
        span = self._tracer.begin(name, operation, context, links=[self.context, *links])
        span.set_attribute("slipway.message.bytes", size)
        return span


def _rpc(operation: Operation) -> dict[str, AttributeValue]:
    """Return what the conventions want to know; splitters and collators call nobody."""
    if not operation.address:
        return {}
    host, _, port = operation.address.rpartition(":")
    return {
        "rpc.system.name": "grpc",
        "rpc.method": operation.path[1:],
        "server.address": host.strip("[]"),
        "server.port": int(port),
    }


def _metadata(context: SpanContext) -> tuple[tuple[str, str], ...] | None:
    """Return W3C trace context as gRPC carries it; None where the SDK is disabled."""
    if not context.is_valid:
        return None
    flags = int(context.trace_flags)
    parent = ("traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}")
    return (parent, ("tracestate", context.trace_state.to_header())) if context.trace_state else (parent,)
