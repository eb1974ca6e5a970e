"""A deployer's service around a deployer of two lines, so that tests see the HTTP edge and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, Response
from support import tokens

from shared import findings
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer, Images
from shared.errors import NotFoundError
from shared.findings import Findings
from shared.persistence.select import FolderPlace, PersistenceSettings
from shared.principal import Principal
from shared.solution import Ids, Solution, SolutionFiles
from shared.tokens import Verifier
from shared.web import deployer_service
from shared.web.bundles import Push
from shared.web.deployer_service import DeployerSettings
from shared.web.settings import BuildSettings, WebSettings


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the small deployer."""

    replicas: int = 1


def generate(solution: Solution, options: Options, assets: Assets) -> Bundle:
    """Return a bundle of two files, with a warning where it is asked for no replica."""
    files = {
        "solution.txt": f"{solution.name}\n".encode(),
        "replicas.txt": str(options.replicas).encode(),
        **assets.files,
    }
    warnings = [findings.warning("no-replicas", "options.replicas", expected="one", found="none")]
    return Bundle(
        "tiny", solution.name, files, ids=solution.ids, findings=Findings(tuple(warnings[: options.replicas < 1]))
    )


DEPLOYER = Deployer(
    name="tiny",
    title="Tiny",
    summary="For tests.",
    options=Options,
    generate=generate,
    load_files=lambda: {"readme.txt": b"hello\n"},
)


class Shelf:
    """Solutions in memory with an owner each; remembers what was asked, and can be made to fail or to wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[Ids, Principal]] = []
        self.failure: Exception | None = None
        self.gate: threading.Event | None = None
        self._files: dict[Ids, tuple[SolutionFiles, str]] = {}

    def put(self, solution_id: str, *, owner: str, image: str = "registry.example.org/sentiment:1") -> None:
        """Store a model as revision `r1`."""
        ids = Ids.parse(solution_id, "r1")
        proto = b'syntax = "proto3";\nmessage A {}\nservice S { rpc run(A) returns (A); }\n'
        self._files[ids] = (
            SolutionFiles(name="sentiment", model_image=image, protos={"sentiment": proto}, ids=ids),
            owner,
        )

    def load(self, ids: Ids, principal: Principal) -> SolutionFiles:
        """Return the files where they are the principal's, or everybody's."""
        self.asked.append((ids, principal))
        if self.gate:
            self.gate.wait(10)
        if self.failure:
            raise self.failure.with_traceback(None)  # it would grow with every request
        files, owner = self._files.get(ids, (None, ""))
        if files is None or owner not in {principal.id, "everybody"}:
            raise NotFoundError("there is no such revision")
        return files

    def check(self) -> None:
        """Fail when told to."""
        if self.failure:
            raise self.failure.with_traceback(None)  # it would grow with every request


def shelf() -> Shelf:
    """Return a shelf with `mine` (ada@example.org), `hers` (eve@example.org), `public`, and `broken` (no image)."""
    filled = Shelf()
    filled.put("mine", owner="ada@example.org")
    filled.put("hers", owner="eve@example.org")
    filled.put("public", owner="everybody")
    filled.put("broken", owner="ada@example.org", image="not an image")
    return filled


def push() -> Push:
    """Return a delivery that pushes nowhere, and says in its answers what it was given."""

    def place(bundle: Bundle, principal: Principal) -> str:
        return f"/v1/deployments/{principal.owner_hash}-{bundle.digest[:4]}"

    return Push(
        accept=lambda bundle, principal: Response(status=202, headers={"Location": place(bundle, principal)}),
        redirect=lambda bundle, principal: Response(status=302, headers={"Location": place(bundle, principal)}),
        accepted={"description": "Pushed."},
        check=lambda: None,
    )


def build_settings(**changes: Any) -> BuildSettings:
    """Return settings without a rate limit."""
    return BuildSettings(**{"requests_per_minute": 0, **changes})


def create(
    persistence: Shelf | None = None,
    *,
    now: Callable[[], float] = lambda: tokens.NOW,
    deployer: Deployer[Any] = DEPLOYER,
    token_settings: Mapping[str, Any] | None = None,
    web: WebSettings | None = None,
    push: Push | None = None,
    **builds: Any,
) -> Flask:
    """Return the application; `builds` are fields of `BuildSettings`."""
    chosen = DeployerSettings(
        tokens=tokens.settings(**(token_settings or {})),
        persistence=PersistenceSettings(FolderPlace(Path("unused"))),
        images=Images(orchestrator="registry.example.org/orchestrator:1"),
        builds=build_settings(**builds),
        web=web or WebSettings(),
    )
    return deployer_service.create(
        deployer,
        chosen,
        import_name=__name__,
        persistence=persistence or shelf(),
        verifier=Verifier(chosen.tokens, now=now),
        push=push,
    )


def bearer(text: str | None = None) -> dict[str, str]:
    """Return the header of a good token, or of the one given."""
    return {"Authorization": f"Bearer {tokens.token() if text is None else text}"}


def wait_until(is_true: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Return whether it became true in time."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
