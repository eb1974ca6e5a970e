"""Follows the pods that a node has and will have, for one reader: a thread for each pod, as reading blocks.

A stream that ends though its container runs on is begun again at the last line. A container that is started again writes
a new log, which is read from its beginning; so does a pod that takes the place of another.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from playground.runtime.kubernetes import log_lines
from playground.runtime.kubernetes.api import Api, Parameters, RefusedError, Stream, UnreachableError
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.objects import Pod

QUIET_SECONDS = 1.0
_SILENCE_SECONDS = 300.0  # then the stream is begun again: its connection may have died without a word
_PAUSE_SECONDS = 1.0
_WAITING = 1000  # lines for a reader that is slow; then the API server has to wait

Instance = tuple[int, str]


class Follower:
    """See the module. One reader iterates over `lines`; it ends when that iterator is closed."""

    def __init__(self, api: Api, cache: Cache, pods: Callable[[], tuple[Pod, ...]]) -> None:
        self._api, self._cache, self._pods = api, cache, pods
        self._lines: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._followed: set[str] = set()

    def follow(self, pod: Pod, *, after: str = "", first: Parameters | None = None) -> None:
        """Begin with a pod that is there already, behind the line with a stamp, or as `first` asks."""
        self._followed.add(pod.metadata.uid)
        threading.Thread(target=self._run, args=(pod, after, first or {}), name="log", daemon=True).start()

    def lines(self, is_over: Callable[[], bool]) -> Iterator[bytes]:
        """Yield what comes, and an empty piece in every second without a line."""
        try:
            while not is_over():
                for pod in self._pods():
                    if pod.metadata.uid not in self._followed:
                        self.follow(pod)
                try:
                    yield self._lines.get(timeout=QUIET_SECONDS)
                except queue.Empty:
                    yield b""
        finally:
            self.end()

    def end(self) -> None:
        """End all threads."""
        self._ended.set()
        with self._lock:
            for stream in self._streams:
                stream.cut()

    def _run(self, pod: Pod, after: str, first: Parameters) -> None:
        read: Instance | None = None
        current: Pod | None = pod
        while current is not None and not self._ended.is_set():
            version = self._cache.version
            now = _instance(current)
            if now is not None and now != read:
                after, is_whole = self._read(current, after, first)
                first = {} if is_whole else first
                # While it still runs, the stream has ended too early.
                read = now if is_whole and not _runs(current) else None
            if read is not None and current.status.phase in {"Succeeded", "Failed"}:
                return
            if read is None and now is not None:
                self._ended.wait(_PAUSE_SECONDS)
            else:
                self._cache.wait_changed(version, _PAUSE_SECONDS)
            current = next((one for one in self._pods() if one.metadata.uid == pod.metadata.uid), None)

    def _read(self, pod: Pod, after: str, first: Parameters) -> tuple[str, bool]:
        """Read until the stream ends; return the last stamp, and whether the stream came to its end."""
        asked = {"follow": "true", **({"sinceTime": log_lines.since(after)} if after else first)}
        is_new = False
        try:
            with log_lines.opened(self._api, pod, asked, silence=_SILENCE_SECONDS) as stream, self._open(stream):
                for line in log_lines.lines(stream.pieces()):
                    is_new = is_new if line.is_rest else line.stamp > after
                    if is_new:
                        self._put(line.text)
                    after = max(after, line.stamp)
        except (UnreachableError, RefusedError):
            return after, False
        return after, True

    def _put(self, line: bytes) -> None:
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._lines.put(line, timeout=QUIET_SECONDS)
                return

    @contextmanager
    def _open(self, stream: Stream) -> Iterator[None]:
        with self._lock:
            self._streams.add(stream)
        if self._ended.is_set():
            stream.cut()
        try:
            yield
        finally:
            with self._lock:
                self._streams.discard(stream)


def _instance(pod: Pod) -> Instance | None:
    """Return which run of the container there is a log of; the same while it runs and when it has ended."""
    status = log_lines.status(pod)
    if status is None:
        return None
    state = status.state
    told = state.running or state.terminated or status.last_state.terminated
    return (status.restart_count, told.started_at or "") if told else None


def _runs(pod: Pod) -> bool:
    status = log_lines.status(pod)
    return status is not None and status.state.running is not None
