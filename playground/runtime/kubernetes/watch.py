"""One kind of objects followed over all namespaces: listed once, then watched, whatever happens to the connection.

A watch ends by itself every minute and is begun again where it was: so a connection that died without a word is noticed,
and no bookkeeping of the API server grows old. What the server no longer remembers (410) is listed anew.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from playground.runtime.kubernetes.api import Api, RefusedError, Stream, UnreachableError, decoded, refusal
from playground.runtime.kubernetes.objects import DECODERS, Kept, Metadata, Record

_LOG = structlog.get_logger()
_PAGE = 500  # objects: some MB of JSON at a time
_TRUSTED_FAILURES = 3  # in a row, from the same version


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a watch waits for what; in seconds."""

    watch: int = 60
    """After this the API server ends a watch by itself."""
    silence: float = 75.0
    """Longer than that: a connection that says nothing is dead."""
    first_pause: float = 0.25
    longest_pause: float = 15.0
    steady: float = 2.0
    """A watch that stands so long is one."""
    broken: float = 30.0
    """Who has not been told anything for so long says so."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is watched."""

    path: str
    kind: type[Kept]
    selector: str = ""

    @property
    def name(self) -> str:
        """The kind's plural, as the API calls it."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a watch tells. All are called by its one thread."""

    listed: Callable[[Iterable[Any], int], None]
    put: Callable[[Any], None]
    gone: Callable[[Any], None]
    passed: Callable[[int], None]
    """Nothing new up to a version."""


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: list[msgspec.Raw] | None = None


class _Change(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Bookmark(Record, frozen=True):
    metadata: Metadata = Metadata()


# Made here, before there are threads: see `first_use`.
_LISTS = msgspec.json.Decoder(_List)
_CHANGES = msgspec.json.Decoder(_Change)
_BOOKMARKS = msgspec.json.Decoder(_Bookmark)


class Watch:
    """See the module."""

    def __init__(self, api: Api, source: Source, told: Told, patience: Patience) -> None:
        self.source = source
        self.is_complete = threading.Event()
        """The first list is in."""
        self._api, self._told, self._patience = api, told, patience
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._stream: Stream | None = None
        self._open_since: float | None = None
        self._good_at = time.monotonic()
        self._version = ""
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"watch-{source.name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for the thread."""
        self._ended.set()
        with self._lock:
            if self._stream is not None:
                self._stream.cut()
        if self._thread.ident is not None:
            self._thread.join()

    def broken_seconds(self, now: float) -> float:
        """Return for how long it has been without news; 0 while it is connected. `now` is monotonic."""
        opened = self._open_since
        if opened is not None and now - opened > self._patience.steady:
            return 0.0
        return max(0.0, now - self._good_at)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                if not self._version:
                    self._list()
                self._follow()
            except RefusedError as problem:
                self._version = ""  # whatever it is about, a new list tells
                self._fail(problem)
            except UnreachableError as problem:
                self._fail(problem)

    def _list(self) -> None:
        version, found, following = "", list[Any](), ""
        while True:
            page = self._page(following)
            found += [one for raw in page.items or () if (one := self._object(raw)) is not None]
            version, following = page.metadata.resource_version, page.metadata.continue_
            if not following:
                break
        self._told.listed(found, int(version) if version.isdigit() else 0)
        self._version = version
        self._good()
        self.is_complete.set()

    def _page(self, following: str) -> _List:
        asked = {**self._parameters(), "limit": _PAGE} | ({"continue": following} if following else {})
        return decoded(self._api.read(self.source.path, asked), _LISTS)

    def _follow(self) -> None:
        asked = self._parameters() | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": self._patience.watch,
        }
        began = time.monotonic()
        with self._api.stream(self.source.path, asked, silence=self._patience.silence) as stream, self._opened(stream):
            for line in stream.lines():
                self._take(decoded(line, _CHANGES))
                self._good()
        if time.monotonic() - began < min(1.0, self._patience.watch) and not self._ended.is_set():
            raise UnreachableError("the API server ends watches at once")
        self._good()

    def _take(self, change: _Change) -> None:
        if change.type == "ERROR":
            raise refusal(500, bytes(change.object))
        version = decoded(bytes(change.object), _BOOKMARKS).metadata.resource_version
        one = None if change.type == "BOOKMARK" else self._object(change.object)
        if one is None:
            self._told.passed(int(version) if version.isdigit() else 0)
        elif change.type == "DELETED":
            self._told.gone(one)
        else:
            self._told.put(one)
        self._version = version or self._version

    def _object(self, raw: msgspec.Raw) -> Any:
        """Return an object, or None for one that is not as the API describes it: the others count none the less."""
        try:
            return DECODERS[self.source.kind].decode(raw)
        except msgspec.DecodeError as problem:
            _LOG.error("object_unreadable", kind=self.source.name, problem=str(problem))
            return None

    def _parameters(self) -> dict[str, str | int]:
        return {"labelSelector": self.source.selector} if self.source.selector else {}

    @contextmanager
    def _opened(self, stream: Stream) -> Iterator[None]:
        with self._lock:
            self._stream, self._open_since = stream, time.monotonic()
            if self._ended.is_set():
                stream.cut()
        try:
            yield
        finally:
            with self._lock:
                if self.broken_seconds(time.monotonic()) == 0:
                    self._good_at = time.monotonic()
                self._stream = self._open_since = None

    def _good(self) -> None:
        self._failures = 0
        self._good_at = time.monotonic()

    def _fail(self, problem: Exception) -> None:
        if self._ended.is_set():
            return
        self._failures += 1
        if self._failures >= _TRUSTED_FAILURES:
            self._version = ""  # it may be the very change that comes next
        cause = problem.__cause__ or problem
        log = _LOG.info if self._failures == 1 else _LOG.warning
        log("watch_broken", kind=self.source.name, failures=self._failures, problem=str(cause) or type(cause).__name__)
        pause = min(self._patience.first_pause * 2 ** min(self._failures - 1, 16), self._patience.longest_pause)
        self._ended.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - so that copies of a server do not come at once
