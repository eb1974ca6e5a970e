"""How visitors get in: by a link that works once, with a cookie for one web UI, as long as they may."""

from __future__ import annotations

import socket
import time
from collections.abc import MutableMapping
from typing import Any

import pytest
from support.playground import ADA, EVE
from support.raw_server import RawServer
from support.web_uis import KEY, MINE, NODE, OTHER, Proxy, Told, proxied, received, session

from playground.proxy.passes import Pass, Passes
from playground.proxy.places import mark
from playground.runtime.deployment import State
from shared.errors import UnavailableError


@pytest.mark.usefixtures("web_ui")
def test_a_link_lets_its_visitor_in(proxy: Proxy) -> None:
    cookie, home = proxy.arrive()

    answer, body = proxy.ask(home, Cookie=cookie)

    assert (home, answer.status, body) == ("/", 200, b"hello")


@pytest.mark.usefixtures("web_ui")
def test_the_cookie_is_for_this_host_alone_and_kept_from_scripts(proxy: Proxy) -> None:
    answer, _ = proxy.ask(proxy.link().partition(proxy.host())[2])

    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("slipway-ui=")
    assert set(attributes) >= {"Path=/", "HttpOnly", "SameSite=Lax"}
    assert not any(each.startswith("Domain") for each in attributes)
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_where_browsers_speak_tls_no_sibling_can_set_the_cookie(runtime: Told) -> None:
    with proxied(runtime, domain="ui.example.org") as proxy:
        answer, _ = proxy.ask(proxy.link().partition(proxy.host())[2])

    assert answer.headers["Set-Cookie"].startswith("__Host-slipway-ui=")
    assert "; Secure" in answer.headers["Set-Cookie"]


@pytest.mark.usefixtures("web_ui")
def test_a_link_works_once(proxy: Proxy) -> None:
    link = proxy.link()
    proxy.arrive(link)

    assert proxy.ask(link.partition(proxy.host())[2])[0].status == 401


@pytest.mark.parametrize(
    "headers",
    [{"method": "HEAD"}, {"method": "POST"}, {"Sec_Fetch_Dest": "iframe"}, {"Sec_Fetch_Dest": "image"}],
    ids=str,
)
def test_who_only_looks_at_a_link_does_not_use_it_up(proxy: Proxy, headers: dict[str, str]) -> None:
    link = proxy.link()

    refused, _ = proxy.ask(link.partition(proxy.host())[2], **headers)

    assert refused.status == 401
    assert proxy.arrive(link)[1] == "/"


def test_a_link_is_good_at_its_own_host_only(proxy: Proxy, web_ui: RawServer, runtime: Told) -> None:
    runtime.put(web_ui.port, OTHER)
    target = proxy.link().partition(proxy.host())[2]

    assert proxy.ask(target, host=proxy.host(OTHER))[0].status == 401


@pytest.mark.parametrize("code", ["", "x", "x.y", "e30.AAAA", "%00", "a&code=b"])
def test_a_forged_link_lets_nobody_in(proxy: Proxy, code: str) -> None:
    answer, _ = proxy.ask(f"/.slipway/visit?code={code}")

    assert answer.status == 401
    assert "Set-Cookie" not in answer.headers


def forged(**changes: str) -> str:
    made = Pass(session().principal, "s1", MINE, mark(NODE), int(time.time()) + 60)
    passes = Passes(KEY)
    return {
        "ticket for cookie": passes.ticket(made),
        "code for cookie": passes.code(made),
        "other deployment": passes.cookie(Pass(made.principal, "s1", OTHER, made.mark, made.until)),
        "other node": passes.cookie(Pass(made.principal, "s1", MINE, mark("sensor"), made.until)),
        "expired": passes.cookie(Pass(made.principal, "s1", MINE, made.mark, int(time.time()))),
        "cut": passes.cookie(made)[:-1],
    }[changes["which"]]


@pytest.mark.parametrize(
    "which", ["ticket for cookie", "code for cookie", "other deployment", "other node", "expired", "cut"]
)
def test_another_s_cookie_is_none(proxy: Proxy, web_ui: RawServer, which: str) -> None:
    answer, body = proxy.ask("/", Cookie=f"slipway-ui={forged(which=which)}")

    assert answer.status == 401
    assert b"Open this web UI from the page of its deployment" in body
    assert web_ui.requests == []


@pytest.mark.usefixtures("web_ui")
def test_a_cookie_of_that_name_from_a_sibling_keeps_nobody_out(proxy: Proxy) -> None:
    cookie, _ = proxy.arrive()

    answer, _ = proxy.ask("/", Cookie=f"slipway-ui={forged(which='other deployment')}; {cookie}; slipway-ui=x")

    assert answer.status == 200


def test_another_s_deployment_reads_like_one_that_never_was(proxy: Proxy, web_ui: RawServer) -> None:
    eves = proxy.arrive(proxy.link(visitor=session(EVE)))[0]
    gone = proxy.arrive(proxy.link(OTHER))[0]

    refused, first = proxy.ask("/", Cookie=eves)
    unknown, second = proxy.ask("/", host=proxy.host(OTHER), Cookie=gone)

    assert (refused.status, unknown.status, first) == (404, 404, second)
    assert web_ui.requests == []


@pytest.mark.usefixtures("web_ui")
def test_operators_see_everybodys(proxy: Proxy) -> None:
    cookie, _ = proxy.arrive(proxy.link(visitor=session(EVE, is_operator=True)))

    assert proxy.ask("/", Cookie=cookie)[0].status == 200


@pytest.mark.usefixtures("web_ui")
def test_a_node_without_a_web_ui_has_none(proxy: Proxy) -> None:
    cookie, _ = proxy.arrive(proxy.link(node="sensor"))

    assert proxy.ask("/", host=proxy.host(node="sensor"), Cookie=cookie)[0].status == 404


@pytest.mark.parametrize(
    "host",
    ["ui.localhost", "localhost", "127.0.0.1", "x--0123456789.ui.localhost", "evil.example.org", "a.b.ui.localhost"],
)
def test_nothing_is_served_under_other_names(proxy: Proxy, web_ui: RawServer, host: str) -> None:
    cookie, _ = proxy.arrive()

    assert proxy.ask("/", host=host, Cookie=cookie)[0].status == 404
    assert web_ui.requests == []


@pytest.mark.usefixtures("web_ui")
def test_whoever_looks_is_noted(runtime: Told) -> None:
    runtime.woken.clear()
    with proxied(runtime) as proxy:
        cookie, _ = proxy.arrive()

        for _ in range(3):
            proxy.ask("/", Cookie=cookie)

    assert runtime.woken == [MINE]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.ASLEEP, b"asleep"),
        (State.QUEUED, b"waits for its turn"),
        (State.STARTING, b"is starting"),
        (State.FAILED, b"has a fault"),
        (State.READY, b"may be starting again"),
    ],
)
def test_what_is_not_up_says_so(proxy: Proxy, runtime: Told, state: State, words: bytes) -> None:
    runtime.put(None, state=state)
    cookie, _ = proxy.arrive()

    answer, body = proxy.ask("/", Cookie=cookie)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert words in body
    assert b'http-equiv="refresh"' in body


def test_nodes_that_are_not_known_yet_are_waited_for(proxy: Proxy, runtime: Told) -> None:
    runtime.put(None, state=State.QUEUED)
    runtime.change(nodes=())
    cookie, _ = proxy.arrive()

    assert proxy.ask("/", Cookie=cookie)[0].status == 503


def test_a_port_where_nobody_listens_is_not_up(proxy: Proxy, runtime: Told) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        runtime.put(listener.getsockname()[1])
    cookie, _ = proxy.arrive()

    assert proxy.ask("/", Cookie=cookie)[0].status == 503


@pytest.mark.usefixtures("web_ui")
def test_an_outage_of_the_runtime_is_told(proxy: Proxy, runtime: Told) -> None:
    cookie, _ = proxy.arrive()
    runtime.failure = UnavailableError("the cluster does not answer")

    answer, body = proxy.ask("/", Cookie=cookie)

    assert answer.status == 503
    assert b"cluster" not in body


@pytest.mark.usefixtures("web_ui")
def test_what_is_being_deleted_is_gone(proxy: Proxy, runtime: Told) -> None:
    cookie, _ = proxy.arrive()
    runtime.change(state=State.DELETING)

    assert proxy.ask("/", Cookie=cookie)[0].status == 404


@pytest.mark.usefixtures("web_ui")
def test_a_session_that_was_ended_opens_nothing(proxy: Proxy) -> None:
    cookie, _ = proxy.arrive()
    proxy.ended.add("s1")

    assert proxy.ask("/", Cookie=cookie)[0].status == 401


def opened(proxy: Proxy, cookie: str) -> socket.socket:
    """Begin an answer that goes on and on."""
    connection = proxy.raw()
    connection.sendall(f"GET /stream HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    return connection


def endless(runtime: Told) -> RawServer:
    server = RawServer(lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\n\r\nx", every=0.005))
    runtime.put(server.port)
    return server


@pytest.mark.parametrize("why", ["deleted", "given away", "signed out", "being deleted"])
def test_what_goes_on_ends_when_its_visitor_may_no_longer(proxy: Proxy, runtime: Told, why: str) -> None:
    with endless(runtime):
        cookie, _ = proxy.arrive()
        with opened(proxy, cookie) as connection:
            if why == "deleted":
                del runtime.deployments[MINE]
            elif why == "given away":
                runtime.put(None, owner=EVE)
            elif why == "signed out":
                proxy.ended.add("s1")
            else:
                runtime.change(state=State.DELETING)
            began = time.monotonic()
            received(connection)

    assert time.monotonic() - began < 2


def test_what_goes_on_ends_with_the_session(proxy: Proxy, runtime: Told) -> None:
    with endless(runtime):
        cookie, _ = proxy.arrive(proxy.link(visitor=session(seconds=3)))
        with opened(proxy, cookie) as connection:
            began = time.monotonic()
            received(connection)

    assert time.monotonic() - began < 8


def test_an_outage_throws_nobody_out(proxy: Proxy, runtime: Told) -> None:
    with endless(runtime):
        cookie, _ = proxy.arrive()
        with opened(proxy, cookie) as connection:
            runtime.failure = UnavailableError("the cluster does not answer")
            time.sleep(0.2)
            runtime.failure = None

            assert connection.recv(1)


@pytest.mark.usefixtures("web_ui")
def test_what_lets_somebody_in_is_not_logged(proxy: Proxy, logs: list[MutableMapping[str, Any]]) -> None:
    link = proxy.link()
    cookie, _ = proxy.arrive(link)
    proxy.ask("/secret?token=secret", Cookie=cookie)
    proxy.ask("/secret", Cookie=f"{cookie}x")
    with proxy.raw() as connection:
        connection.sendall(f"GET /secret HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie:{cookie}\r\nbad\r\n\r\n".encode())
        received(connection)

    said = str(logs)
    assert len(logs) >= 3
    assert not [word for word in (link.partition("=")[2], cookie.partition("=")[2], "secret", ADA) if word in said]


def test_the_page_of_a_refusal_shows_no_markup_of_others(proxy: Proxy) -> None:
    answer, body = proxy.ask("/", host=f"<script>{ADA}")

    assert answer.status in {400, 404}
    assert b"<script" not in body
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox allow-scripts"
    )
