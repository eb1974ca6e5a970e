"""What is particular about S3: its refusals, a service that misbehaves, and where the requests go."""

from __future__ import annotations

import gc
import os
import time

import pytest
from support.leaks import leaked_since, open_things
from support.raw_server import Peer, RawServer, answering

from shared.errors import TooLargeError, UpstreamError, UpstreamTimeoutError
from shared.persistence.s3 import S3Store


def refusal(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>SECRET</Message></Error>".encode()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-for-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-for-tests")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


@pytest.mark.parametrize(
    ("status", "code"), [("403 Forbidden", "AccessDenied"), ("400 Bad Request", "InvalidBucketName")]
)
def test_a_refusal_is_told_by_its_code_alone(status: str, code: str) -> None:
    with RawServer(answering(status, refusal(code))) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(UpstreamError, match=rf"s3: refused: {code}$") as caught:
            store.get("a", most_bytes=10)
        store.close()

    assert "SECRET" not in str(caught.value)


def test_a_code_that_is_no_word_is_not_repeated() -> None:
    with RawServer(answering("403 Forbidden", refusal("a b\u202e"))) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(UpstreamError, match=r"s3: refused: unknown$"):
            store.get("a", most_bytes=10)
        store.close()


def test_a_bucket_that_is_not_there_is_not_ready(s3_url: str) -> None:
    store = S3Store("no-such-bucket", "", endpoint_url=s3_url)

    with pytest.raises(UpstreamError, match="s3: refused: NoSuchBucket"):
        store.check()
    store.close()


def test_nobody_listening_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.persistence.s3.TRIES", 1)
    store = S3Store("solutions", "", endpoint_url="http://127.0.0.1:9")

    with pytest.raises(UpstreamError, match="s3: failed: EndpointConnectionError"):
        store.get("a", most_bytes=10)
    store.close()


def test_a_service_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n")
        peer.drip(b"x", every=0.05)

    monkeypatch.setattr("shared.persistence.s3.ONE_SECONDS", 0.2)
    with RawServer(drip) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)
        store._made()
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError, match="s3: timeout: "):
            store.get("a", most_bytes=2000)

        assert time.monotonic() - start < 2
    store.close()


def test_a_service_that_stays_silent_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.persistence.s3.TRIES", 1)
    monkeypatch.setattr("shared.persistence.s3.READ_SECONDS", 0.2)
    with RawServer(lambda peer: peer.wait(5)) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(UpstreamTimeoutError, match="s3: timeout: "):
            store.get("a", most_bytes=10)
        store.close()


def test_an_object_without_end_is_cut_at_the_limit() -> None:
    def flood(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while not peer.wait(0):
            peer.send(b"x" * 65536)

    with RawServer(flood) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(TooLargeError):
            store.get("a", most_bytes=1_000_000)
        store.close()


def test_a_truncated_object_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.persistence.s3.TRIES", 1)

    def truncate(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")

    with RawServer(truncate) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(UpstreamError, match="s3: failed: "):
            store.get("a", most_bytes=2000)
        store.close()


def test_a_put_that_meets_another_is_tried_again() -> None:
    busy = answering("409 Conflict", refusal("ConditionalRequestConflict"))
    with RawServer(busy, busy, answering("412 Precondition Failed", refusal("PreconditionFailed"))) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        assert store.put_new("a", b"1") is False
        store.close()

        assert len(server.requests) == 3


def test_a_put_that_always_meets_another_is_an_error() -> None:
    with RawServer(answering("409 Conflict", refusal("ConditionalRequestConflict"))) as server:
        store = S3Store("solutions", "", endpoint_url=server.url)

        with pytest.raises(UpstreamError, match="s3: refused: ConditionalRequestConflict"):
            store.put_new("a", b"1")
        store.close()


def test_the_bucket_is_asked_by_path_and_writes_are_conditional(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(answering("200 OK", b"proxied")) as proxy, RawServer(answering("200 OK", b"")) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        store = S3Store("solutions", "a/b", endpoint_url=server.url)

        store.put_new("c.txt", b"1")
        store.close()

        assert (proxy.requests, server.requests[0].splitlines()[0]) == ([], "PUT /solutions/a/b/c.txt HTTP/1.1")
        assert "If-None-Match: *\r\n" in server.requests[0]


def test_what_lies_outside_the_prefix_is_not_seen(s3_store: S3Store) -> None:
    prefix = s3_store._prefix.removesuffix("/")
    for key in ("outside", f"{prefix}b/x", f"{prefix}/inside", f"{prefix}/folder/"):
        s3_store._made().put_object(Bucket="solutions", Key=key, Body=b"1")

    assert s3_store.keys("") == {"inside": 1}


def test_closing_frees_threads_and_connections(s3_url: str) -> None:
    gc.collect()
    before = open_things()
    store = S3Store("no-such-bucket", "", endpoint_url=s3_url)

    with pytest.raises(UpstreamError):
        store.get_all(dict.fromkeys("abcdef", 1))
    store.close()

    assert leaked_since(before) == (0, 0)
