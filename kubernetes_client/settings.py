"""What the Kubernetes deployer's service reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from shared.deployer import Images
from shared.persistence.select import PersistenceSettings
from shared.settings import section
from shared.tokens import TokenSettings
from shared.web.settings import BuildSettings, WebSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, by what needs them."""

    tokens: TokenSettings = section(TokenSettings)
    persistence: PersistenceSettings = section(PersistenceSettings)
    images: Images = section(Images)
    builds: BuildSettings = section(BuildSettings)
    web: WebSettings = section(WebSettings)

    def __post_init__(self) -> None:
        """Refuse to start without the orchestrator's image: ValueError that names the variable."""
        # The command line can do without, with a finding; a service would give everybody bundles that do not run.
        if not self.images.orchestrator:
            raise ValueError("SLIPWAY_ORCHESTRATOR_IMAGE: required (image of the orchestrator)")
