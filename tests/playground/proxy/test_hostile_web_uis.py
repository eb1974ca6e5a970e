"""A hostile web UI cannot act as its visitor: what it gets, what it may say, and what its pages may ask of siblings."""

from __future__ import annotations

import pytest
from support.raw_server import Peer, RawServer, answering
from support.web_uis import MINE, OTHER, Proxy, Told, proxied

SECRETS = (
    "slipway-playground=session",
    "__Host-slipway-playground=session",
    "__Secure-slipway-catalog=session",
    "SLIPWAY-UI=x",
    "__host-Slipway-ui=x",
)


@pytest.fixture
def cookie(proxy: Proxy) -> str:
    return proxy.arrive()[0]


def asked(server: RawServer) -> dict[str, list[str]]:
    """Return the headers of the last request that the web UI got."""
    found: dict[str, list[str]] = {}
    for line in server.requests[-1].split("\r\n")[1:]:
        name, colon, value = line.partition(": ")
        if colon:
            found.setdefault(name.lower(), []).append(value)
    return found


def test_no_cookie_of_ours_reaches_a_web_ui(proxy: Proxy, web_ui: RawServer, cookie: str) -> None:
    proxy.ask("/", Cookie="; ".join(["a=1", *SECRETS, cookie, "b=2"]))

    assert asked(web_ui)["cookie"] == ["a=1; b=2"]


def test_without_cookies_of_its_own_it_gets_none(proxy: Proxy, web_ui: RawServer, cookie: str) -> None:
    proxy.ask("/", Cookie=cookie)

    assert "cookie" not in asked(web_ui)


def test_a_cookie_that_a_sibling_may_have_put_beside_another_is_dropped(
    proxy: Proxy, web_ui: RawServer, cookie: str
) -> None:
    proxy.ask("/", Cookie=f"login=mine; {cookie}; login=tossed; same=1; same=1; other=2")

    assert asked(web_ui)["cookie"] == ["same=1; other=2"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a=1", "a=1"),
        ("a=1; Path=/x; HttpOnly; Secure; SameSite=Strict", "a=1; Path=/x; HttpOnly; Secure; SameSite=Strict"),
        ("a=1; Domain=ui.localhost; Path=/", "a=1; Path=/"),
        ("a=1; domain = .ui.localhost", "a=1"),
        ("a=1; DOMAIN", "a=1"),
        ("a=b=c; Max-Age=1", "a=b=c; Max-Age=1"),
        ("slipway-ui=x", None),
        (" slipway-ui =x; Path=/deep", None),
        ("Slipway-Playground=x", None),
        ("__Host-slipway-playground=x; Secure; Path=/", None),
        ("=slipway-ui=x", None),
        ("slipway-ui", None),
    ],
)
def test_what_it_sets_is_for_its_own_host_and_never_ours(
    proxy: Proxy, runtime: Told, cookie: str, said: str, kept: str | None
) -> None:
    with RawServer(answering("200 OK", b"", f"Set-Cookie: {said}")) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask("/", Cookie=cookie)

    assert answer.headers["Set-Cookie"] == kept


FORBIDDEN = [
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "embed"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document", "method": "POST"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "websocket", "Sec_Fetch_Dest": "websocket"},
    {"Origin": f"http://{OTHER}--00000000.ui.localhost", "method": "POST"},
    {"Origin": "null", "method": "POST"},
    {"Origin": "https://evil.example.org"},
    {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "serviceworker"},
    {"Sec_Fetch_Site": "same-origin", "Service_Worker": "script"},
]


@pytest.mark.parametrize("headers", FORBIDDEN, ids=str)
def test_a_sibling_s_page_gets_nothing_from_a_web_ui_and_changes_nothing_there(
    proxy: Proxy, web_ui: RawServer, cookie: str, headers: dict[str, str]
) -> None:
    answer, _ = proxy.ask("/", Cookie=cookie, **headers)

    assert answer.status == 403
    assert web_ui.requests == []


ALLOWED = [
    {},
    {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
    {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty", "method": "DELETE"},
    {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    # A form of a page that sends no referrer.
    {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "navigate", "Origin": "null", "method": "POST"},
]


@pytest.mark.usefixtures("web_ui")
@pytest.mark.parametrize("headers", ALLOWED, ids=str)
def test_its_own_pages_and_links_to_it_work(proxy: Proxy, cookie: str, headers: dict[str, str]) -> None:
    assert proxy.ask("/", Cookie=cookie, **headers)[0].status == 200


@pytest.mark.usefixtures("web_ui")
def test_its_own_origin_is_the_one_that_browsers_see(proxy: Proxy, cookie: str) -> None:
    assert proxy.ask("/", Cookie=cookie, method="POST", Origin=f"http://{proxy.host()}")[0].status == 200


@pytest.mark.usefixtures("web_ui")
def test_what_protects_siblings_stands_on_every_answer(proxy: Proxy, cookie: str) -> None:
    good, refused = proxy.ask("/", Cookie=cookie)[0], proxy.ask("/")[0]
    entered, _ = proxy.ask(proxy.link().partition(proxy.host())[2])

    assert good.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert good.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    for answer in (good, refused, entered):
        assert answer.headers.get_all("Origin-Agent-Cluster") == ["?1"]
        assert answer.headers.get_all("Cross-Origin-Opener-Policy") == ["same-origin-allow-popups"]


HOSTILE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Alt-Svc": 'h2="evil.example.org:443"',
    "Clear-Site-Data": '"*"',
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Origin-Agent-Cluster": "?0",
    "Service-Worker-Allowed": "/",
    "Strict-Transport-Security": "max-age=99999999; includeSubDomains",
    "X-Accel-Redirect": "/internal/secret",
    "X-Sendfile": "/etc/passwd",
    "Surrogate-Control": "max-age=9999",
    "Proxy-Authenticate": "Basic",
    "Keep-Alive": "timeout=9",
}


def test_it_gives_no_orders_to_browsers_beyond_its_host_nor_to_proxies(
    proxy: Proxy, runtime: Told, cookie: str
) -> None:
    lines = [f"{name}: {value}" for name, value in HOSTILE.items()]
    with RawServer(answering("200 OK", b"", *lines)) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask("/", Cookie=cookie)

    assert not [name for name, value in HOSTILE.items() if value in answer.headers.get_all(name, [])]


def test_its_own_content_policy_stays_beside_ours(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with RawServer(answering("200 OK", b"", "Content-Security-Policy: default-src 'self'")) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask("/", Cookie=cookie)

    assert answer.headers.get_all("Content-Security-Policy") == ["default-src 'self'", "frame-ancestors 'self'"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", "private"),
        ("public, max-age=60", "private, max-age=60"),
        ("s-maxage=60, max-age=1", "private, max-age=1"),
        ("no-store", "no-store"),
        ("private, max-age=5", "max-age=5, private"),
    ],
)
def test_nobody_between_us_and_the_visitor_keeps_an_answer(
    proxy: Proxy, runtime: Told, cookie: str, said: str, kept: str
) -> None:
    with RawServer(answering("200 OK", b"", *([f"Cache-Control: {said}"] if said else []))) as server:
        runtime.put(server.port)
        answer, _ = proxy.ask("/", Cookie=cookie)

    assert answer.headers.get_all("Cache-Control") == [kept]


FORGED = {
    "Forwarded": "for=1.2.3.4;host=evil",
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Host": "evil",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-User": "root",
    "X_Forwarded_For": "1.2.3.4",
    "X-Real-IP": "1.2.3.4",
    "X-Original-URL": "/admin",
    "jwtToken": "token",
    "Proxy-Authorization": "Basic x",
    "Connection": "close, X-Secret",
    "X-Secret": "for one hop",
    "TE": "trailers",
}


def test_it_is_told_truly_where_a_request_comes_from(proxy: Proxy, web_ui: RawServer, cookie: str) -> None:
    proxy.ask("/a?b=c", Cookie=cookie, **FORGED)

    host = proxy.host()
    found = asked(web_ui)
    assert web_ui.requests[-1].startswith("GET /a?b=c HTTP/1.1\r\n")
    assert found["host"] == [host]
    assert found["forwarded"] == [f'for=127.0.0.1;host="{host}";proto=http']
    assert found["x-forwarded-for"] == ["127.0.0.1"]
    assert found["x-forwarded-host"] == [host]
    assert found["x-forwarded-proto"] == ["http"]
    assert found["connection"] == ["close"]
    others = {"x-forwarded-prefix", "x-forwarded-user", "x_forwarded_for", "x-real-ip", "x-original-url", "jwttoken"}
    assert not (others | {"proxy-authorization", "x-secret", "te"}) & set(found)


@pytest.mark.parametrize(
    ("count", "client"), [(0, "127.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (3, "127.0.0.1"), (4, "127.0.0.1")]
)
def test_as_many_proxies_as_are_configured_are_believed(
    runtime: Told, web_ui: RawServer, count: int, client: str
) -> None:
    with proxied(runtime, trusted_proxies=count) as proxy:
        cookie, _ = proxy.arrive()
        proxy.ask("/", Cookie=cookie, **{"X-Forwarded-For": 'x"y, 10.0.0.1, 10.0.0.2'})

    assert asked(web_ui)["x-forwarded-for"] == [client]


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("/x", "/x"),
        ("x?y", "x?y"),
        ("http://127.0.0.1:{port}/x?y", "/x?y"),
        ("http://127.0.0.1:{port}", "/"),
        ("http://127.0.0.1:{port}0/x", "http://127.0.0.1:{port}0/x"),
        ("https://example.org/x", "https://example.org/x"),
    ],
)
def test_a_redirect_to_where_only_we_can_go_is_one_to_the_web_ui(
    proxy: Proxy, runtime: Told, cookie: str, said: str, public: str
) -> None:
    def redirect(peer: Peer) -> None:
        answering("302 Found", b"", f"Location: {said.format(port=port)}")(peer)

    with RawServer(redirect) as server:
        port = server.port
        runtime.put(port)
        answer, _ = proxy.ask("/", Cookie=cookie)

    assert answer.headers["Location"] == public.format(port=port)


def test_paths_of_ours_do_not_reach_it(proxy: Proxy, web_ui: RawServer, cookie: str) -> None:
    assert proxy.ask("/.slipway/other", Cookie=cookie)[0].status == 404
    assert web_ui.requests == []


def test_a_visit_to_one_is_none_to_another(proxy: Proxy, web_ui: RawServer, runtime: Told, cookie: str) -> None:
    runtime.put(web_ui.port, OTHER)

    assert proxy.ask("/", host=proxy.host(OTHER), Cookie=cookie)[0].status == 401
    assert proxy.ask("/", host=proxy.host(MINE), Cookie=cookie)[0].status == 200
