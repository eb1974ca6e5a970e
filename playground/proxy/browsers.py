"""Which requests of a browser a web UI gets: those of its own pages, and those of people who follow a link.

Web UIs are siblings, and browsers send cookies between siblings: without this, one could act as the visitor of another.
https://www.w3.org/TR/fetch-metadata/ ; browsers without it still send `Origin` with whatever is not a plain read.
"""

from __future__ import annotations

from playground.proxy.fields import Fields, first

_READS = frozenset({b"GET", b"HEAD"})


def refused(method: bytes, fields: Fields, *, origin: bytes) -> str:
    """Return why a request to a web UI with a host of its own is refused; empty: it is not.

    Args:
        method: of the request.
        fields: of the request.
        origin: of the web UI.
    """
    if is_service_worker(fields):
        return "a web UI may not install a service worker"
    site, sender = first(fields, b"sec-fetch-site"), first(fields, b"origin")
    if is_navigation(method, fields) or site in {b"same-origin", b"none"}:
        return ""
    if site or sender not in {b"", origin}:
        return "the request comes from another site"
    return ""


def is_service_worker(fields: Fields) -> bool:
    """Answer whether a script is fetched that would outlive its page, and see requests that are ours."""
    return first(fields, b"service-worker") != b"" or first(fields, b"sec-fetch-dest") == b"serviceworker"


def is_navigation(method: bytes, fields: Fields) -> bool:
    """Answer whether somebody goes to a page: what they get is shown to them, and not to the page with the link."""
    mode, target = first(fields, b"sec-fetch-mode"), first(fields, b"sec-fetch-dest")
    return method in _READS and mode == b"navigate" and target == b"document"
