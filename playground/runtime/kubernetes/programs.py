"""A program that the API server starts in a container: what goes in, what comes out, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec

from playground.runtime.kubernetes import channels
from playground.runtime.kubernetes.api import Api, UnreachableError, decoded
from playground.runtime.kubernetes.channels import Channels

SILENCE_SECONDS = 30.0
_STDIN, _STDOUT, _STATUS = 0, 1, 3
_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] = []


class _Ended(msgspec.Struct):
    """How it ended, in the API's words."""

    status: str = ""
    details: _Details | None = None


_ENDINGS = msgspec.json.Decoder(_Ended)  # made here, before there are threads: see `first_use`


class Program:
    """One program that runs. It raises UnreachableError where the connection breaks, or nothing moves for long."""

    def __init__(self, opened: Channels) -> None:
        self._channels = opened
        self._output: list[bytes] = []
        self.status: int | None = None
        """Its exit status once it has ended; -1 where that is not known."""

    def send(self, data: bytes) -> None:
        """Write to its input."""
        self._channels.send(_STDIN, data, seconds=SILENCE_SECONDS)

    def has_ended(self) -> bool:
        """Tell whether it takes no more, as far as one knows without waiting."""
        with suppress(TimeoutError, UnreachableError):
            while self.status is None:
                self._take(seconds=0.0)
        return self.status is not None

    def output(self) -> Iterator[bytes]:
        """Yield what it writes, until it ends.

        Raises:
            TimeoutError: it wrote nothing for long.
        """
        while True:
            while self._output:
                yield self._output.pop(0)
            if self.status is not None:
                return
            self._take(seconds=SILENCE_SECONDS)

    def _take(self, *, seconds: float) -> None:
        received = self._channels.receive(seconds=seconds)
        if received is None:
            self.status = -1 if self.status is None else self.status
        elif received[0] == _STDOUT and received[1]:
            self._output.append(received[1])
        elif received[0] == _STATUS:
            self.status = _status(decoded(received[1], _ENDINGS))


@contextmanager
def started(api: Api, namespace: str, pod: str, container: str, command: Sequence[str]) -> Iterator[Program]:
    """Start a program, and leave it alone in the end: its input ends then.

    Raises:
        RefusedError: the API server does not allow it, or there is no such pod.
        UnreachableError: it does not answer.
    """
    query = [
        *(("command", word) for word in command),
        *(("container", container), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")),
    ]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    with channels.opened(api, path, query, _PROTOCOLS) as opened:
        yield Program(opened)


def _status(ended: _Ended) -> int:
    if ended.status == "Success":
        return 0
    causes = ended.details.causes if ended.details else []
    return next((int(one.message) for one in causes if one.reason == "ExitCode" and one.message.isdigit()), -1)
