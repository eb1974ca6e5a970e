"""Remembers which one-time codes were used, for all copies of the server: an object each in the server's own namespace.

The API server makes an object of a name once, whoever asks at the same time. A code's object says until when it counts;
whoever spends one clears away those that no longer do, so that no clock and no leader is needed for it.

Signatures for the writing half: Codes(client, namespace=<the server's own>, installation=…).spend(code_id, seconds) -> bool
(as `SpendsCodes`). It needs `create`, `list` and `delete` of configmaps in that namespace, and nothing else.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx2
from lightkube import ApiError, Client
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap

from playground.runtime.kubernetes import words
from shared.errors import UnavailableError

UNTIL = "slipway.dev/until"
"""Annotation on a code: seconds since the epoch."""
_TIDY_SECONDS = 60.0
_PAGE = 500
_CODE_ID = re.compile(r"[0-9a-f]{32}")


class Codes:
    """See the module. Its methods may be called from many threads."""

    def __init__(
        self, client: Client, *, namespace: str, installation: str, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._labels = {words.INSTALLATION: installation, words.PART: words.CODE}
        self._now = now
        self._lock = threading.Lock()
        self._next_tidy = 0.0

    def spend(self, code_id: str, seconds: float) -> bool:
        """Return True the first time a code is named, by whichever copy, and False ever after.

        Raises:
            UnavailableError: the cluster cannot tell now, so nobody may come in.
        """
        if not _CODE_ID.fullmatch(code_id):
            return False
        until = self._now() + seconds
        metadata = ObjectMeta(
            name=f"code-{code_id}", namespace=self._namespace, labels=self._labels, annotations={UNTIL: f"{until:.0f}"}
        )
        try:
            self._client.create(ConfigMap(metadata=metadata, immutable=True))
        except ApiError as problem:
            if problem.status.reason == "AlreadyExists":
                return False
            raise UnavailableError("one-time codes cannot be accepted at present") from problem
        except httpx2.HTTPError as problem:
            raise UnavailableError("one-time codes cannot be accepted at present") from problem
        self._tidy()
        return True

    def _tidy(self) -> None:
        with self._lock:
            if self._now() < self._next_tidy:
                return
            self._next_tidy = self._now() + _TIDY_SECONDS
        # What is left is cleared away with the next code.
        with suppress(httpx2.HTTPError):
            for code in self._client.list(
                ConfigMap, namespace=self._namespace, labels=dict(self._labels), chunk_size=_PAGE
            ):
                if code.metadata and code.metadata.name and self._is_over((code.metadata.annotations or {}).get(UNTIL)):
                    self._client.delete(ConfigMap, code.metadata.name, namespace=self._namespace)

    def _is_over(self, until: str | None) -> bool:
        return until is not None and until.isdigit() and int(until) < self._now()
