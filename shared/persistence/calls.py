"""Calls that do not depend on each other, made at the same time by one bounded pool of threads.

All calls of one load form a batch: nobody waits for one past its deadline, whatever holds it up, and when the batch
ends, those that have not begun never will.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from shared.deadline import Deadline
from shared.errors import SlipwayError, UpstreamTimeoutError

P = ParamSpec("P")
T = TypeVar("T")

GRACE = 0.2  # seconds that a call may take to notice a deadline itself, which gives the better message


class Batch:
    """The calls of one load, for the thread that owns it."""

    def __init__(self, service: str, threads: ThreadPoolExecutor, deadline: Deadline) -> None:
        self._service = service
        self._threads = threads
        self._futures: list[Future[object]] = []
        self.deadline = deadline

    def start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Make a call in a thread of the pool, with the context of this one: the request id goes along."""
        context = contextvars.copy_context()
        future = self._threads.submit(lambda: context.run(call, *args, **kwargs))
        self._futures.append(future)  # type: ignore[arg-type] # kept to be cancelled only
        return future

    def result(self, future: Future[T], *, by: Deadline | None = None) -> T:
        """Wait for a call, no longer than the deadline (or an earlier one), and return what it returns.

        Raises:
            SlipwayError: what the call raised; UpstreamTimeoutError when it did not end in time.
        """
        try:
            return future.result((by or self.deadline).remaining + GRACE)
        except TimeoutError as problem:
            raise UpstreamTimeoutError(self._service, "timeout: a call did not end in time") from problem

    def settled(self, future: Future[T]) -> T | None:
        """Wait for a call; None when it failed, and its error then waits for `result`."""
        try:
            return self.result(future)
        except SlipwayError:
            return None

    def cancel(self) -> None:
        """Drop the calls that have not begun."""
        for future in self._futures:
            future.cancel()


class Calls:
    """The pool; shared by all loads of one persistence."""

    def __init__(self, service: str, *, threads: int) -> None:
        self._service = service
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"{service}-call")

    @contextmanager
    def batch(self, deadline: Deadline) -> Iterator[Batch]:
        """Open the batch of one load."""
        batch = Batch(self._service, self._threads, deadline)
        try:
            yield batch
        finally:
            batch.cancel()

    def close(self) -> None:
        """Wait for the running calls, which obey their deadlines, and free the threads."""
        self._threads.shutdown(cancel_futures=True)
