"""What may be chosen for Argo beside the policy of all workflows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.workflows.policy import DAY, Policy, Seconds


class Options(Policy, frozen=True):
    """Options of the Argo bundle. Whatever is not given has the default; nothing is required."""

    keep: Annotated[
        Seconds, Meta(description="Seconds for which a finished workflow stays, with its pods and their logs.")
    ] = 7 * DAY
    stable_dns: Annotated[
        bool,
        Meta(
            description="Mode `services`: reach the nodes by names of Services that belong to the workflow, instead of by "
            "the addresses of their pods. A node that has to be started anew is found again; the workflow may create "
            "Services then."
        ),
    ] = False
