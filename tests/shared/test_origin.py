"""Uris that must not lead anywhere but below the configured base, and those that may."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import unquote

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.raw_server import RawServer, answering

from shared.deadline import Deadline
from shared.errors import UpstreamError
from shared.origin import ForeignUriError, Origin
from shared.outbound import Upstream
from shared.settings import Secret

OK = "200 OK"


def hostile(port: int) -> list[str]:
    return [
        f"http://127.0.0.1:{port}/x",
        f"HTTP://127.0.0.1:{port}/x",
        f"https://127.0.0.1:{port}/x",
        f"//127.0.0.1:{port}/x",
        f"///127.0.0.1:{port}/x",
        f"http:/127.0.0.1:{port}/x",
        f"http:\\\\127.0.0.1:{port}\\x",
        f"\\\\127.0.0.1:{port}\\x",
        f"/\\127.0.0.1:{port}/x",
        f"\t//127.0.0.1:{port}/x",
        f" http://127.0.0.1:{port}/x",
        f"ht\ntp://127.0.0.1:{port}/x",
        f"%2f%2f127.0.0.1:{port}/x",
        f"%2F/127.0.0.1:{port}/x",
        f"http:%2f%2f127.0.0.1:{port}/x",
        f"http%3a//127.0.0.1:{port}/x",
        f"http://localhost:{port}/x",
        f"http://2130706433:{port}/x",
        f"http://0x7f000001:{port}/x",
        f"http://[::ffff:127.0.0.1]:{port}/x",
        f"http://user@127.0.0.1:{port}/x",
        f"http://user:password@127.0.0.1:{port}/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        f"gopher://127.0.0.1:{port}/_x",
        f"ftp://127.0.0.1:{port}/x",
        "data:text/plain,x",
        "javascript:alert(1)",
        "..",
        "../admin",
        "org/../../admin",
        "org/./x",
        "%2e%2e/admin",
        "org/%2e%2e%2fadmin",
        "org/%252e%252e/admin",
        "org/..%5cadmin",
        "org//x",
        "org/x?a=b",
        "org/x#y",
        "org/x%3fa=b",
        "org/x%00",
        "org/x\r\nX-Injected: 1",
        "org/\x7fx",
        "org/%ff",
        "org/\u202ex",
        "a" * 2049,
    ]


@pytest.mark.parametrize("place", range(len(hostile(1))))
def test_a_uri_that_leads_elsewhere_is_refused_before_any_connection(place: int) -> None:
    with RawServer(answering(OK, b"own")) as own, RawServer(answering(OK, b"prey")) as other:
        upstream = Upstream("nexus", f"{own.url}/repository/models", credentials=("deployer", Secret("sesame")))

        with pytest.raises(UpstreamError, match="nexus: foreign_uri: "):
            upstream.get(hostile(other.port)[place], deadline=Deadline.after(2), most_bytes=100)

        assert (own.requests, other.requests) == ([], [])


@pytest.mark.parametrize(
    "authority", ["user@127.0.0.1", "user:password@127.0.0.1", "127.0.0.1.evil.example", "evil.example"]
)
def test_the_own_port_does_not_make_another_authority_ours(authority: str) -> None:
    with RawServer(answering(OK)) as own:
        with pytest.raises(UpstreamError, match="foreign_uri"):
            Upstream("nexus", own.url).url(f"http://{authority}:{own.port}/x")

        assert own.requests == []


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("org/acumos/a-1/x.proto", "/repository/models/org/acumos/a-1/x.proto"),
        ("/org/x.proto", "/repository/models/org/x.proto"),
        ("org/my model/x.proto", "/repository/models/org/my%20model/x.proto"),
        ("org/my%20model/x.proto", "/repository/models/org/my%20model/x.proto"),
        ("org/größe/x.proto", "/repository/models/org/gr%C3%B6%C3%9Fe/x.proto"),
        ("org/a+b;c=d&e,f'g/x", "/repository/models/org/a%2Bb%3Bc%3Dd%26e%2Cf%27g/x"),
        ("org/a:b@c/x", "/repository/models/org/a%3Ab%40c/x"),
        ("org/...", "/repository/models/org/..."),
        ("", "/repository/models/"),
    ],
)
def test_a_uri_below_the_base_is_fetched_plainly_encoded(uri: str, path: str) -> None:
    with RawServer(answering(OK)) as server:
        Upstream("nexus", f"{server.url}/repository//models").get(uri, deadline=Deadline.after(2), most_bytes=10)

        assert server.requests[0].splitlines()[0] == f"GET {path} HTTP/1.1"


@pytest.mark.parametrize("path", ["", "/", "/model", "/modelsx/x.proto", "/admin/x.proto", "/models/../admin"])
def test_an_absolute_url_beside_the_own_base_is_refused(path: str) -> None:
    with RawServer(answering(OK)) as server:
        with pytest.raises(UpstreamError, match="foreign_uri"):
            Upstream("nexus", f"{server.url}/models/").url(f"{server.url}{path}")

        assert server.requests == []


def test_an_absolute_url_of_the_own_base_is_fetched() -> None:
    with RawServer(answering(OK)) as server:
        uri = f"HTTP://127.0.0.1:{server.port}/models/x.proto"

        Upstream("nexus", f"{server.url}/models/").get(uri, deadline=Deadline.after(2), most_bytes=10)

        assert server.requests[0].splitlines()[0] == "GET /models/x.proto HTTP/1.1"


@pytest.mark.parametrize(
    "base",
    [
        "cds:8000/ccds",
        "ftp://cds/ccds",
        "http://",
        "http://user:sesame@cds/ccds",
        "http://cds:sesame/ccds",
        "http://cds/ccds?sesame",
        "http://cds/ccds#sesame",
        "http://cds/../sesame",
        "http://[sesame/ccds",
        "http://cds /sesame",
    ],
)
def test_a_base_url_of_another_form_is_refused_without_repeating_it(base: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        Upstream("cds", base)

    assert "sesame" not in str(caught.value)


HOSTS = ["cds.example.org", "evil.example.org", ":8000", "base"]
ENCODED = ["%2e", "%2f", "%5c", "%25", "%00", "%ff", "http://", "//", ".."]
PIECES = st.sampled_from([*"/\\.@:?# \t\n[];&+aü\u3002\uff0e\u2215", *ENCODED, *HOSTS])


@given(st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=20))
@example("http://cds.example.org:8000/base/\uff0e\uff0e/x")
@settings(max_examples=400, deadline=None)
def test_whatever_the_uri_says_the_library_goes_below_the_base(uri: str) -> None:
    origin = Origin.parse("http://cds.example.org:8000/base")
    with suppress(ForeignUriError):
        url = requests.Request("GET", origin.resolve(uri)).prepare().url or ""

        assert url.startswith("http://cds.example.org:8000/base/")
        assert not {".", ".."} & set(unquote(unquote(url)).split("/"))
        assert not set(url.removeprefix("http:")) & set("\\?#@ ")
