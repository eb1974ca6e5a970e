"""The server with the process runtime and our samples, and Chromium to visit it: the one that the machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from support import playground
from support.playground import OPERATOR
from support.playground_server import Server, eventually
from support.solutions import ROOT

from shared.processes import ports

PICTURES = ROOT / "build" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: CI runs as root in a container. No background traffic of the browser's own.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 20
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = os.environ.get("SLIPWAY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = f"no Chromium: expected one of {', '.join(NAMES)} on the path, or SLIPWAY_CHROMIUM=/path"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("playground")
    playground.table(folder)
    (uis,) = ports.claimed(1)
    started = Server(
        folder,
        SLIPWAY_OPERATORS=OPERATOR,
        SLIPWAY_PLAYGROUND_UI_BIND=f"127.0.0.1:{uis.port}",
        SLIPWAY_PLAYGROUND_UI_DOMAIN=f"localhost:{uis.port}",
        SLIPWAY_PLAYGROUND_CHANGES_PER_MINUTE="0",
    )
    with uis:
        eventually(lambda: started.status("/readyz") == 200)
        yield started
        started.stop()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Give what opens a page as a principal, signed in; a page that logs an error fails its test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(path: str, principal: str, *, width: int = 1440, theme: str = "light", scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme="dark" if theme == "dark" else "light",
            base_url=server.url,
        )
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(server.ask("POST", "/session/codes", principal).json()["url"])
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Give what keeps a picture of a page, for people to look at."""

    def keep(page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    return keep


@pytest.fixture
def bundle_file(tmp_path: Path) -> Path:
    """Give the bundle of a sample as a file."""
    file = tmp_path / "solution.zip"
    file.write_bytes(playground.zipped("sensor-stream"))
    return file
