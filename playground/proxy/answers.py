"""A web UI's answer as its visitor gets it: it speaks for its own host, or on the one host for nobody."""

from __future__ import annotations

from http import HTTPStatus

from playground.proxy import cookies
from playground.proxy.fields import Fields, end_to_end, every, words
from playground.proxy.refusals import Answer
from playground.proxy.requests import Seen
from playground.runtime.deployment import Address

SANDBOX = b"sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"
"""Without `allow-same-origin` a page has no origin: no cookies, no storage, no service worker, nothing of its host."""

# Orders to browsers that go beyond the web UI's own host, and orders to proxies in front of us.
_NOT_THEIRS = frozenset(
    {
        b"alt-svc",
        b"clear-site-data",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"cdn-cache-control",
        b"nel",
        b"origin-agent-cluster",
        b"public-key-pins",
        b"report-to",
        b"reporting-endpoints",
        b"service-worker-allowed",
        b"strict-transport-security",
        b"surrogate-control",
        b"x-sendfile",
        b"x-lighttpd-send-file",
        b"x-reproxy-url",
        b"set-cookie",
        b"location",
        b"cache-control",
    }
)
_FOR_PROXIES = (b"x-accel-", b"access-control-", b"proxy-")
_NOT_ON_ONE_HOST = frozenset({b"www-authenticate"})
_SHARED_CACHES = frozenset({b"public", b"s-maxage", b"proxy-revalidate"})

PROTECTION: Fields = (
    # `document.domain` would let siblings that agree on it meet; this makes it do nothing.
    (b"Origin-Agent-Cluster", b"?1"),
    # No window of a sibling's that was opened from here, or that opened this one.
    (b"Cross-Origin-Opener-Policy", b"same-origin-allow-popups"),
)
"""Stands on every answer, once: twice is malformed to a browser."""
_OF_HOST: Fields = (
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (b"Content-Security-Policy", b"frame-ancestors 'self'"),
)
# A sandboxed page is a stranger to its own files; whoever knows the ticket may read, and nobody sends a cookie along.
_ON_ONE_HOST: Fields = (
    (b"Cross-Origin-Resource-Policy", b"cross-origin"),
    (b"Content-Security-Policy", SANDBOX),
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Expose-Headers", b"*"),
)


def policy(*, has_host: bool) -> Fields:
    """Return what stands on every answer that is not a refusal, beside `PROTECTION`."""
    return _OF_HOST if has_host else _ON_ONE_HOST


def permission(fields: Fields) -> Answer:
    """Return the answer to a preflight on the one host: a web UI would not know that its pages are strangers to it."""
    wanted = (b"method", b"allow-methods"), (b"headers", b"allow-headers")
    given = [
        (b"access-control-" + allowed, value)
        for asked, allowed in wanted
        for value in every(fields, b"access-control-request-" + asked)
    ]
    return Answer(HTTPStatus.NO_CONTENT, [*given, *policy(has_host=False)])


def for_visitor(fields: Fields, seen: Seen, address: Address) -> list[tuple[bytes, bytes]]:
    """Return the fields of the answer that the visitor gets.

    Args:
        fields: of the web UI's answer.
        seen: what is known of the request.
        address: of the web UI, which nobody outside can use.
    """
    has_host = not seen.base
    kept = [(name, value) for name, value in end_to_end(fields) if _may_pass(name, has_host=has_host)]
    if every(fields, b"transfer-encoding"):
        kept = [(name, value) for name, value in kept if name != b"content-length"]
    for value in every(fields, b"set-cookie") if has_host else []:
        own = cookies.kept_for_host(value)
        kept += [(b"set-cookie", own)] if own else []
    kept += [(b"location", _public(value, seen, address)) for value in every(fields, b"location")]
    return [*kept, (b"cache-control", _private(fields)), *PROTECTION, *policy(has_host=has_host)]


def _may_pass(name: bytes, *, has_host: bool) -> bool:
    if name in _NOT_THEIRS or name.startswith(_FOR_PROXIES):
        return False
    return has_host or name not in _NOT_ON_ONE_HOST


def _public(location: bytes, seen: Seen, address: Address) -> bytes:
    """Return where a redirect leads, as the visitor can follow it."""
    inside = f"http://{address.host}:{address.port}".encode()
    for origin in (inside, seen.origin):
        rest = location.removeprefix(origin)
        if rest != location and rest[:1] in {b"", b"/", b"?", b"#"}:
            location = rest if rest.startswith(b"/") else b"/" + rest
    base = seen.base.encode()
    if not location.startswith(b"/") or location.startswith((b"//", base + b"/" if base else b"//")):
        return location
    return base + location


def _private(fields: Fields) -> bytes:
    """Return for how long browsers may keep it; nobody in between may."""
    said = words(fields, b"cache-control")
    kept = sorted(word for word in said if word.partition(b"=")[0] not in _SHARED_CACHES)
    return b", ".join(kept if b"no-store" in said or b"private" in said else [b"private", *kept])
