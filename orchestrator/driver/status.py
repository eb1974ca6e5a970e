"""`slipway-driver report`: says how a workflow ended, to the log, a file or somebody who listens over HTTP."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
import structlog

from orchestrator.settings import Settings
from shared.errors import InvalidRequestError, UpstreamError

_LOG = structlog.get_logger()
_SECONDS = 10.0
_LONGEST_STATUS = 4096


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Write or send `{"name", "status", "time"}`.

    Raises:
        UpstreamError: who listens does not take it.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"name": arguments.name, "status": arguments.status[:_LONGEST_STATUS], "time": now}
    _LOG.info("reported", **told)
    if arguments.to is None:
        return 0
    if urlsplit(arguments.to).scheme in {"http", "https"}:
        send(arguments.to, told)
        return 0
    try:
        Path(arguments.to).write_text(json.dumps(told) + "\n", encoding="utf-8")
    except OSError as problem:
        raise InvalidRequestError(f"--to: expected a file that can be written: {problem.strerror}") from problem
    return 0


def send(url: str, told: dict[str, str]) -> None:
    """Post the report as JSON; redirects are not followed, and neither proxies nor .netrc of the environment used."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(url, json=told, timeout=_SECONDS, allow_redirects=False)
        except requests.RequestException as problem:
            raise UpstreamError("--to", f"does not answer: {type(problem).__name__}") from problem
    if not answer.ok or answer.is_redirect:
        raise UpstreamError("--to", f"expected an answer of 200 to 299, found {answer.status_code}")
