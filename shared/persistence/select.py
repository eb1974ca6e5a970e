"""Which persistence a service uses, as its environment says, and how to open it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InvalidRequestError, SettingsError
from shared.origin import Origin
from shared.persistence.access import Access
from shared.persistence.interface import Persistence
from shared.persistence.store import checked_key
from shared.settings import Secret, one_of, setting

if TYPE_CHECKING:
    from shared.persistence.stored import StoredSolutions

_FORM = "expected acumos:URL, s3://bucket/prefix or folder:PATH"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class AcumosPlace:
    """A marketplace, by the base URL of its common data service."""

    cds_url: str


@dataclass(frozen=True, slots=True)
class S3Place:
    """Below a prefix of a bucket."""

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """Below a folder."""

    root: Path


Place = AcumosPlace | S3Place | FolderPlace


def place(text: str) -> Place:
    """Read `SLIPWAY_PERSISTENCE`."""
    kind, _, rest = text.partition(":")
    if kind == "acumos":
        return AcumosPlace(url(rest))
    if kind == "s3" and rest.startswith("//"):
        bucket, _, prefix = rest.removeprefix("//").rstrip("/").partition("/")
        if _BUCKET.fullmatch(bucket) and _is_prefix(prefix):
            return S3Place(bucket, prefix)
    if kind == "folder" and rest:
        return FolderPlace(Path(rest).expanduser())
    raise ValueError(_FORM)


def _is_prefix(text: str) -> bool:
    try:
        return text in {"", checked_key(text or "root")}
    except InvalidRequestError:
        return False


def file(text: str) -> Path:
    """Read the path of a file that must be there."""
    if not Path(text).is_file():
        raise ValueError("expected the path of a file")
    return Path(text)


def url(text: str) -> str:
    """Read a base URL; its scheme decides whether the way to it is encrypted."""
    return Origin.parse(text).base


@dataclass(frozen=True)
class PersistenceSettings:
    """Everything about the persistence that the environment may say."""

    place: Place = setting(  # noqa: RUF009 - `setting` declares a field
        "SLIPWAY_PERSISTENCE",
        "Where solutions come from: `acumos:URL` (of the common data service, with `/ccds`), `s3://bucket/prefix` or `folder:PATH`.",
        parse=place,
    )
    cds_user: str = setting("SLIPWAY_CDS_USER", "User for the common data service (HTTP basic).", default="")
    cds_password: Secret | None = setting("SLIPWAY_CDS_PASSWORD", "Password of that user.", parse=Secret, default=None)  # noqa: RUF009 - `setting` declares a field
    nexus_url: str = setting(
        "SLIPWAY_NEXUS_URL",
        "Repository that artifact uris are relative to; required with `acumos:`.",
        parse=url,
        default="",
    )
    nexus_user: str = setting("SLIPWAY_NEXUS_USER", "User for Nexus (HTTP basic).", default="")
    nexus_password: Secret | None = setting(  # noqa: RUF009 - `setting` declares a field
        "SLIPWAY_NEXUS_PASSWORD", "Password of that user.", parse=Secret, default=None
    )
    access: Access = setting(  # noqa: RUF009 - `setting` declares a field
        "SLIPWAY_PERSISTENCE_ACCESS",
        "With `acumos:`: `check` asks CDS for owner and public catalogs; `portal` trusts that a portal has done so.",
        parse=one_of("check", "portal"),
        default="check",
    )
    s3_endpoint: str = setting(
        "SLIPWAY_S3_ENDPOINT", "URL of an S3 service of your own, asked by path.", parse=url, default=""
    )
    ca_file: Path | None = setting(  # noqa: RUF009 - `setting` declares a field
        "SLIPWAY_CA_FILE",
        "File with the authorities (PEM) that may vouch for these services, in place of the public ones.",
        parse=file,
        default=None,
    )

    def __post_init__(self) -> None:
        if isinstance(self.place, AcumosPlace) and not self.nexus_url:
            raise SettingsError("SLIPWAY_NEXUS_URL: required with SLIPWAY_PERSISTENCE=acumos:URL")
        for service, user, password in (
            ("CDS", self.cds_user, self.cds_password),
            ("NEXUS", self.nexus_user, self.nexus_password),
        ):
            if bool(user) != bool(password):
                raise SettingsError(f"SLIPWAY_{service}_USER, SLIPWAY_{service}_PASSWORD: expected both or neither")


def open_persistence(settings: PersistenceSettings) -> Persistence:
    """Return the persistence that the settings name. Nothing is sent yet; it lives as long as the process."""
    if not isinstance(settings.place, AcumosPlace):
        return open_stored(settings)
    # Each kind imports what only it needs: the command line starts without an HTTP client when it needs none.
    from shared.outbound import Upstream  # noqa: PLC0415
    from shared.persistence.acumos import AcumosPersistence  # noqa: PLC0415

    cds = Upstream(
        "cds",
        settings.place.cds_url,
        credentials=_credentials(settings.cds_user, settings.cds_password),
        ca_file=settings.ca_file,
    )
    nexus = Upstream(
        "nexus",
        settings.nexus_url,
        credentials=_credentials(settings.nexus_user, settings.nexus_password),
        ca_file=settings.ca_file,
    )
    return AcumosPersistence(cds, nexus, access=settings.access)


def open_stored(settings: PersistenceSettings) -> StoredSolutions:
    """Return the persistence that the settings name, for a service that writes to it.

    Raises:
        SettingsError: it is a marketplace, which only its own portal writes to.
    """
    from shared.persistence.stored import StoredSolutions  # noqa: PLC0415

    if isinstance(settings.place, FolderPlace):
        from shared.persistence.folder import FolderStore  # noqa: PLC0415

        return StoredSolutions(FolderStore(settings.place.root))
    if isinstance(settings.place, S3Place):
        from shared.persistence.s3 import S3Store  # noqa: PLC0415

        endpoint_url = settings.s3_endpoint.rstrip("/") or None
        return StoredSolutions(
            S3Store(settings.place.bucket, settings.place.prefix, endpoint_url=endpoint_url, ca_file=settings.ca_file)
        )
    raise SettingsError("SLIPWAY_PERSISTENCE: expected s3://bucket/prefix or folder:PATH, found a marketplace")


def _credentials(user: str, password: Secret | None) -> tuple[str, Secret] | None:
    return (user, password) if user and password else None
