"""Operations that run here: splitters and collators. What they do to the bytes stands in the mappings of their edges."""

from __future__ import annotations

from orchestrator.inbox import Context
from orchestrator.queues import EdgeQueue
from orchestrator.worker import Worker

_NO_PARTNER = "a message found no partner on the other edges"


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
        """Serve until some edge can bring nothing more; what the others still bring stays undelivered."""
        while (parts := await self._parts()) is not None:
            tracer = self.reporter.tracer
            context = None if tracer is None else tracer.join(self.operation, [context for _, _, context in parts])
            await self.distribute(b"".join(message for _, message, _ in parts), context)
            for edge, _, _ in parts:
                edge.finish()
        await self._strand()

    async def _strand(self) -> None:
        """Take what arrives without a partner: who brings it must not wait for room that nobody makes."""
        while not (self.inbox.is_empty and all(edge.is_ended for edge in self.inbox.edges)):
            item = self.inbox.take()
            if item is None:
                await self.inbox.wait()
                continue
            if self.figures.last_error == _NO_PARTNER:
                self.figures.failures += 1  # told once: there may be millions
            else:
                self.note_failure(_NO_PARTNER, is_final=True)
            item[0].strand()

    async def _parts(self) -> list[tuple[EdgeQueue, bytes, Context]] | None:
        while self.inbox.is_paused or not all(len(edge) for edge in self.inbox.edges):
            if self.inbox.is_closed or any(edge.is_ended and not len(edge) for edge in self.inbox.edges):
                return None
            await self.inbox.wait()
        parts = []
        for edge in self.inbox.edges:
            self.inbox.forget(edge)
            message, context = edge.pop()
            parts.append((edge, message, context))
        return parts
