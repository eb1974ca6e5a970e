"""Without a domain all web UIs share a host: each is sandboxed, and a ticket in its path stands for a host of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.raw_server import RawServer, answering
from support.web_uis import MINE, NODE, OTHER, Proxy, Told, proxied

SANDBOX = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"
BASE = f"/ui/{MINE}/{NODE}"
NAVIGATION = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
# What a page without an origin sends along with a fetch.
FETCH = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty", "Origin": "null"}


@pytest.fixture
def proxy(runtime: Told) -> Iterator[Proxy]:
    with proxied(runtime, domain="", host="play.localhost:8090") as made:
        yield made


@pytest.fixture
def visit(proxy: Proxy) -> tuple[str, str]:
    """Give cookie and home of a visitor."""
    return proxy.arrive()


def test_a_link_leads_below_a_path_with_a_ticket(proxy: Proxy, web_ui: RawServer) -> None:
    cookie, home = proxy.arrive()

    answer, body = proxy.ask(f"{home}a/b?c=d", Cookie=cookie, **NAVIGATION)

    assert proxy.link().startswith(f"http://play.localhost:8090{BASE}/.slipway/visit?code=")
    assert home.startswith(f"{BASE}/")
    assert (answer.status, body) == (200, b"hello")
    assert web_ui.requests[-1].startswith("GET /a/b?c=d HTTP/1.1\r\n")


def test_every_answer_is_sandboxed_without_an_origin(proxy: Proxy, runtime: Told, visit: tuple[str, str]) -> None:
    cookie, home = visit
    with RawServer(answering("200 OK", b"", "Content-Security-Policy: sandbox allow-same-origin")) as server:
        runtime.put(server.port)
        served = proxy.ask(home, Cookie=cookie)[0]
    refused = proxy.ask(f"{BASE}/x/")[0]
    entry = proxy.ask(proxy.link().partition("8090")[2])[0]

    assert served.headers.get_all("Content-Security-Policy") == ["sandbox allow-same-origin", SANDBOX]
    assert SANDBOX in entry.headers.get_all("Content-Security-Policy", [])
    assert refused.headers["Content-Security-Policy"].endswith("; sandbox allow-scripts")


def test_the_cookie_is_for_this_web_ui_s_path(proxy: Proxy) -> None:
    answer, _ = proxy.ask(proxy.link().partition("8090")[2])

    assert f"; Path={BASE}/; " in answer.headers["Set-Cookie"]


def test_its_own_files_need_no_cookie_but_the_ticket(proxy: Proxy, web_ui: RawServer, visit: tuple[str, str]) -> None:
    answer, _ = proxy.ask(f"{visit[1]}data.json", **FETCH)
    without, _ = proxy.ask(f"{BASE}/data.json", Cookie=visit[0], **FETCH)

    assert (answer.status, without.status, len(web_ui.requests)) == (200, 401, 1)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_an_address_that_was_passed_on_opens_no_page(proxy: Proxy, web_ui: RawServer, visit: tuple[str, str]) -> None:
    assert proxy.ask(visit[1], **NAVIGATION)[0].status == 401
    assert web_ui.requests == []


def test_a_ticket_of_one_is_none_of_another(
    proxy: Proxy, web_ui: RawServer, runtime: Told, visit: tuple[str, str]
) -> None:
    runtime.put(web_ui.port, OTHER)

    assert proxy.ask(visit[1].replace(MINE, OTHER), Cookie=visit[0])[0].status == 401
    assert web_ui.requests == []


def test_nothing_that_browsers_keep_for_a_host_goes_either_way(
    proxy: Proxy, runtime: Told, visit: tuple[str, str]
) -> None:
    script = answering("401 Unauthorized", b"", "Set-Cookie: a=1", "WWW-Authenticate: Basic realm=x")
    with RawServer(script) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask(
            visit[1], Cookie="a=1; slipway-playground=x", Authorization="Basic x", Referer="http://x/ticket", **FETCH
        )

    head = server.requests[0].lower()
    assert not [name for name in ("\r\ncookie", "\r\nauthorization", "\r\nreferer", "sec-fetch") if name in head]
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers


def test_the_web_ui_learns_its_prefix_and_sees_its_own_origin(
    proxy: Proxy, web_ui: RawServer, visit: tuple[str, str]
) -> None:
    proxy.ask(visit[1], host="play.localhost:8090", **FETCH)

    assert f"x-forwarded-prefix: {visit[1].rstrip('/')}\r\n" in web_ui.requests[0]
    assert "origin: http://play.localhost:8090\r\n" in web_ui.requests[0]


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("/x", "{home}x"),
        ("x", "x"),
        ("http://play.localhost:8090/x", "{home}x"),
        ("//evil.example.org/x", "//evil.example.org/x"),
        ("{home}x", "{home}x"),
    ],
)
def test_redirects_stay_below_the_path(
    proxy: Proxy, runtime: Told, visit: tuple[str, str], said: str, public: str
) -> None:
    home = visit[1]
    with RawServer(answering("302 Found", b"", f"Location: {said.format(home=home)}")) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask(home, host="play.localhost:8090")

    assert answer.headers["Location"] == public.format(home=home)


def test_a_page_may_ask_whether_it_may_ask(proxy: Proxy, web_ui: RawServer, visit: tuple[str, str]) -> None:
    asking = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-token, content-type"}

    answer, _ = proxy.ask(visit[1], method="OPTIONS", **asking, **FETCH)
    foreign, _ = proxy.ask(f"{BASE}/x/", method="OPTIONS", **asking, **FETCH)

    assert (answer.status, foreign.status) == (204, 401)
    assert answer.headers["Access-Control-Allow-Methods"] == "PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-token, content-type"
    assert web_ui.requests == []


def test_a_service_worker_is_not_installed(proxy: Proxy, web_ui: RawServer, visit: tuple[str, str]) -> None:
    assert proxy.ask(f"{visit[1]}sw.js", Service_Worker="script")[0].status == 403
    assert web_ui.requests == []
