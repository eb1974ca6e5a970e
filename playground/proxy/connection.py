"""One connection of a browser: request after request, each decided on its own."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, TypeVar

import h11
import structlog

from playground.proxy import answers, refusals, requests
from playground.proxy.crowd import Crowd
from playground.proxy.door import Admitted, Door
from playground.proxy.exchange import Exchange
from playground.proxy.fields import every
from playground.proxy.limits import Limits
from playground.proxy.refusals import Answer, Refusal
from playground.proxy.wire import PIECE_BYTES, Wire
from playground.runtime.deployment import Address

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Asking(Protocol):
    """Runs what may wait for a disk or cluster elsewhere than on the loop."""

    async def __call__(self, question: Callable[[], T]) -> T:
        """Return what `question` does."""


@dataclass
class Connection:
    """Serves one browser's connection until either side has enough."""

    wire: Wire
    door: Door
    crowd: Crowd
    limits: Limits
    ask: Asking
    trusted_proxies: int

    async def serve(self) -> None:
        """Serve; return when the connection may be closed.

        Raises:
            CutError, GoneError: it must be broken off.
        """
        while (request := await self._request()) is not None:
            try:
                await self._served(request)
            except Refusal as refusal:
                await self._refuse(refusal, request)
            if not await self._renewed():
                return

    async def refuse(self, refusal: Refusal) -> None:
        """Answer without having read anything."""
        await self._reply(refusals.page(refusal), is_head=False)
        await self.wire.linger()

    async def _request(self) -> h11.Request | None:
        """Return the next request, or None: there is no more, or none that can be understood."""
        try:
            with self.crowd.waiting(self.wire):
                async with asyncio.timeout(self.limits.head_seconds):
                    event = await self.wire.next(self.limits.head_seconds)
        except TimeoutError:
            return None
        except h11.RemoteProtocolError as problem:
            log.info("web_ui_request_malformed", cause=str(problem))
            await self.refuse(refusals.malformed(HTTPStatus(problem.error_status_hint)))
            return None
        if isinstance(event, h11.Request) and len(event.headers) > self.limits.most_fields:
            await self.refuse(refusals.malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
            return None
        return event if isinstance(event, h11.Request) else None

    async def _served(self, request: h11.Request) -> None:
        spot = self.door.spot(request)
        if self.door.is_entry(spot):
            answer = await self._asked(lambda: self.door.let_in(spot, request))
            await self._reply(answer, is_head=False)
            return
        admitted = self.door.admitted(spot, request, self._client(request))
        if admitted.seen.base and requests.asks_permission(request.method, request.headers):
            await self._reply(answers.permission(request.headers), is_head=False)
            return
        with self.crowd.under_way(admitted.visit):
            address = await self._asked(lambda: self.door.address(spot, admitted.visit))
            await self._carried(request, admitted, address)

    async def _carried(self, request: h11.Request, admitted: Admitted, address: Address) -> None:
        web_ui = await self._reached(address)
        try:
            exchange = Exchange(
                self.wire, web_ui, self.limits, lambda fields: answers.for_visitor(fields, admitted.seen, address)
            )
            fields = requests.for_web_ui(request.method, request.headers, admitted.seen)
            await exchange.run(h11.Request(method=request.method, target=admitted.target, headers=fields))
            log.debug("web_ui_served", deployment=admitted.spot.deployment, status=exchange.status)
        finally:
            web_ui.abort()

    async def _reached(self, address: Address) -> Wire:
        try:
            async with asyncio.timeout(self.limits.connect_seconds):
                ends = await asyncio.open_connection(address.host, address.port, limit=PIECE_BYTES)
        except (OSError, TimeoutError) as problem:
            raise refusals.not_up() from problem
        return Wire(*ends, is_server=False, most_head_bytes=self.limits.answer_head_bytes)

    async def _asked(self, question: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self.limits.ask_seconds):
                return await self.ask(question)
        except TimeoutError as problem:
            raise refusals.not_up() from problem

    async def _refuse(self, refusal: Refusal, request: h11.Request) -> None:
        log.info("web_ui_refused", status=int(refusal.status), title=refusal.title)
        await self._reply(refusals.page(refusal), is_head=request.method == b"HEAD")

    async def _reply(self, answer: Answer, *, is_head: bool) -> None:
        fields = [*answer.fields, *answers.PROTECTION]
        if answer.status is not HTTPStatus.NO_CONTENT:
            fields.append((b"content-length", str(len(answer.body)).encode()))
        # What is left of a request is not read, and behind what could mean two things comes nothing that counts.
        if not self._is_request_over() or answer.status is HTTPStatus.BAD_REQUEST:
            fields.append((b"connection", b"close"))
        head = h11.Response(status_code=answer.status, headers=fields, reason=answer.status.phrase)
        await self.wire.send(head, self.limits.idle_seconds)
        if answer.body and not is_head:
            await self.wire.send(h11.Data(data=answer.body), self.limits.idle_seconds)
        await self.wire.send(h11.EndOfMessage(), self.limits.idle_seconds)

    def _is_request_over(self) -> bool:
        http = self.wire.http
        if http.their_state is h11.SEND_BODY and not http.they_are_waiting_for_100_continue:
            try:
                http.next_event()
            except h11.RemoteProtocolError:
                return False
        return http.their_state not in {h11.SEND_BODY, h11.ERROR}

    async def _renewed(self) -> bool:
        """Make ready for another request; False: there will be none."""
        http = self.wire.http
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
            return True
        if http.our_state is not h11.SWITCHED_PROTOCOL:
            await self.wire.linger()
        return False

    def _client(self, request: h11.Request) -> str:
        """Return the visitor's address: as many proxies in front as are configured are believed."""
        told = [word.strip() for value in every(request.headers, b"x-forwarded-for") for word in value.split(b",")]
        count = self.trusted_proxies
        # Whoever is gone already has no address.
        peer = str((self.wire.writer.get_extra_info("peername") or ("unknown",))[0])
        if not 0 < count <= len(told):
            return peer
        try:
            return str(ipaddress.ip_address(told[-count].decode("latin-1")))
        except ValueError:
            return peer
