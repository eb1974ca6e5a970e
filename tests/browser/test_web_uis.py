"""A hostile web UI in a real browser, with a signed-in visitor: everything that a page can try, and nothing of it works.

The worst case: server and web UIs lie in one domain, so that browsers send the cookies of one along to the other.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page
from support import playground
from support.playground import ADA, bearer, push
from werkzeug.serving import make_server

from playground.proxy.settings import UiSettings
from playground.runtime.deployment import Address, DeploymentId, State
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.__main__ import web_ui_proxy
from playground.server.app import create_app

NODE = "dashboard"

HOSTILE = """<!doctype html><title>hostile</title><link rel="stylesheet" href="style.css">
<iframe name="frame"></iframe><script src="page.js"></script>"""
# What `attack` returns is what a page could bring home; every entry must say that it got nothing.
SCRIPT = """
const outcome = async (attempt) => { try { return await attempt(); } catch (problem) { return `refused: ${problem.name}`; } };
const text = async (url, options) => (await (await fetch(url, options)).text()).slice(0, 80);
const event = (element, good, bad) => new Promise((resolve) => {
  element[`on${good}`] = () => resolve(good); element[`on${bad}`] = () => resolve(`refused: ${bad}`);
});
const loaded = (tag, url) => {
  const element = document.createElement(tag); element.src = url;
  const done = event(element, "load", "error"); document.body.append(element); return done;
};
const posted = (url, target) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = url; form.target = target; document.body.append(form); form.submit();
  return new Promise((resolve) => setTimeout(() => resolve("sent"), 500));
};
const framed = (url) => new Promise((resolve) => {
  const frame = document.createElement("iframe"); frame.src = url;
  frame.onload = () => { try { resolve(frame.contentDocument.body.innerText); } catch (problem) { resolve(`refused: ${problem.name}`); } };
  document.body.append(frame);
});
window.attack = async (server, own, sibling) => ({
  list: await outcome(() => text(`${server}/visitor/deployments`, {credentials: "include"})),
  program: await outcome(() => text(`${server}/v1/deployments`, {credentials: "include"})),
  pages: await outcome(() => text(`${server}/`, {credentials: "include"})),
  remove: await outcome(() => text(`${server}/visitor/deployments/${own}?data=true`, {method: "DELETE", credentials: "include"})),
  sleep: await outcome(async () => (await fetch(`${server}/visitor/deployments/${own}/sleep`,
    {method: "POST", mode: "no-cors", credentials: "include"})).type),
  form: await posted(`${server}/deployments/${own}/delete`, "frame"),
  code: await outcome(() => text(`${server}/visitor/deployments/${own}/web-uis/dashboard`, {credentials: "include"})),
  frame: await framed(`${server}/`),
  sibling: await outcome(() => text(`${sibling}/secret.txt`, {credentials: "include"})),
  blind: await outcome(async () => (await fetch(`${sibling}/change`, {method: "POST", mode: "no-cors", credentials: "include"})).type),
  image: await loaded("img", `${sibling}/picture.svg`),
  script: await loaded("script", `${sibling}/secret.js`),
  sibling_frame: await framed(`${sibling}/`),
  sibling_form: await posted(`${sibling}/change`, "frame"),
  socket: await outcome(() => event(new WebSocket(`${sibling.replace("http", "ws")}/socket`), "open", "error")),
  worker: await outcome(async () => { await navigator.serviceWorker.register("/sw.js"); return "installed"; }),
  cookies: document.cookie,
  tossed: (document.cookie = `slipway-ui=tossed; domain=.ui.localhost; path=/`,
           document.cookie = `login=tossed; domain=.ui.localhost; path=/`, "tried"),
  cluster: String(window.originAgentCluster),
});
"""
FILES = {
    "/": ("text/html", HOSTILE),
    "/page.js": ("text/javascript", SCRIPT),
    "/style.css": ("text/css", "body { color: rgb(1, 2, 3) }"),
    "/sw.js": ("text/javascript", "self.onfetch = () => {};"),
    "/secret.txt": ("text/plain", "secret of a web UI"),
    "/secret.js": ("text/javascript", "window.secret = 1;"),
    "/picture.svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
}


class WebUi(ThreadingHTTPServer):
    """A web UI that would give everything to everybody, and notes what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/favicon.ico":  # asked for by the browser itself, some time or other
                    asked.append((self.command, self.path, self.headers.get("Cookie", "")))
                kind, content = FILES.get(self.path, ("text/plain", "nothing"))
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
                self.send_header("Access-Control-Allow-Credentials", "true")
                self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
                self.send_header("Set-Cookie", "own=1")
                self.end_headers()
                self.wfile.write(content.encode())

            do_POST = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the library's names

            def log_message(self, *_args: Any) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)


@dataclass
class Placed:
    """A real runtime whose deployments' web UIs are where a test says."""

    real: ProcessRuntime
    places: dict[str, Address] = field(default_factory=dict)

    def web_ui(self, deployment: DeploymentId, _node: str) -> Address:
        return self.places[deployment]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@dataclass
class World:
    """A server, its proxy, and two web UIs of one visitor: a hostile one, and one that it is after."""

    client: FlaskClient
    runtime: ProcessRuntime
    server: str
    hostile: str
    victim: str
    victims: WebUi

    def visit(self, page: Page, deployment: str) -> str:
        """Follow the page's link to a web UI; return its origin."""
        page.goto(f"{self.server}/visitor/deployments/{deployment}/web-uis/{NODE}")
        parts = urlsplit(page.url)
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def world(folder: Path, *, domain: str) -> Iterator[World]:
    playground.table(folder / "table")
    real = playground.runtime(folder / "table", folder / "runtime", running=0)
    placed = Placed(real)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    names = {"domain": f"{domain}:{port}"} if domain else {"host": f"play.ui.localhost:{port}"}
    settings = playground.settings(folder / "server", web_uis=UiSettings(**names))
    app = create_app(settings, runtime=placed)  # type: ignore[arg-type]  # its other methods are the real one's
    proxy = web_ui_proxy(settings, placed, listener)  # type: ignore[arg-type]
    proxy.start()
    with (
        running(WebUi()) as hostile,
        running(WebUi()) as victim,
        running(make_server("127.0.0.1", 0, app, threaded=True)) as web,
    ):
        client = app.test_client()
        ids = [
            str(push(client, playground.zipped("sensor-stream", revision=number)).json["id"])  # type: ignore[index]
            for number in "12"
        ]
        for name, ui in zip(ids, (hostile, victim), strict=True):
            placed.places[name] = Address("127.0.0.1", ui.server_port)
        yield World(client, real, f"http://play.ui.localhost:{web.server_port}", *ids, victim)
    proxy.close()
    real.close()


def signed_in(browser: Browser, here: World) -> BrowserContext:
    """Return a browser window in which Ada is signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(here.server + here.client.post("/session/codes", headers=bearer(ADA)).json["url"])  # type: ignore[index]
    page.close()
    return context


@pytest.fixture(scope="module")
def siblings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("siblings"), domain="ui.localhost") as made:
        yield made


def test_a_hostile_web_ui_gets_nothing_and_changes_nothing(browser: Browser, siblings: World) -> None:
    here = siblings
    with signed_in(browser, here) as context:
        page = context.new_page()
        sibling = here.visit(page, here.victim)
        assert page.evaluate("window.originAgentCluster")
        here.visit(page, here.hostile)
        asked_before = len(here.victims.asked)

        found = page.evaluate(
            "([server, own, sibling]) => attack(server, own, sibling)", [here.server, here.victim, sibling]
        )

        told = {name: value for name, value in found.items() if not str(value).startswith("refused")}
        assert told == {
            # Sent blindly: that nothing came of it is asserted below.
            "form": "sent",
            "sibling_form": "sent",
            "cookies": "own=1",
            "tossed": "tried",
            "cluster": "true",
        }
        assert here.victims.asked[asked_before:] == []
        assert {one.id: one.state for one in here.runtime.all()} == {
            here.victim: State.QUEUED,
            here.hostile: State.QUEUED,
        }


def test_a_cookie_tossed_over_the_domain_keeps_nobody_out_and_signs_nobody_in(
    browser: Browser, siblings: World
) -> None:
    here = siblings
    with signed_in(browser, here) as context:
        page = context.new_page()
        here.visit(page, here.victim)
        here.visit(page, here.hostile)
        page.evaluate(
            """() => { for (const name of ["slipway-ui", "slipway-playground", "own"])
                 document.cookie = `${name}=tossed; domain=.ui.localhost; path=/`; }"""
        )

        origin = here.visit(page, here.victim)
        page.goto(f"{origin}/secret.txt")

        assert page.inner_text("body") == "secret of a web UI"
        # It has a cookie of that name itself: two values are nobody's.
        assert ("GET", "/secret.txt", "") in here.victims.asked


def test_links_between_web_uis_work_but_give_no_window(browser: Browser, siblings: World) -> None:
    here = siblings
    with signed_in(browser, here) as context:
        page = context.new_page()
        sibling = here.visit(page, here.victim)
        here.visit(page, here.hostile)
        with context.expect_page() as opened:
            page.evaluate("(url) => { window.other = window.open(url); }", f"{sibling}/secret.txt")
        opened.value.wait_for_load_state()

        assert opened.value.inner_text("body") == "secret of a web UI"
        assert page.evaluate("() => window.other.closed")


def test_an_ended_session_ends_the_way_to_web_uis(browser: Browser, siblings: World) -> None:
    here = siblings
    with signed_in(browser, here) as context:
        page = context.new_page()
        origin = here.visit(page, here.victim)
        page.goto(f"{here.server}/")
        ended = page.evaluate(
            """async () => (await fetch("/session", {method: "DELETE",
                 headers: {"X-CSRF-Token": document.querySelector("[name=csrf_token]").value}})).status"""
        )
        answer = page.goto(f"{origin}/")

        assert ended == 204
        assert answer is not None
        assert answer.status == 401


def test_on_one_host_a_page_has_no_origin_and_still_works(browser: Browser, tmp_path: Path) -> None:
    with world(tmp_path, domain="") as here, signed_in(browser, here) as context:
        page = context.new_page()
        here.visit(page, here.victim)
        other = page.url
        here.visit(page, here.hostile)
        asked_before = len(here.victims.asked)

        found = page.evaluate(
            """async (other) => ({
              origin: window.origin,
              colour: getComputedStyle(document.body).color,
              own: await text("secret.txt"),
              cookies: await outcome(() => document.cookie),
              storage: await outcome(() => localStorage.length),
              worker: await outcome(() => navigator.serviceWorker.register("sw.js")),
              guessed: await outcome(async () => (await fetch(other.replace(/[^/]*\\/$/, "x.y/secret.txt"))).status),
            })""",
            other,
        )

        assert (found["origin"], found["colour"], found["own"]) == ("null", "rgb(1, 2, 3)", "secret of a web UI")
        assert {found[name] for name in ("cookies", "storage", "worker")} == {"refused: SecurityError"}
        assert found["guessed"] in {401, "refused: TypeError"}
        assert here.victims.asked[asked_before:] == []
