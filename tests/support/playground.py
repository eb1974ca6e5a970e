"""The playground's server for tests: its settings, callers, bundles of our samples, and runtimes to stand behind it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from support.bundles import built, sample_options
from support.solutions import ROOT, read
from werkzeug.test import TestResponse

from playground.proxy.settings import UiSettings
from playground.runtime.interface import Runtime
from playground.runtime.process.opening import opened
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.settings import PlaygroundWebSettings, ProcessPlace, Settings
from shared import archive
from shared.bundle import Bundle
from shared.errors import NotFoundError
from shared.settings import Secret
from shared.solution import Ids, RevisionId, SolutionId
from shared.tokens import TokenSettings, development_token
from shared.web.settings import OidcSettings, SessionSettings

SECRET = "a secret that is long enough for every single test"
KEY = "another secret, which deployer and playground share"
ADA, EVE, OPERATOR = "ada@example.org", "eve@example.org", "root@example.org"
ZIP = {"Content-Type": "application/zip"}


def settings(folder: Path, **changes: Any) -> Settings:
    """Return settings for a server whose runtime lies in `folder`; nothing is limited but streams."""
    return Settings(
        **{
            "runtime": ProcessPlace(folder),
            "tokens": TokenSettings(secret=Secret(SECRET), operators=(OPERATOR,)),
            "sessions": SessionSettings(key=Secret(SECRET), spent_folder=str(folder / "spent")),
            "oidc": OidcSettings(),
            "web": PlaygroundWebSettings(),
            "web_uis": UiSettings(),
            "key": Secret(KEY),
            "changes_per_minute": 0,
            "requests_per_minute": 0,
            **changes,
        }
    )


def token(principal: str = ADA) -> str:
    """Return a token that is valid for an hour."""
    return development_token(SECRET.encode(), principal=principal, now=time.time(), lifetime=3600)


def bearer(principal: str = ADA) -> dict[str, str]:
    """Return the header of a caller."""
    return {"Authorization": f"Bearer {token(principal)}"}


def bundle(sample: str = "sensor-stream", *, revision: str = "1", **variables: object) -> Bundle:
    """Return a sample's bundle; `variables` are told to all of its nodes."""
    ids = Ids(SolutionId(sample), RevisionId(revision))
    told = {"environment": {name: str(value) for name, value in variables.items()}} if variables else {}
    return built(read(ROOT / "samples" / sample, ids=ids), sample_options(sample) | told)


@cache
def zipped(sample: str = "sensor-stream", *, revision: str = "1", **variables: object) -> bytes:
    """Return the zip of a sample's bundle."""
    return archive.write(bundle(sample, revision=revision, **variables).sealed)


def push(client: FlaskClient, data: bytes | None = None, principal: str = ADA) -> TestResponse:
    """Push a bundle with the principal's own token."""
    return client.post("/v1/deployments", data=data or zipped(), headers={**bearer(principal), **ZIP})


def session(client: FlaskClient, principal: str = ADA) -> str:
    """Begin a browser session in the client, and return what its unsafe requests must bring."""
    from playground.server.app import NAME  # noqa: PLC0415 - most tests need no application of their own
    from shared.web.sessions import Sessions  # noqa: PLC0415

    assert client.post("/session", headers=bearer(principal)).status_code == 204
    cookie = client.get_cookie(f"slipway-{NAME}", domain="localhost")
    assert cookie is not None
    sessions = Sessions(NAME, SessionSettings(key=Secret(SECRET)))
    with client.application.test_request_context(headers={"Cookie": f"slipway-{NAME}={cookie.value}"}) as context:
        found = sessions.read(context.request)
    assert found is not None
    return found.csrf


def table(folder: Path) -> None:
    """Put the nodes of our samples together, and write the table that says how to run them."""
    subprocess.run([sys.executable, str(ROOT / "samples" / "table.py"), str(folder)], check=True, timeout=60)


def runtime(source: Path, folder: Path, **limits: int) -> ProcessRuntime:
    """Open a real runtime with the table of `source`; `running=0` takes bundles and starts nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    made = json.loads((source / "images.json").read_bytes())
    (folder / "images.json").write_text(json.dumps(made | {"limits": limits}))
    if not (folder / "nodes").exists():
        (folder / "nodes").symlink_to(source / "nodes")
    return opened(folder)


class Failing:
    """A runtime some of whose methods raise what no real runtime raises on demand; all others are the real one's."""

    def __init__(self, real: Runtime, **failures: Exception) -> None:
        self.real = real
        self.failures = dict(failures)

    def __getattr__(self, name: str) -> Any:
        failure = self.failures.get(name)
        if failure is None:
            return getattr(self.real, name)

        def fail(*_args: Any, **_kwargs: Any) -> Any:
            raise failure.with_traceback(None)

        return fail


def emptied(made: ProcessRuntime) -> None:
    """Delete everything in a runtime, and wait until it is gone."""
    for deployment in made.all():
        with suppress(NotFoundError):  # one that the test deleted may be gone since it was listed
            made.delete(deployment.id)
    end = time.monotonic() + 30
    while made.all():
        assert time.monotonic() < end
        time.sleep(0.01)
