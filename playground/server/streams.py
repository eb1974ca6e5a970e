"""How many answers may go on and on: whoever watches holds a thread, and requests that end must always find one."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Response

from shared.errors import RateLimitedError, UnavailableError

RETRY_SECONDS = 5


class Streams:
    """Counts the streams of one worker process: events, followed logs, samples, connections to web UIs."""

    def __init__(self, most: int, *, per_principal: int) -> None:
        """Allow `most` at once, and `per_principal` of them to one."""
        self.most = most
        self._per_principal = per_principal
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def take(self, principal_id: str) -> None:
        """Count one more stream; every `take` that returns needs its `give_back`.

        Raises:
            RateLimitedError: this principal holds as many as allowed.
            UnavailableError: all of them together do.
        """
        with self._lock:
            if self._held[principal_id] >= self._per_principal:
                raise RateLimitedError(f"at most {self._per_principal} streams at once", retry_after=RETRY_SECONDS)
            if self._held.total() >= self.most:
                raise UnavailableError("too many streams are open; try again in a moment")
            self._held[principal_id] += 1

    def give_back(self, principal_id: str) -> None:
        """Count one stream less."""
        with self._lock:
            self._held[principal_id] -= 1
            if not self._held[principal_id]:
                del self._held[principal_id]

    @contextmanager
    def held(self, principal_id: str) -> Iterator[None]:
        """Hold one stream while the block runs. Raises what `take` does."""
        self.take(principal_id)
        try:
            yield
        finally:
            self.give_back(principal_id)

    def response(
        self, principal_id: str, pieces: Iterator[bytes], *, content_type: str, headers: Mapping[str, str]
    ) -> Response:
        """Return an answer that holds a stream until its last piece was sent or its reader has gone.

        The first piece is waited for, so that what fails at once is answered with its status. Raises what `take` does.
        """
        self.take(principal_id)
        try:
            first = next(pieces, b"")
            response = Response(itertools.chain((first,), pieces), content_type=content_type, headers=dict(headers))
        except BaseException:
            self.give_back(principal_id)
            raise
        response.call_on_close(lambda: self._end(principal_id, pieces))
        return response

    def _end(self, principal_id: str, pieces: Iterator[bytes]) -> None:
        try:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        finally:
            self.give_back(principal_id)

    @property
    def open(self) -> int:
        """How many are open now."""
        with self._lock:
            return self._held.total()
