"""Operations that run here: splitters and collators. What they do to the bytes stands in the mappings of their edges."""

from __future__ import annotations

from orchestrator.inbox import Context
from orchestrator.queues import EdgeQueue
from orchestrator.worker import Worker


class SplitterWorker(Worker):
    """Gives every message to every target; the edges out of it pick their part."""

    async def work(self) -> None:
        """Serve until nothing more can arrive."""
        while (item := await self.next()) is not None:
            edge, message, context = item
            await self.distribute(message, context)
            edge.finish()


class CollatorWorker(Worker):
    """Joins the n-th message of every edge: messages that follow each other on the wire are one message."""

    async def work(self) -> None:
        """Serve until some edge can bring nothing more; what the others still hold stays undelivered."""
        while (parts := await self._parts()) is not None:
            tracer = self.reporter.tracer
            context = None if tracer is None else tracer.join(self.operation, [context for _, _, context in parts])
            await self.distribute(b"".join(message for _, message, _ in parts), context)
            for edge, _, _ in parts:
                edge.finish()
        while self.inbox.take() is not None:
            self.note_failure("a message found no partner on the other edges", is_final=True)

    async def _parts(self) -> list[tuple[EdgeQueue, bytes, Context]] | None:
        while self.inbox.is_paused or not all(len(edge) for edge in self.inbox.edges):
            if self.inbox.is_closed:
                return None
            await self.inbox.wait()
        parts = []
        for edge in self.inbox.edges:
            self.inbox.forget(edge)
            message, context = edge.pop()
            parts.append((edge, message, context))
        return parts
