"""Who answers at an address is asked in the protocol that is wanted there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.finishing import answering

HOST = "127.0.0.1"


@pytest.fixture
def grpc_port() -> Iterator[int]:
    """Serve gRPC without a single method."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    yield port
    server.stop(None).wait()


def serving(answer: bytes) -> int:
    """Answer one connection with these bytes and return the port."""
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            connection.recv(1000)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_grpc_server_answers_and_is_no_web_server(grpc_port: int):
    assert answering.answers(HOST, grpc_port, web=False)
    assert not answering.answers(HOST, grpc_port, web=True)


def test_a_web_server_answers_and_is_no_grpc_server():
    assert answering.answers(HOST, serving(b"HTTP/1.1 200 OK\r\n\r\n"), web=True)
    assert not answering.answers(HOST, serving(b"HTTP/1.1 400 Bad Request\r\n\r\n"), web=False)


def test_nobody_and_a_name_that_is_none_do_not_answer():
    assert not answering.answers(HOST, closed_port(), web=True)
    assert not answering.answers("a" * 80 + ".example", 80, web=False)


def test_somebody_who_accepts_and_says_nothing_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "ANSWER_SECONDS", 0.1)
    with socket.create_server((HOST, 0)) as silent:
        assert not answering.answers(HOST, silent.getsockname()[1], web=True)


def test_a_host_that_answers_where_nothing_is_proves_nothing(grpc_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "NOBODYS_PORT", closed_port())
    assert answering.is_host(HOST, grpc_port, web=False)

    monkeypatch.setattr(answering, "NOBODYS_PORT", grpc_port)
    assert not answering.is_host(HOST, grpc_port, web=False)
