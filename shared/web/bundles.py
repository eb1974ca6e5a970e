"""The routes that every deployer has: `POST /v1/bundles` and `GET /v1/deployer`.

A view reads the request, calls the deployer, and hands the bundle to `deliver`: a download here, a push elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from flask import Flask, Request, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from shared import archive
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.errors import InvalidRequestError
from shared.persistence.interface import Persistence
from shared.principal import Principal
from shared.solution import Ids
from shared.web.authentication import Authenticator
from shared.web.limits import WAIT_SECONDS, Gate, RateLimit
from shared.web.settings import BuildSettings

Deliver = Callable[[Bundle, Principal], Response]
"""Turns a finished bundle, made for a principal, into the answer."""

FILE_NAME = "solution.zip"


@dataclass(frozen=True, slots=True)
class Push:
    """How a deployer delivers that hands its bundles to another service; without one they are downloaded."""

    accept: Deliver
    """Answers `POST /v1/bundles`: 202, with where to watch."""
    redirect: Deliver
    """Answers Graphene's `/deploy`, which is a link: 302 to the page of what was made."""
    accepted: Mapping[str, Any]
    """The OpenAPI object of the former answer."""
    check: Callable[[], None]
    """For `/readyz`: raises a SlipwayError while the service takes no bundles."""
    wait_seconds: float = WAIT_SECONDS
    """How long a request waits for its turn: whoever pushes a button would rather wait than push it again."""


class BundleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/bundles`."""

    solution_id: str = msgspec.field(name="solutionId")
    revision_id: str = msgspec.field(name="revisionId")
    options: dict[str, Any] = {}


_BODY = msgspec.json.Decoder(BundleRequest)


@dataclass(frozen=True)
class Builds:
    """Builds bundles for callers: what `POST /v1/bundles` and Graphene's routes have in common."""

    deployer: Deployer[Any]
    assets: Assets
    persistence: Persistence
    rate: RateLimit
    gate: Gate

    @classmethod
    def limited(
        cls,
        deployer: Deployer[Any],
        *,
        assets: Assets,
        persistence: Persistence,
        settings: BuildSettings,
        wait_seconds: float = WAIT_SECONDS,
    ) -> Builds:
        """Return builds with the limits of `settings`; what is too much at once waits so long for its turn."""
        rate = RateLimit(settings.requests_per_minute)
        gate = Gate(settings.concurrent_builds, wait_seconds=wait_seconds)
        return cls(deployer, assets, persistence, rate, gate)

    def build(self, ids: Ids, options: Mapping[str, Any], principal: Principal, *, caller: str) -> Bundle:
        """Load, model and generate.

        Args:
            ids: which revision.
            options: as the caller gave them.
            principal: on whose behalf.
            caller: who pays for it in the rate limit.

        Raises:
            SlipwayError: as the parts raise it.
        """
        self.rate.take(caller)
        structlog.contextvars.bind_contextvars(solution_id=ids.solution_id, revision_id=ids.revision_id)
        chosen = self.deployer.parse_options(options)
        with self.gate.passed():
            return self.deployer.build(self.persistence.load(ids, principal), chosen, self.assets)


def register(app: Flask, builds: Builds, authenticator: Authenticator, *, deliver: Deliver) -> None:
    """Add the deployer's routes to `app`."""
    deployer = builds.deployer
    about = {
        "name": deployer.name,
        "title": deployer.title,
        "summary": deployer.summary,
        "options": deployer.schema,
    }
    description = json.dumps(about).encode()

    @app.post("/v1/bundles")
    def make_bundle() -> Response:
        principal = authenticator.caller(request)
        wanted = read_body(request)
        ids = Ids.parse(wanted.solution_id, wanted.revision_id)
        return deliver(builds.build(ids, wanted.options, principal, caller=principal.id), principal)

    @app.get("/v1/deployer")
    def describe_deployer() -> Response:
        authenticator.caller(request)
        return Response(description, content_type="application/json")


def read_body(request: Request) -> BundleRequest:
    """Return the body of `POST /v1/bundles`.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        InvalidRequestError: it is not the JSON object that we expect; unknown fields are refused.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return _BODY.decode(request.get_data(cache=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        detail = str(problem) if isinstance(problem, msgspec.DecodeError) else "expected plain UTF-8 JSON"
        raise InvalidRequestError(f"body: {detail[:200]}") from problem


def download(bundle: Bundle, principal: Principal) -> Response:
    """Deliver a bundle as `solution.zip` in the answer."""
    del principal
    return zipped(bundle, content_type="application/zip")


def zipped(bundle: Bundle, *, content_type: str) -> Response:
    """Return an answer whose body is the bundle's zip."""
    response = Response(archive.write(bundle.sealed), content_type=content_type)
    headers = response.headers
    # One fixed name: a name made of a stranger's text would have to be quoted for every browser.
    headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    headers["Slipway-Findings"] = bundle.findings.header
    headers["Slipway-Bundle-Digest"] = bundle.digest
    return response
