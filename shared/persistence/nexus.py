"""Nexus, where artifacts lie. A released artifact never changes, so what was fetched once is kept, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from shared.deadline import Deadline
from shared.errors import TooLargeError, UpstreamError
from shared.outbound import Upstream


class ArtifactCache:
    """The most recently used artifacts by URL, bounded in bytes; shared by all threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._artifacts: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, url: str) -> bytes | None:
        """Return an artifact that is kept."""
        with self._lock:
            if url in self._artifacts:
                self._artifacts.move_to_end(url)
            return self._artifacts.get(url)

    def keep(self, url: str, artifact: bytes) -> None:
        """Keep an artifact, dropping the longest unused ones for it."""
        with self._lock:
            self._bytes += len(artifact) - len(self._artifacts.pop(url, b""))
            self._artifacts[url] = artifact
            while self._bytes > self._most_bytes:
                _, dropped = self._artifacts.popitem(last=False)
                self._bytes -= len(dropped)


class Nexus:
    """Fetches artifacts by the uri that CDS or a blueprint gives."""

    def __init__(self, upstream: Upstream, *, cache_bytes: int) -> None:
        self._upstream = upstream
        self._cache = ArtifactCache(cache_bytes)

    def fetch(self, uri: str, *, deadline: Deadline, most_bytes: int) -> bytes | None:
        """Return the artifact; None when there is none.

        Raises:
            UpstreamError: also when the uri leads elsewhere, or an HTML page stands where the artifact should.
            TooLargeError: it is larger.
        """
        url = self._upstream.url(uri)
        kept = self._cache.get(url)
        if kept is None:
            answer = self._upstream.get(uri, deadline=deadline, most_bytes=most_bytes)
            if not answer.is_found:
                return None
            if answer.is_html:
                raise UpstreamError(self._upstream.name, "malformed_answer: expected an artifact, found an HTML page")
            kept = answer.body
            self._cache.keep(url, kept)
        if len(kept) > most_bytes:
            raise TooLargeError(
                f"{self._upstream.name}: expected an artifact of at most {most_bytes} bytes, found more"
            )
        return kept

    def check_uri(self, uri: str) -> None:
        """Refuse a uri that leads elsewhere, as `fetch` does, without fetching it."""
        self._upstream.url(uri)

    def check(self, deadline: Deadline) -> None:
        """Ask for the base of the repository, whatever stands there."""
        self._upstream.check("", deadline=deadline)
