"""What the playground's server reads from its environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playground.proxy.settings import UiSettings
from shared.origin import Origin
from shared.persistence import select
from shared.settings import Secret, integer, section, setting, words
from shared.tokens import TokenSettings
from shared.web.settings import MIB, OidcSettings, SessionSettings, WebSettings

MIN_KEY_BYTES = 32
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_CALLER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """Deployments run as processes of this machine; what they need lies in a folder."""

    folder: Path


@dataclass(frozen=True, slots=True)
class KubernetesPlace:
    """Deployments run in the cluster that the environment leads to."""


@dataclass(frozen=True, slots=True)
class DeployCaller:
    """Who may use Graphene's `POST /deploy_solution`, and for whom."""

    name: str
    domains: tuple[str, ...]
    """The part behind `@` of the users that this caller may name; lower case."""
    secret: Secret


def _runtime(text: str) -> ProcessPlace | KubernetesPlace:
    kind, _, rest = text.partition(":")
    if kind == "process" and rest:
        return ProcessPlace(Path(rest).absolute())
    if text == "kubernetes":
        return KubernetesPlace()
    raise ValueError("expected process:DIR or kubernetes")


def _key(text: str) -> Secret:
    if len(text.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"expected at least {MIN_KEY_BYTES} bytes of random text")
    return Secret(text)


def _callers(text: str) -> tuple[DeployCaller, ...]:
    """Read `name:domain,domain:secret`, separated by `;` or line ends."""
    callers = tuple(_caller(part.strip()) for part in re.split(r"[;\n]", text) if part.strip())
    if len({caller.name for caller in callers}) != len(callers):
        raise ValueError("expected each name once")
    return callers


def _caller(text: str) -> DeployCaller:
    name, _, rest = text.partition(":")
    listed, _, secret = rest.partition(":")
    domains = tuple(word.lower() for word in words(listed))
    if not _CALLER_NAME.fullmatch(name) or not domains or not all(map(_DOMAIN.fullmatch, domains)):
        raise ValueError("expected name:domain,domain:secret, such as portal:example.org:SECRET")
    return DeployCaller(name, domains, _key(secret))


def _origins(text: str) -> tuple[Origin, ...]:
    return tuple(Origin.parse(word) for word in words(text))


@dataclass(frozen=True, slots=True)
class PlaygroundWebSettings(WebSettings):
    """The same with other defaults: whoever watches holds a thread, and state in memory wants one process."""

    workers: int = setting(
        "SLIPWAY_WORKERS",
        "Worker processes; exactly one with the process runtime.",
        parse=integer(least=1, most=64),
        default=1,
    )
    threads: int = setting(
        "SLIPWAY_THREADS",
        "Threads per worker; a quarter of them, at least two, is kept from streams.",
        parse=integer(least=4, most=64),
        default=64,
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by what needs them."""

    runtime: ProcessPlace | KubernetesPlace = setting(
        "SLIPWAY_PLAYGROUND_RUNTIME",
        "Where deployments run: `process:DIR` (this machine, for a first try) or `kubernetes`.",
        parse=_runtime,
    )
    tokens: TokenSettings = section(TokenSettings)
    sessions: SessionSettings = section(SessionSettings)
    oidc: OidcSettings = section(OidcSettings)
    web: PlaygroundWebSettings = section(PlaygroundWebSettings)
    web_uis: UiSettings = section(UiSettings)
    key: Secret | None = setting(
        "SLIPWAY_PLAYGROUND_KEY",
        "Signs the pushes of the playground deployer, which has the same; at least 32 bytes. Unset: people push with "
        "their own tokens only.",
        parse=_key,
        default=None,
    )
    deploy_solution_callers: tuple[DeployCaller, ...] = setting(
        "SLIPWAY_PLAYGROUND_DEPLOY_SOLUTION_CALLERS",
        "Turns on Graphene's `POST /deploy_solution` for these callers, as `name:domain,domain:secret;…`: a bearer "
        "secret of at least 32 bytes, and the e-mail domains of the users that the caller may name.",
        parse=_callers,
        default=(),
    )
    name: str = setting(
        "SLIPWAY_PLAYGROUND_NAME", "What the playground calls itself in execution data.", default="slipway-playground"
    )
    sleep_after_minutes: int = setting(
        "SLIPWAY_PLAYGROUND_SLEEP_AFTER_MINUTES",
        "Minutes without use after which a deployment falls asleep, all data kept; `0` for never.",
        parse=integer(least=0, most=525_600),
        default=720,
    )
    delete_after_days: int = setting(
        "SLIPWAY_PLAYGROUND_DELETE_AFTER_DAYS",
        "Days without use after which a deployment that has no shared folder is deleted; `0` for never.",
        parse=integer(least=0, most=3650),
        default=0,
    )
    changes_per_minute: int = setting(
        "SLIPWAY_PLAYGROUND_CHANGES_PER_MINUTE",
        "Changes that one principal may ask of one worker process per minute; `0` for no limit.",
        parse=integer(least=0, most=1_000_000),
        default=60,
    )
    requests_per_minute: int = setting(
        "SLIPWAY_PLAYGROUND_REQUESTS_PER_MINUTE",
        "Requests that one principal may make of one worker process per minute; `0` for no limit.",
        parse=integer(least=0, most=1_000_000),
        default=1200,
    )
    streams_per_principal: int = setting(
        "SLIPWAY_PLAYGROUND_STREAMS_PER_USER",
        "Events, logs and other streams that one principal may hold open at one worker process.",
        parse=integer(least=1, most=64),
        default=12,
    )
    most_file_bytes: int = setting(
        "SLIPWAY_PLAYGROUND_MOST_FILE_BYTES",
        "Largest file that may be put into a shared folder through the server, in bytes.",
        parse=integer(least=1024, most=4096 * MIB),
        default=64 * MIB,
    )
    source_systems: tuple[Origin, ...] = setting(
        "SLIPWAY_PLAYGROUND_SOURCE_SYSTEMS",
        "Base URLs of the marketplaces that execution data may be sent to, separated by commas; none: it stays here.",
        parse=_origins,
        default=(),
    )
    ca_file: Path | None = setting(
        "SLIPWAY_CA_FILE",
        "File with the authorities (PEM) that may vouch for these marketplaces and for the OpenID provider, in place of "
        "the public ones.",
        parse=select.file,
        default=None,
    )

    def __post_init__(self) -> None:
        """Refuse what does not go together: ValueError that names the variables."""
        if isinstance(self.runtime, ProcessPlace) and self.web.workers != 1:
            raise ValueError("SLIPWAY_WORKERS: expected 1 with SLIPWAY_PLAYGROUND_RUNTIME=process:DIR")
        self.oidc.check(self.tokens)
        if self.deploy_solution_callers and self.tokens.principal != "graphene":
            # These callers name users by their e-mail, which is nobody's identity elsewhere.
            raise ValueError(
                "SLIPWAY_PLAYGROUND_DEPLOY_SOLUTION_CALLERS: expected SLIPWAY_JWT_PRINCIPAL=graphene with it"
            )

    @property
    def most_streams(self) -> int:
        """How many threads of a worker may be held by streams; the others are for requests that end."""
        return self.web.threads - max(2, self.web.threads // 4)
