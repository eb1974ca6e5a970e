"""Pushes a bundle to the playground's server, on behalf of a verified principal.

The server takes a bundle at once and brings it up by itself, so a push is short. It is also idempotent: owner, solution,
revision and digest are one deployment, and whatever fails on the way may be tried again until the deadline.
"""

from __future__ import annotations

import time
from pathlib import Path

import structlog

from playground.deployer import answers
from playground.deployer.answers import Pushed
from playground.server.push_tokens import PushTokens
from shared import archive
from shared.bundle import Bundle
from shared.deadline import Deadline
from shared.errors import UnavailableError
from shared.fault import Fault
from shared.origin import Origin
from shared.peer import Peer
from shared.principal import Principal
from shared.web.limits import Gate

log = structlog.get_logger(__name__)

SERVER = "playground"
MOST_BYTES = 4 << 20
TRY_SECONDS = 10.0  # a crowd takes a few; a server that takes longer hangs, and another copy of it may be well
FIRST_PAUSE = 0.1
LONGEST_DOUBLING = 4  # 0.8 s: a server that comes back is found soon
CHECK_SECONDS = 2.0
WAIT_SECONDS = 2.0  # for one's turn: a class of fifty presses the same button at once


class Pusher:
    """Speaks to one server; safe to use from many threads."""

    def __init__(
        self, server: Origin, tokens: PushTokens, *, seconds: float, parallel: int, ca_file: Path | None = None
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            server: its base URL.
            tokens: made for each try anew, so that none is presented twice.
            seconds: for all tries of a push.
            parallel: pushes at once; more wait a moment and are refused then, so that threads are left for health.
            ca_file: authorities (PEM) that may vouch for it, in place of the public ones.
        """
        self._peer = Peer(SERVER, server, ca_file=ca_file, connections=parallel)
        self._tokens = tokens
        self._seconds = seconds
        self._gate = Gate(parallel, wait_seconds=WAIT_SECONDS)

    def push(self, bundle: Bundle, principal: Principal) -> Pushed:
        """Have the bundle deployed for `principal`; return as soon as the server has taken it.

        Raises:
            InvalidSolutionError: the playground does not run this, with findings.
            ConflictError, RateLimitedError, TooLargeError: as the server says.
            UpstreamError: it misbehaves, or is away until the deadline; then UpstreamTimeoutError where it hangs.
            UnavailableError: too many pushes are under way.
        """
        body = archive.write(bundle.sealed)
        with self._gate.passed():
            return self._pushed(body, principal, Deadline.after(self._seconds))

    def check(self) -> None:
        """Return when the server takes bundles.

        Raises:
            UnavailableError: it does not.
        """
        deadline = Deadline.after(CHECK_SECONDS)
        try:
            answer = self._peer.send("GET", "readyz", headers={}, deadline=deadline, most_bytes=MOST_BYTES)
        except Fault as problem:
            raise UnavailableError(f"{SERVER}: {problem}") from problem
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise UnavailableError(f"{SERVER}: not ready")

    def close(self) -> None:
        """Close the idle connections."""
        self._peer.close()

    def _pushed(self, body: bytes, principal: Principal, deadline: Deadline) -> Pushed:
        tried = 0
        while True:
            tried += 1
            try:
                return self._try(body, principal, deadline.sooner(TRY_SECONDS))
            except Fault as problem:
                pause = problem.pause(min(tried, LONGEST_DOUBLING), first=FIRST_PAUSE)
                is_last = not problem.may_be_retried or pause >= deadline.remaining
                log.warning("push_failed", cause=problem.cause, tried=tried, is_last=is_last)
                if is_last:
                    raise problem.error(SERVER) from problem
            time.sleep(pause)

    def _try(self, body: bytes, principal: Principal, deadline: Deadline) -> Pushed:
        headers = {
            "Authorization": f"Bearer {self._tokens.make(principal.id, body)}",
            "Content-Type": "application/zip",
            "Accept": "application/json",
        }
        answer = self._peer.send(
            "POST", "v1/deployments", headers=headers, deadline=deadline, most_bytes=MOST_BYTES, body=body
        )
        return answers.read(answer)
