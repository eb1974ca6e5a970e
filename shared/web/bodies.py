"""Reads request bodies so that a part never passes for the whole.

Werkzeug cuts a chunked body off at the limit without a word, and takes a body whose sender went away for complete when
the server ends streams itself, as gunicorn does; gunicorn's errors about broken chunks would look like defects of ours.
"""

from __future__ import annotations

import io
from typing import IO, Any

import flask
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream


class Request(flask.Request):
    """A request whose body raises RequestEntityTooLarge (413) or ClientDisconnected (400) instead of ending early."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body; an announced length over the limit is refused at once."""
        limit = self.max_content_length
        stream = get_input_stream(self.environ, max_content_length=limit)
        if "wsgi.input_terminated" not in self.environ:
            return stream
        return _Body(self.environ["wsgi.input"], length=self.content_length, limit=limit)  # type: ignore[return-value]


class _Body(io.RawIOBase):
    def __init__(self, stream: IO[bytes], *, length: int | None, limit: int | None) -> None:
        self._stream = stream
        self._length = length
        self._limit = limit
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._piece(len(buffer))
        self._received += len(piece)
        if self._limit is not None and self._received > self._limit:
            raise RequestEntityTooLarge
        if not piece and self._received < (self._length or 0):
            raise ClientDisconnected
        buffer[: len(piece)] = piece
        return len(piece)

    def _piece(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (ParseException, OSError) as problem:
            raise ClientDisconnected from problem
