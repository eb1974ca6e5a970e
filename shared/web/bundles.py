"""The routes that every deployer has: `POST /v1/bundles` and `GET /v1/deployer`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response

from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.persistence.interface import Persistence
from shared.principal import Principal
from shared.web.authentication import Authenticator
from shared.web.settings import WebSettings

Deliver = Callable[[Bundle, Principal], Response]
"""Turns a finished bundle into the answer: a download, or 202 with a Location where a deployer pushes."""


@dataclass(frozen=True)
class Service:
    """What a deployer's HTTP service is made of."""

    deployer: Deployer[Any]
    assets: Assets
    persistence: Persistence
    authenticator: Authenticator
    settings: WebSettings


def register(app: Flask, service: Service, *, deliver: Deliver) -> None:
    """Add the deployer's routes to `app`."""
    raise NotImplementedError
