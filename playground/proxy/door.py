"""Who gets to which web UI: decided anew for every request, by the same rule as everywhere in the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs

import h11

from playground.proxy import browsers, cookies, refusals
from playground.proxy.answers import policy
from playground.proxy.fields import Fields, every, first
from playground.proxy.passes import Pass, Passes
from playground.proxy.places import ENTRY, OWN, Places, Spot, mark
from playground.proxy.refusals import Answer
from playground.proxy.requests import Seen
from playground.runtime.deployment import Address, Deployment, State
from playground.server.desk import Desk
from shared.errors import NotFoundError, SlipwayError, UnavailableError

_HOST = re.compile(rb"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?")
_NEVER = frozenset({b"CONNECT", b"TRACE"})


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may pass."""

    spot: Spot
    visit: Pass
    seen: Seen
    target: bytes
    """Path and query for the web UI."""


class Door:
    """Reads what requests prove."""

    def __init__(
        self,
        desk: Desk,
        places: Places,
        passes: Passes,
        *,
        spend: Callable[[str], bool],
        has_ended: Callable[[str], bool],
    ) -> None:
        """Prepare.

        Args:
            desk: knows deployments, and who may see them.
            places: where web UIs are in public.
            passes: opens codes, cookies and tickets.
            spend: returns True the first time a code is named.
            has_ended: says whether a session of that id was ended before its time.
        """
        self.places = places
        self._desk = desk
        self._passes = passes
        self._spend = spend
        self._has_ended = has_ended
        self._cookie = cookies.name(is_secure=places.is_secure, has_hosts=places.has_hosts)

    def spot(self, request: h11.Request) -> Spot:
        """Return what a request is about.

        Raises:
            Refusal: it is for nobody here, or could mean two things.
        """
        hosts = every(request.headers, b"host")
        if (
            request.method in _NEVER
            or len(hosts) != 1
            or not _HOST.fullmatch(hosts[0])
            or not request.target.startswith(b"/")
        ):
            raise refusals.malformed()
        # Two lengths are a request to one reader and two requests to another.
        if every(request.headers, b"transfer-encoding") and every(request.headers, b"content-length"):
            raise refusals.malformed()
        found = self.places.find(hosts[0].decode("latin-1"), request.target.decode("latin-1"))
        if found is None:
            raise refusals.unknown()
        return found

    def is_entry(self, spot: Spot) -> bool:
        """Answer whether a visitor arrives with a code."""
        return spot.target.partition("?")[0] == ENTRY

    def let_in(self, spot: Spot, request: h11.Request) -> Answer:
        """Spend the code of a link; return the answer that sets the cookie and leads on. May wait for a disk or cluster.

        Raises:
            Refusal: the code is none for this place, or it is nobody who follows the link.
        """
        given = parse_qs(spot.target.partition("?")[2]).get("code", [""])
        # Whoever only looks at a link, or loads it into a page, must not use it up.
        is_link = first(request.headers, b"sec-fetch-dest") in {b"", b"document"}
        if request.method != b"GET" or not is_link or len(given) != 1:
            raise refusals.without_pass()
        try:
            visit = self._passes.redeemed(given[0], self._spend)
        except SlipwayError as problem:
            raise refusals.not_up() from problem
        if visit is None or (visit.deployment, visit.mark) != (spot.deployment, spot.mark):
            raise refusals.without_pass()
        return self._welcome(spot, visit)

    def admitted(self, spot: Spot, request: h11.Request, client: str) -> Admitted:
        """Return a request that its sender has proved to be one that may be made.

        Raises:
            Refusal: it has not.
        """
        host = first(request.headers, b"host")
        if spot.target.startswith(OWN):
            raise refusals.unknown()
        if self.places.has_hosts:
            return self._on_own_host(spot, request, Seen(client, self.places.scheme, host, ""))
        return self._on_one_host(spot, request, Seen(client, self.places.scheme, host, spot.base))

    def address(self, spot: Spot, visit: Pass) -> Address:
        """Return where the web UI answers now; note that it is used. May wait for the runtime.

        Raises:
            Refusal: it is gone, or not up.
        """
        if self._has_ended(visit.session):
            raise refusals.without_pass()
        state = None
        try:
            found = self._desk.deployment(spot.deployment, visit.principal)
            state = found.state
            node = _node(found, spot.mark)
            self._desk.look(found)
            return self._desk.runtime.web_ui(found.id, node)
        except NotFoundError as problem:
            raise refusals.unknown() from problem
        except SlipwayError as problem:
            raise refusals.not_up(state) from problem

    def still_may(self, visit: Pass) -> bool:
        """Answer whether somebody who was let in may stay; an outage throws nobody out. May wait for the runtime."""
        if visit.until <= self._passes.now() or self._has_ended(visit.session):
            return False
        try:
            found = self._desk.deployment(visit.deployment, visit.principal)
        except NotFoundError:
            return False
        except SlipwayError:
            return True
        self._desk.look(found)
        return found.state is not State.DELETING

    def _welcome(self, spot: Spot, visit: Pass) -> Answer:
        has_host = self.places.has_hosts
        cookie = cookies.made(
            self._cookie,
            self._passes.cookie(visit),
            path="/" if has_host else f"{spot.base}/",
            seconds=int(visit.until - self._passes.now()),
            is_secure=self.places.is_secure,
        )
        home = "/" if has_host else f"{spot.base}/{self._passes.ticket(visit)}/"
        fields = [
            (b"location", home.encode()),
            (b"set-cookie", cookie),
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"no-referrer"),
            *policy(has_host=has_host),
        ]
        return Answer(HTTPStatus.SEE_OTHER, fields)

    def _on_own_host(self, spot: Spot, request: h11.Request, seen: Seen) -> Admitted:
        reason = browsers.refused(request.method, request.headers, origin=seen.origin)
        if reason:
            raise refusals.forbidden(reason)
        return Admitted(spot, self._of_cookie(spot, request.headers), seen, request.target)

    def _on_one_host(self, spot: Spot, request: h11.Request, seen: Seen) -> Admitted:
        if browsers.is_service_worker(request.headers):
            raise refusals.forbidden("a web UI may not install a service worker")
        ticket, slash, rest = spot.target[1:].partition("/")
        visit = self._passes.of_ticket(ticket)
        if visit is None or not slash or (visit.deployment, visit.mark) != (spot.deployment, spot.mark):
            raise refusals.without_pass()
        # The address of a page may be shown to others: by itself it opens nothing in another browser.
        if browsers.is_navigation(request.method, request.headers):
            self._of_cookie(spot, request.headers)
        base = f"{spot.base}/{ticket}"
        return Admitted(spot, visit, Seen(seen.client, seen.scheme, seen.host, base), f"/{rest}".encode("latin-1"))

    def _of_cookie(self, spot: Spot, fields: Fields) -> Pass:
        """Return the pass of the cookie that is for this place; a sibling may have put others of that name beside it."""
        for name, value in cookies.pairs(every(fields, b"cookie")):
            visit = self._passes.of_cookie(value.decode("latin-1")) if name == self._cookie else None
            if visit is not None and (visit.deployment, visit.mark) == (spot.deployment, spot.mark):
                return visit
        raise refusals.without_pass()


def _node(found: Deployment, mark_of_node: str) -> str:
    if found.state is State.DELETING:
        raise NotFoundError("the deployment is being deleted")
    for node in found.nodes:
        if node.has_web_ui and mark(node.name) == mark_of_node:
            return node.name
    if not found.nodes:
        raise UnavailableError("its nodes are not known yet")
    raise NotFoundError("the node has no web UI")
