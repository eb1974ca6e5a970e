"""Zips as bodies of requests that schemathesis generates: what JSON Schema can say of a zip is nothing.

It knows one serializer per media type in a process, so all modules of tests share this one and say what they send.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

with warnings.catch_warnings():
    # Its dependencies announce deprecations while they are imported.
    warnings.simplefilter("ignore")
    import schemathesis

_sent: ContextVar[bytes] = ContextVar("sent")


@schemathesis.serializer("application/zip")
def as_said(_context: Any, _value: Any) -> bytes:
    """Send the zip of `sending` in place of a generated text."""
    return _sent.get()


@contextmanager
def sending(content: bytes) -> Iterator[None]:
    """Let every generated request that has a zip for its body have this one."""
    token = _sent.set(content)
    try:
        yield
    finally:
        _sent.reset(token)
