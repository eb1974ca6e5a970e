"""One request on its way to a web UI, and the answer on its way back: both at once, piece by piece, whatever their size.

What the web UI answers before the request is over is passed on; whoever goes away ends the other side. After an upgrade
both sides' bytes are carried as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import h11

from playground.proxy import refusals
from playground.proxy.fields import Fields, words
from playground.proxy.limits import Limits
from playground.proxy.refusals import Refusal
from playground.proxy.wire import PIECE_BYTES, GoneError, Wire

SWITCHING = 101


class CutError(Exception):
    """The web UI broke off in the middle of its answer: the visitor's connection must break too, or it looks whole."""


@dataclass
class Exchange:
    """Carries one request and its answer."""

    visitor: Wire
    web_ui: Wire
    limits: Limits
    shaped: Callable[[Fields], list[tuple[bytes, bytes]]]
    """Turns the fields of the web UI's answer into those that the visitor gets."""
    status: int = 0
    """Of the answer, as soon as its head is sent."""
    _patience: asyncio.Timeout = field(init=False)
    """Ends everything when nothing happens."""

    async def run(self, request: h11.Request) -> None:
        """Carry them; return when both are over.

        Raises:
            Refusal: the web UI gives no proper answer, and nothing of one has been sent.
            CutError: it breaks off in the middle of one.
            GoneError: the visitor has gone.
        """
        try:
            async with asyncio.timeout(self.limits.answer_seconds) as self._patience:
                await self._both(request)
        except TimeoutError as problem:
            raise self._failed(refusals.silent()) from problem

    async def _both(self, request: h11.Request) -> None:
        up = asyncio.ensure_future(self._ask(request))
        down = asyncio.ensure_future(self._answer())
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if not down.done():
                up.result()
            switched = await down
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        if switched:
            await self._tunnel()

    async def _ask(self, request: h11.Request) -> None:
        """Send the request, then see whether the visitor stays."""
        if await self._sent(request) and await self._content_sent():
            await self.visitor.watch()

    async def _content_sent(self) -> bool:
        if self.visitor.http.they_are_waiting_for_100_continue:
            await self.visitor.send(h11.InformationalResponse(status_code=100, headers=[]), self.limits.idle_seconds)
        while True:
            try:
                event = await self.visitor.next(self.limits.idle_seconds)
            except h11.RemoteProtocolError as problem:
                raise GoneError from problem
            if isinstance(event, h11.EndOfMessage):
                # Trailers are hop-by-hop for whoever does not know them.
                return await self._sent(h11.EndOfMessage())
            if not isinstance(event, h11.Data) or not await self._sent(event):
                return False
            self._be_patient(self.limits.answer_seconds)

    async def _sent(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> bool:
        """Send to the web UI; False: it takes no more, and may have said why."""
        try:
            await self.web_ui.send(event, self.limits.idle_seconds)
        except (GoneError, h11.LocalProtocolError):
            return False
        return True

    async def _answer(self) -> bool:
        """Pass the answer on; True: both sides go on to speak another protocol."""
        while True:
            event = await self._told()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == SWITCHING:
                    await self._switch(event)
                    return True
            elif isinstance(event, h11.Response):
                self.status = event.status_code
                fields = self.shaped(event.headers)
                await self._say(h11.Response(status_code=event.status_code, headers=fields, reason=event.reason))
            elif isinstance(event, h11.Data):
                await self._say(event)
            else:
                await self._say(h11.EndOfMessage())
                return False

    async def _told(self) -> h11.Event:
        try:
            event = await self.web_ui.next(self.limits.silence_seconds)
        except (GoneError, h11.RemoteProtocolError) as problem:
            is_late = isinstance(problem.__cause__, TimeoutError)
            raise self._failed(refusals.silent() if is_late else refusals.broken()) from problem
        has_too_many = isinstance(event, h11.Response) and len(event.headers) > self.limits.most_fields
        if isinstance(event, h11.ConnectionClosed) or has_too_many:
            raise self._failed(refusals.broken())
        if not isinstance(event, h11.InformationalResponse):
            self._be_patient(self.limits.silence_seconds)
        return event

    async def _say(self, event: h11.Event) -> None:
        await self.visitor.send(event, self.limits.idle_seconds)

    async def _switch(self, event: h11.InformationalResponse) -> None:
        if words(event.headers, b"upgrade") != {b"websocket"}:
            raise self._failed(refusals.broken())
        self.status = SWITCHING
        self._be_patient(self.limits.silence_seconds)
        upgrade = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        own = [(name, value) for name, value in event.headers if name.startswith(b"sec-websocket-")]
        await self._say(h11.InformationalResponse(status_code=SWITCHING, headers=upgrade + own))

    async def _tunnel(self) -> None:
        """Carry bytes both ways until one side ends, or neither says anything for long."""
        both = [
            asyncio.ensure_future(self._pump(self.web_ui, self.visitor)),
            asyncio.ensure_future(self._pump(self.visitor, self.web_ui)),
        ]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _pump(self, source: Wire, sink: Wire) -> None:
        data = bytes(source.http.trailing_data[0])
        while True:
            if data:
                self._be_patient(self.limits.silence_seconds)
                sink.writer.write(data)
                await sink.drained(self.limits.idle_seconds)
            try:
                data = await source.reader.read(PIECE_BYTES)
            except OSError as problem:
                raise GoneError from problem
            if not data:
                return

    def _be_patient(self, seconds: float) -> None:
        self._patience.reschedule(asyncio.get_running_loop().time() + seconds)

    def _failed(self, refusal: Refusal) -> Exception:
        return CutError() if self.status else refusal
