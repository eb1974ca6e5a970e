"""Lines of a container's log as the API gives them: each behind the time at which it was written. Pure, but for `opened`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NamedTuple

from playground.runtime.kubernetes.api import Api, Parameters, Stream
from playground.runtime.kubernetes.objects import ContainerStatus, Pod

LONGEST_LINE = 64 * 1024
"""A longer line reaches a reader in pieces."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ")
_SECONDS = len("2026-01-01T00:00:00")


class Line(NamedTuple):
    """A line, or a piece of a long one."""

    stamp: str
    """In UTC, of equal length for all lines of a container: they can be compared as texts."""
    text: bytes
    """With the end of the line, if it has one."""
    is_rest: bool = False
    """It goes on where the piece before ended."""


def lines(pieces: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a log; one without a stamp is none of the container's and left out."""
    rest, stamp, is_within = b"", "", False
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for text in whole:
            stamp, line = _line(text + b"\n", stamp, is_within=is_within)
            is_within = False
            if stamp:
                yield line
        if len(rest) > LONGEST_LINE:
            stamp, line = _line(rest, stamp, is_within=is_within)
            rest, is_within = b"", True
            if stamp:
                yield line
    if rest:
        stamp, line = _line(rest, stamp, is_within=is_within)
        if stamp:
            yield line


def since(stamp: str) -> str:
    """Return the parameter that asks for what was written in the second of a stamp, and later."""
    return f"{stamp[:_SECONDS]}Z"


def opened(api: Api, pod: Pod, asked: Parameters, *, silence: float) -> AbstractContextManager[Stream]:
    """Ask for the log of a node's container, which is the first of its pod."""
    about = pod.metadata
    path = f"/api/v1/namespaces/{about.namespace}/pods/{about.name}/log"
    return api.stream(path, {"container": pod.spec.containers[0].name, "timestamps": "true", **asked}, silence=silence)


def status(pod: Pod) -> ContainerStatus | None:
    """Return what the kubelet says of the container whose log it is."""
    name = pod.spec.containers[0].name if pod.spec.containers else ""
    return next((one for one in pod.status.container_statuses if one.name == name), None)


def _line(text: bytes, stamp: str, *, is_within: bool) -> tuple[str, Line]:
    """Return the stamp of a line, empty where it has none, and the line."""
    if is_within:
        return stamp, Line(stamp, text, is_rest=True)
    found = _STAMP.match(text)
    if found is None:
        return "", Line("", text)
    return (made := _in_utc(found)), Line(made, text[found.end() :])


def _in_utc(found: re.Match[bytes]) -> str:
    time, fraction, zone = (part.decode() if part else "" for part in found.groups())
    if zone != "Z":
        time = datetime.fromisoformat(time + zone).astimezone(UTC).isoformat()[:_SECONDS]
    return f"{time}{fraction or '.':0<10}Z"
