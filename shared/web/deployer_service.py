"""Joins the parts of a deployer's HTTP service; a service adds its deployer, its settings, and how it delivers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flask import Flask

from shared.deployer import Assets, Deployer, Images
from shared.persistence.interface import Persistence
from shared.persistence.select import PersistenceSettings, open_persistence
from shared.settings import section
from shared.tokens import TokenSettings, Verifier
from shared.web import application, bundles, deployer_document, graphene, health
from shared.web.authentication import Authenticator
from shared.web.bundles import Builds, Push
from shared.web.limits import WAIT_SECONDS
from shared.web.settings import BuildSettings, WebSettings


@dataclass(frozen=True, slots=True)
class DeployerSettings:
    """What every deployer's service reads from its environment; a service that needs more adds fields of its own."""

    tokens: TokenSettings = section(TokenSettings)  # noqa: RUF009 - `section` declares a field
    persistence: PersistenceSettings = section(PersistenceSettings)  # noqa: RUF009 - the same
    images: Images = section(Images)  # noqa: RUF009 - the same
    builds: BuildSettings = section(BuildSettings)  # noqa: RUF009 - the same
    web: WebSettings = section(WebSettings)  # noqa: RUF009 - the same

    def __post_init__(self) -> None:
        """Refuse to start without the orchestrator's image: ValueError that names the variable."""
        # The command line can do without, with a finding; a service would give everybody bundles that do not run.
        if not self.images.orchestrator:
            raise ValueError("SLIPWAY_ORCHESTRATOR_IMAGE: required (image of the orchestrator)")


S_contra = TypeVar("S_contra", bound=DeployerSettings, contravariant=True)


class CreateApp(Protocol[S_contra]):
    """A service's `create_app`."""

    def __call__(self, settings: S_contra, *, persistence: Persistence, verifier: Verifier) -> Flask:
        """Return the application."""
        ...


def prepared(create_app: CreateApp[S_contra], settings: S_contra) -> Callable[[], Flask]:
    """Check the keys, and return what makes the application: every worker opens connections of its own."""
    verifier = Verifier(settings.tokens)
    return lambda: create_app(settings, persistence=open_persistence(settings.persistence), verifier=verifier)


def create(
    deployer: Deployer[Any],
    settings: DeployerSettings,
    *,
    import_name: str,
    persistence: Persistence,
    verifier: Verifier,
    push: Push | None = None,
) -> Flask:
    """Return the application of a deployer.

    Args:
        deployer: what is built.
        settings: the operator's.
        import_name: the caller's `__name__`.
        persistence: where solutions come from.
        verifier: checks tokens.
        push: where bundles go that are not downloaded.
    """
    checks = {"persistence": persistence.check, "token_keys": verifier.check}
    app = application.create(
        deployer.name,
        import_name=import_name,
        readiness=health.checks(**checks, **({"push": push.check} if push else {})),
        openapi=deployer_document.build(deployer, settings.builds, push=push),
        settings=settings.web,
        notices={**verifier.notices, **graphene.notices(settings.builds)},
    )
    assets = Assets(deployer.load_files(), settings.images)
    limited = Builds.limited(
        deployer,
        assets=assets,
        persistence=persistence,
        settings=settings.builds,
        wait_seconds=push.wait_seconds if push else WAIT_SECONDS,
    )
    authenticator = Authenticator(verifier)
    bundles.register(app, limited, authenticator, deliver=push.accept if push else bundles.download)
    graphene.register(app, limited, authenticator, settings=settings.builds, push=push)
    return app
