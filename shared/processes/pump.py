"""One thread that carries the output of all processes into their logs, so that none waits for a reader."""

from __future__ import annotations

import os
import selectors
import threading

from shared.processes.log import Log

_PIECE_BYTES = 64 * 1024


class Pump:
    """Reads pipes until their end. Close it when the processes have ended."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._is_closing = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="process-logs", daemon=True)
        self._thread.start()

    def add(self, pipe: int, log: Log) -> threading.Event:
        """Carry what comes out of `pipe` into `log`, and close the pipe at its end; the event tells of that."""
        ended = threading.Event()
        os.set_blocking(pipe, False)
        with self._lock:
            self._selector.register(pipe, selectors.EVENT_READ, (log, ended))
        self._ring()
        return ended

    def close(self) -> None:
        """End the thread, having carried what is there already."""
        self._is_closing = True
        self._ring()
        self._thread.join()
        os.close(self._button)

    def _ring(self) -> None:
        os.write(self._button, b"!")

    def _run(self) -> None:
        while not self._is_closing:
            self._turn(timeout=None)
        self._turn(timeout=0)
        for key in list(self._selector.get_map().values()):
            os.close(key.fd)
        self._selector.close()

    def _turn(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            try:
                piece = os.read(key.fd, _PIECE_BYTES)
            except BlockingIOError:
                continue
            if key.data is None:
                continue
            log, ended = key.data
            if piece:
                log.append(piece)
            else:
                with self._lock:
                    self._selector.unregister(key.fd)
                os.close(key.fd)
                ended.set()
