"""Headers that protect browsers. A view that needs another policy sets the header itself; the defaults only fill gaps."""

from __future__ import annotations

from flask import Flask, Response

# An answer of an API is never a page: nothing in it may load, run or be framed.
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

# A form of ours says its Origin only where it may say its Referrer, and that only to ourselves.
PAGE_REFERRER, API_REFERRER = "same-origin", "no-referrer"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def register(app: Flask) -> None:
    """Protect every answer of `app`."""

    def protect(response: Response) -> Response:
        headers = response.headers
        present = {name.lower() for name, _ in headers}
        is_page = response.mimetype == "text/html" and "Location" not in headers
        chosen = {
            "Content-Security-Policy": PAGE_POLICY if is_page else API_POLICY,
            "Referrer-Policy": PAGE_REFERRER if is_page else API_REFERRER,
        }
        for name, value in (*_ALWAYS.items(), *chosen.items()):
            if name.lower() not in present:
                headers.add(name, value)
        return response

    app.after_request(protect)
