"""What the server asks of a runtime.

Every method may be called from many threads, and returns soon: nothing waits for a deployment to become ready. Who may see or change a deployment is decided by the server before it calls; a runtime knows owners, not permissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from playground.runtime.deployment import (
    Address,
    Capacity,
    Deployment,
    DeploymentId,
    Entry,
    Event,
    Push,
)
from shared.settings import Secret


class SharedFolder(Protocol):
    """The volume that a deployment's nodes share. Paths are relative, with `/`; `..` and links out of it are refused.

    All raise NotFoundError for a path that is not there, InvalidRequestError for one that leaves the folder, and
    UnavailableError where the volume cannot be reached now.
    """

    def entries(self, path: str) -> tuple[Entry, ...]:
        """Return what a folder holds, folders first, by name."""

    def read(self, path: str) -> Iterator[bytes]:
        """Return a file in pieces."""

    def write(self, path: str, content: Iterator[bytes]) -> None:
        """Make or replace a file, whole or not at all; folders on its way are made.

        Raises:
            TooLargeError: there is no room for it.
        """

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it."""


class Runtime(Protocol):
    """Where deployments run. An unknown id is a NotFoundError everywhere; an outage an UnavailableError."""

    def check(self) -> None:
        """Return when deployments can be made; for `/readyz`.

        Raises:
            UnavailableError: with what is missing.
        """

    def create(self, push: Push) -> tuple[Deployment, bool]:
        """Accept a push and return its deployment, and whether it is new: the same push is the same deployment.

        Raises:
            InvalidSolutionError: the bundle holds what this runtime does not run; with a finding for each.
            ConflictError: the deployment is being deleted.
            RateLimitedError: the owner has as many as allowed.
        """

    def update(self, deployment: DeploymentId, push: Push) -> Deployment:
        """Run another bundle in the same place; claims stay. Raises what `create` does."""

    def rollback(self, deployment: DeploymentId, number: int) -> Deployment:
        """Run a former revision again, as a new one.

        Raises:
            NotFoundError: its files are not kept any more.
        """

    def all(self) -> tuple[Deployment, ...]:
        """Return every deployment, newest first; costs no call per deployment."""

    def get(self, deployment: DeploymentId) -> Deployment:
        """Return one deployment."""

    def files(self, deployment: DeploymentId) -> Mapping[str, bytes]:
        """Return the files of the current bundle, without its manifests' rewriting: what was pushed."""

    def wake(self, deployment: DeploymentId) -> None:
        """Start the nodes of a deployment that is asleep; note that it is used."""

    def sleep(self, deployment: DeploymentId) -> None:
        """Stop the nodes and keep everything."""

    def restart(self, deployment: DeploymentId, node: str | None = None) -> None:
        """Restart one node, or all of them and the orchestrator."""

    def reset(self, deployment: DeploymentId, *, data: bool) -> None:
        """Restart everything; with `data` the shared folder is emptied first."""

    def delete(self, deployment: DeploymentId) -> None:
        """Remove the deployment with its data: the explicit choice was made by the caller."""

    def events(self, deployment: DeploymentId) -> tuple[Event, ...]:
        """Return the last events, oldest first."""

    def wait_changed(self, version: int, seconds: float) -> int:
        """Wait until anything has changed since `version` (0: never seen), or the time is over; return the new version."""

    def logs(
        self, deployment: DeploymentId, node: str, *, follow: bool, since_seconds: int | None, tail: int
    ) -> Iterator[bytes]:
        """Return log lines of a node (or `orchestrator`) as they are, newline included; ends when the reader closes it.

        With `follow`, `b""` comes at least once per second while there is no line, so that the reader can see whether
        anybody still listens: it cannot close what blocks.
        """

    def orchestrator(self, deployment: DeploymentId) -> tuple[Address, Secret | None]:
        """Return where the orchestrator's services answer, and the token of its native API.

        Raises:
            NotFoundError: a model has none.
            UnavailableError: it is not up.
        """

    def web_ui(self, deployment: DeploymentId, node: str) -> Address:
        """Return where the web UI of a node answers.

        Raises:
            NotFoundError: the node has none.
            UnavailableError: the node is not up.
        """

    def shared_folder(self, deployment: DeploymentId) -> SharedFolder:
        """Return the shared folder.

        Raises:
            NotFoundError: the solution has none.
        """

    def capacity(self) -> Capacity:
        """Return what is used and allowed."""

    def close(self) -> None:
        """End what only this copy of the server holds; deployments in a cluster go on."""


@runtime_checkable
class SpendsCodes(Protocol):
    """What a runtime adds that copies of the server share: without it, codes are remembered on this machine only."""

    def spend(self, code_id: str, seconds: float) -> bool:
        """Return True the first time a one-time code is named, by whichever copy, and False ever after.

        Args:
            code_id: 32 hex digits.
            seconds: after which it may be forgotten.
        """


@runtime_checkable
class Leads(Protocol):
    """What a runtime adds that several copies of the server share: one of them does what is done from time to time."""

    def leads(self) -> bool:
        """Return whether this copy is the one now."""
