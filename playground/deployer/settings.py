"""What the playground's deployer reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from shared.origin import Origin
from shared.settings import Secret, integer, section, setting, shared_key
from shared.web.deployer_service import DeployerSettings
from shared.web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class DeployerWebSettings(WebSettings):
    """The same with another default: whoever pushes waits for the playground's server, and holds a thread meanwhile."""

    threads: int = setting(
        "SLIPWAY_THREADS",
        "Threads per worker; half of them may push at once.",
        parse=integer(least=4, most=64),
        default=32,
    )


@dataclass(frozen=True, slots=True)
class Settings(DeployerSettings):
    """All settings."""

    web: DeployerWebSettings = section(DeployerWebSettings)
    server: Origin = setting(
        "SLIPWAY_PLAYGROUND_URL",
        "Base URL of the playground's server, as this service reaches it.",
        parse=Origin.parse,
    )
    key: Secret = setting(
        "SLIPWAY_PLAYGROUND_KEY",
        "Signs the pushes; the playground's server has the same. At least 32 bytes.",
        parse=shared_key,
    )
    chosen_pages: Origin | None = setting(
        "SLIPWAY_PLAYGROUND_PAGES",
        "Base URL of the playground as browsers reach it; unset: `SLIPWAY_PLAYGROUND_URL`. Visitors are sent there and "
        "nowhere else.",
        parse=Origin.parse,
        default=None,
    )
    push_seconds: int = setting(
        "SLIPWAY_PLAYGROUND_PUSH_SECONDS",
        "Seconds in which a bundle must have been taken by the server, all tries together.",
        parse=integer(least=1, most=60),
        default=20,
    )

    def __post_init__(self) -> None:
        """Refuse to promise downloads as well: ValueError that names the variable."""
        DeployerSettings.__post_init__(self)  # `super()` does not know a class with slots
        if self.builds.allows_anonymous_download:
            raise ValueError("SLIPWAY_COMPAT: expected graphene alone: this service gives no downloads")

    @property
    def pages(self) -> Origin:
        """Where visitors are sent."""
        return self.chosen_pages or self.server

    @property
    def concurrent_pushes(self) -> int:
        """How many threads of a worker may wait for the server: health and builds find one in any case."""
        return self.web.threads // 2
