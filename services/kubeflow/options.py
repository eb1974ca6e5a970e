"""What may be chosen for Kubeflow beside the policy of all workflows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.kubernetes.grammar import ObjectName
from shared.workflows.lint import kubeflow_releases as releases
from shared.workflows.lint.kubeflow_releases import FIRST, OLDEST, SECURITY, SIDECARS, Release, shown
from shared.workflows.policy import Policy


class Options(Policy, frozen=True):
    """Options of the Kubeflow bundle. Whatever is not given has the default; nothing is required."""

    release: Annotated[
        str,
        Meta(
            pattern=r"^2\.(?:0|[1-9][0-9]{0,2})$(?!\n)",
            description=f"Release of Kubeflow Pipelines that the bundle is for, {shown(OLDEST)} or newer. A user of their own for "
            f"tasks, and images refused that run as root, need {shown(FIRST[SECURITY])}; mode `steps` needs sidecars, and so "
            f"{shown(FIRST[SIDECARS])}.",
            examples=["2.18"],
        ),
    ] = "2.17"
    service_account: Annotated[
        ObjectName,
        Meta(description="Under which Kubeflow runs the pods; with profiles (multi-user) it is `default-editor`."),
    ] = "pipeline-runner"

    def __post_init__(self) -> None:
        """Refuse a release on which nothing would work; ValueError becomes the message for the caller."""
        super().__post_init__()
        if self.for_release < OLDEST:
            raise ValueError(f"expected release {shown(OLDEST)} or newer, found {self.release}")

    @property
    def for_release(self) -> Release:
        """The release, to compare it."""
        return releases.parsed(self.release)

    def takes(self, field: str) -> bool:
        """Whether that release takes this field of the platform document."""
        return FIRST[field] <= self.for_release
