"""Follows the pods of an instance with one `kubectl get --watch` that runs as long as we wait, instead of one call a second."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from shared.finishing.kubectl import Kubectl
from shared.finishing.objects import Manifest, name_of

RESTART_PAUSE_SECONDS = 3.0
# Somebody who may not watch is not asked for it all the time; what is asked about now and then has to do.
LONGEST_PAUSE_TO_RESTART = 60.0
# What one look at the queue takes in at most before the terminal is drawn again.
MOST_EVENTS_AT_ONCE = 500
CROWD_SECONDS = 0.2

Event = Tuple[str, Manifest]


class PodWatch:
    """The pods with some labels, kept up to date. A watch that ends is started anew: the cluster may be away for a while."""

    def __init__(self, kubectl: Kubectl, selector: str) -> None:
        self._kubectl = kubectl
        self._selector = selector
        self._pods: Dict[str, Manifest] = {}
        self._events: queue.Queue[Optional[Event]] = queue.Queue()
        self._process: Optional[subprocess.Popen[str]] = None
        self._next_start = 0.0
        self._pause = RESTART_PAUSE_SECONDS

    def look(self, seconds: float) -> List[Manifest]:
        """Return the pods as they are known after at most `seconds`, sooner when something happens."""
        self._ensure_started()
        try:
            event = self._events.get(timeout=seconds)
            # Events come in crowds.
            time.sleep(CROWD_SECONDS)
            for _ in range(MOST_EVENTS_AT_ONCE):
                self._take(event)
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        return list(self._pods.values())

    def learn(self, pods: List[Manifest]) -> None:
        """Take over what is known from elsewhere: a watch that was started anew does not mention what went meanwhile."""
        self._pods = {name_of(pod): pod for pod in pods}

    def close(self) -> None:
        """End the watch."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ensure_started(self) -> None:
        if self._process is not None or time.monotonic() < self._next_start:
            return
        self._next_start = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_TO_RESTART)
        arguments = ("get", "pods", "-n", self._kubectl.namespace, "-l", self._selector)
        self._process = self._kubectl.start(*arguments, "--watch", "--output-watch-events", "-o", "json")
        self._events = queue.Queue()
        threading.Thread(target=self._read, args=(self._process, self._events), daemon=True).start()

    def _take(self, event: Optional[Event]) -> None:
        if event is None:
            self.close()
            return
        self._pause = RESTART_PAUSE_SECONDS
        what, pod = event
        if what == "DELETED":
            self._pods.pop(name_of(pod), None)
        elif what in ("ADDED", "MODIFIED"):
            self._pods[name_of(pod)] = pod

    @staticmethod
    def _read(process: subprocess.Popen[str], events: queue.Queue[Optional[Event]]) -> None:
        """Hand on what the watch writes; None when it ends."""
        if process.stdout is not None:
            for event in watch_events(process.stdout):
                events.put(event)
            process.stdout.close()
        events.put(None)


def watch_events(stream: Iterable[str]) -> Iterator[Event]:
    """Yield (`ADDED` | `MODIFIED` | `DELETED`, object) from what `kubectl get --watch -o json` writes.

    An event is one line of kubectl's, `{...}`; one that is printed over several ends with a brace at the beginning of a line.
    """
    lines: List[str] = []
    for line in stream:
        lines.append(line)
        if line.startswith(("{", "}")) and line.rstrip().endswith("}"):
            event = json.loads("".join(lines))
            lines = []
            yield str(event.get("type", "")), event.get("object", {})
