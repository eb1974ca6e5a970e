"""The web user interface on WEB_UI_PORT: read only, standard library, a fixed list of paths."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

import page
import serving
from board import Board

PORT = 8062  # where a marketplace looks for the web user interface of a container
STATIC = Path(__file__).with_name("static")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Answer = tuple[str, Callable[[], str]]


def answers(board: Board) -> dict[str, Answer]:
    """Return content type and content of every path there is."""
    shell = Template((STATIC / "page.html").read_text(encoding="utf-8"))
    script, style = ((STATIC / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    return {
        "/": ("text/html", lambda: shell.substitute(live=page.live(board.points()))),
        "/live": ("text/html", lambda: page.live(board.points())),
        "/readings.json": ("application/json", lambda: page.as_json(board.points())),
        "/page.js": ("text/javascript", lambda: script),
        "/page.css": ("text/css", lambda: style),
    }


@contextmanager
def served(board: Board) -> Iterator[None]:
    """Serve the page as long as the block runs."""
    with _listen(serving.number_setting("WEB_UI_PORT", PORT), answers(board)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        serving.log("web_ui_serving", port=server.server_port)
        try:
            yield
        finally:
            server.shutdown()


def _listen(port: int, paths: dict[str, Answer]) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((serving.host(), port), _handler(paths))
    except OSError as problem:
        raise SystemExit(f"WEB_UI_PORT: expected a free port, found {port}: {problem}") from None


def _handler(paths: dict[str, Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds a silent browser may hold a thread
        server_version, sys_version = "dashboard", ""

        def do_GET(self) -> None:
            answer = paths.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            content_type, content = answer
            body = content().encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def end_headers(self) -> None:
            for name, value in HEADERS.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, template: str, *values: object) -> None:
            """Say nothing: a page that asks every second is no event."""

    return Handler
