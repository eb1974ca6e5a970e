"""gunicorn's worker as we need it: what cannot be shown from outside, because it needs a signal at one very moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from shared.web.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Return a worker that hands requests to threads, but has no sockets."""
    made = Worker.__new__(Worker)
    made.alive = True
    made.cfg = SimpleNamespace(worker_int=lambda _: None)
    with ThreadPoolExecutor(1) as made.tpool:
        yield made


@pytest.mark.timeout(10)
def test_a_signal_to_quit_is_obeyed_while_a_request_is_handed_to_a_thread(worker: Worker) -> None:
    # `submit` holds this lock, and the handler of the signal runs in its midst.
    with worker.tpool._shutdown_lock, pytest.raises(SystemExit) as ended:
        worker.handle_quit(signal.SIGQUIT, None)

    assert (ended.value.code, worker.alive) == (0, False)
