"""What the catalog reads from its environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shared.origin import Origin
from shared.persistence import select
from shared.persistence.select import AcumosPlace, FolderPlace, S3Place
from shared.settings import Secret, integer, section, setting, words
from shared.tokens import TokenSettings
from shared.web.settings import SessionSettings, WebSettings

MIN_PASSWORD_BYTES = 16  # whoever has it reads every solution, and nothing slows guessing down
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class DeployerPlace:
    """A deployer and where it answers."""

    name: str
    url: str


def _store(text: str) -> FolderPlace | S3Place:
    form = "expected s3://bucket/prefix or folder:PATH"
    try:
        place = select.place(text)
    except ValueError as problem:
        raise ValueError(form) from problem
    if isinstance(place, AcumosPlace):
        raise ValueError(form)  # noqa: TRY004 - the value is at fault
    return place


def _password(text: str) -> Secret:
    if len(text.encode()) < MIN_PASSWORD_BYTES:
        raise ValueError(f"expected at least {MIN_PASSWORD_BYTES} bytes")
    return Secret(text)


def _user(text: str) -> str:
    if ":" in text or not text.isprintable():
        raise ValueError("expected a name without a colon, which HTTP basic cannot carry")
    return text


def _deployers(text: str) -> tuple[DeployerPlace, ...]:
    """Read `name=url,name=url`."""
    places = []
    for word in words(text):
        name, _, url = word.partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError("expected name=url,name=url with names such as kubernetes-client")
        places.append(DeployerPlace(name, Origin.parse(url).base))
    if len({place.name for place in places}) != len(places):
        raise ValueError("expected each name once")
    return tuple(places)


def _playgrounds(text: str) -> tuple[Origin, ...]:
    return tuple(Origin.parse(word) for word in words(text))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by what needs them."""

    store: FolderPlace | S3Place = setting(
        "SLIPWAY_CATALOG_STORE", "Where solutions are kept: `folder:PATH` or `s3://bucket/prefix`.", parse=_store
    )
    cds_user: str = setting(
        "SLIPWAY_CATALOG_CDS_USER", "User that deployers present on `/ccds` and `/nexus` (HTTP basic).", parse=_user
    )
    cds_password: Secret = setting(
        "SLIPWAY_CATALOG_CDS_PASSWORD",
        "Password of that user; at least 16 bytes. Whoever has it reads every solution.",
        parse=_password,
    )
    tokens: TokenSettings = section(TokenSettings)
    sessions: SessionSettings = section(SessionSettings)
    web: WebSettings = section(WebSettings)
    deployers: tuple[DeployerPlace, ...] = setting(
        "SLIPWAY_CATALOG_DEPLOYERS",
        "Deployers that the page offers, as `name=url,name=url`; they must trust the same `SLIPWAY_JWT_SECRET`.",
        parse=_deployers,
        default=(),
    )
    playgrounds: tuple[Origin, ...] = setting(
        "SLIPWAY_CATALOG_PLAYGROUNDS",
        "Base URLs of playgrounds, as browsers reach them, separated by commas: where a deployer has pushed to one of "
        "them, the page links there; it links nowhere else.",
        parse=_playgrounds,
        default=(),
    )
    changes_per_minute: int = setting(
        "SLIPWAY_CATALOG_CHANGES_PER_MINUTE",
        "Uploads and downloads that one principal may ask of one worker process per minute; `0` for no limit.",
        parse=integer(least=0, most=1_000_000),
        default=60,
    )
    s3_endpoint: str = setting(
        "SLIPWAY_S3_ENDPOINT", "URL of an S3 service of your own, asked by path.", parse=select.url, default=""
    )
    ca_file: Path | None = setting(
        "SLIPWAY_CA_FILE",
        "File with the authorities (PEM) that may vouch for S3 and the deployers, in place of the public ones.",
        parse=select.file,
        default=None,
    )
