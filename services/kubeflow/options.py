"""What may be chosen for Kubeflow beside the policy of all workflows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.kubernetes.grammar import ObjectName
from shared.workflows.policy import Policy

SIDECARS = (2, 18)
"""The first release of Kubeflow Pipelines whose pods may have sidecars (kubeflow/pipelines#13651)."""


class Options(Policy, frozen=True):
    """Options of the Kubeflow bundle. Whatever is not given has the default; nothing is required."""

    release: Annotated[
        str,
        Meta(
            pattern=r"^2\.(?:0|[1-9][0-9]{0,2})$(?!\n)",
            description="Release of Kubeflow Pipelines that the bundle is for. Mode `steps` needs sidecars, and so 2.18.",
            examples=["2.18"],
        ),
    ] = "2.17"
    service_account: Annotated[
        ObjectName,
        Meta(description="Under which Kubeflow runs the pods; with profiles (multi-user) it is `default-editor`."),
    ] = "pipeline-runner"

    @property
    def has_sidecars(self) -> bool:
        """Whether that release knows sidecars."""
        return tuple(int(part) for part in self.release.split(".")) >= SIDECARS
