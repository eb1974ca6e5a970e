"""A deployment's shared folder, reached through a small pod that mounts the volume and runs `folder_program` for each task.

Nothing listens there, so no policy has to be opened and no node can speak to it: tasks come as programs that the API server
starts in the container. The pod is made when somebody first looks, and ends by itself.

Signatures for the writing half:
    SharedFolders(client, cache, installation=…, image=…, pull_secrets=())
    .of(deployment) -> SharedFolder    NotFoundError: there is no claim
    .tidy(deployment) -> None          removes pods that have ended; for the reconciler
    .close()
It needs in the deployment's namespace: pods create and delete, pods/exec create and get.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from lightkube import Client

from playground.runtime.deployment import DeploymentId, Entry
from playground.runtime.kubernetes import folder_program, helper_pod, programs, words
from playground.runtime.kubernetes.api import Api, RefusedError, UnreachableError
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.helper_pods import HelperPods
from playground.runtime.kubernetes.programs import Program
from shared.errors import (
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SlipwayError,
    TooLargeError,
    UnavailableError,
)
from shared.findings import quoted

_PIECE_BYTES = 64 * 1024
_LONGEST_LISTING = 8 << 20
_LONGEST_NAME = 255  # bytes, of every usual file system
_LONGEST_PATH = 4096  # bytes; it becomes part of a URL
_NO_LIMIT = 1 << 60  # bytes; for a claim that does not say its size as we read it
_QUANTITY = re.compile(r"([0-9]+)(|[kMGTPE]|[KMGTPE]i)")
_FACTORS = {"": 1, "k": 1000} | {
    unit: base**power
    for power, letter in enumerate("KMGTPE", 1)
    for unit, base in ((letter, 1000), (f"{letter}i", 1024))
}


class SharedFolders:
    """Opens the folders of all deployments. Its methods may be called from many threads."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        *,
        installation: str,
        image: str,
        pull_secrets: Sequence[str] = (),
        idle_seconds: float = helper_pod.IDLE_SECONDS,
    ) -> None:
        self._cache = cache
        self._api = Api(client.config)
        self._pods = HelperPods(
            client=client,
            cache=cache,
            installation=installation,
            image=image,
            pull_secrets=pull_secrets,
            idle_seconds=idle_seconds,
        )

    def close(self) -> None:
        """Close the connections; the pods end by themselves."""
        self._api.close()

    def of(self, deployment: DeploymentId) -> PodFolder:
        """Return the shared folder of a deployment.

        Raises:
            NotFoundError: it has none.
        """
        claims = [one for one in self._cache.claims(deployment) if words.PART not in one.metadata.labels]
        if not claims:
            raise NotFoundError("the solution has no shared folder")
        asked = [bytes_of(one.spec.resources.requests.get("storage", "")) for one in claims]
        limit = sum(asked) if all(asked) else _NO_LIMIT
        return PodFolder(self._api, self._pods, deployment, tuple(one.metadata.name for one in claims), limit)

    def tidy(self, deployment: DeploymentId) -> None:
        """Remove the pods that have ended."""
        self._pods.tidy(deployment)


@dataclass(frozen=True, slots=True)
class PodFolder:
    """See `playground.runtime.interface.SharedFolder`, whose methods these are. Several claims are folders in it."""

    api: Api
    pods: HelperPods
    deployment: DeploymentId
    claims: tuple[str, ...]
    limit: int
    """Of all files, in bytes: a volume may be part of a larger disk."""

    def entries(self, path: str) -> tuple[Entry, ...]:
        """Return what a folder holds, folders first, by name; links and special files are left out."""
        listed = b""
        for piece in self._output("entries", path):
            listed += piece
            if len(listed) > _LONGEST_LISTING:
                raise TooLargeError(f"{quoted(path)}: more entries than can be shown")
        rows = [msgspec.json.decode(line, type=tuple[str, int, float, bool]) for line in listed.splitlines()]
        return tuple(Entry(*row) for row in rows)

    def read(self, path: str) -> Iterator[bytes]:
        """Return a file in pieces; its beginning is read now, so that what is wrong is said now."""
        pieces = self._output("read", _inside(path))
        first = next(pieces, b"")
        return _after(first, pieces)

    def write(self, path: str, content: Iterator[bytes]) -> None:
        """Make or replace a file, whole or not at all; folders on its way are made."""
        with self._running("write", _inside(path)) as program:
            _send(program, content, self.limit)
            for _ in program.output():
                pass

    def remove(self, path: str) -> None:
        """Remove a file or a link, or a folder with all in it."""
        for _ in self._output("remove", _inside(path)):
            pass

    def _output(self, task: str, path: str) -> Iterator[bytes]:
        with self._running(task, path) as program:
            yield from program.output()

    @contextmanager
    def _running(self, task: str, path: str) -> Iterator[Program]:
        """Run a task, and translate how it ended."""
        names = checked(path)
        pod = self.pods.ready(self.deployment, self.claims)
        command = (*helper_pod.COMMAND, task, "/".join(names), str(self.limit))
        try:
            with programs.started(self.api, self.deployment, pod, helper_pod.CONTAINER, command) as program:
                yield program
                if program.status:
                    raise _problem(program.status, path)
        except (UnreachableError, RefusedError, TimeoutError) as problem:
            raise UnavailableError("the shared folder cannot be reached now") from problem


def checked(path: str) -> list[str]:
    """Return the names on the way; none for the folder itself.

    Raises:
        InvalidRequestError: it leads out of the folder, or is no path.
    """
    names = path.removesuffix("/").split("/") if path not in {"", "/"} else []
    if len(path.encode(errors="replace")) > _LONGEST_PATH:
        raise InvalidRequestError(f"path: expected at most {_LONGEST_PATH} bytes")
    for name in names:
        length = len(name.encode(errors="replace"))
        if name in {"", ".", ".."} or "\0" in name or length > _LONGEST_NAME or not _is_text(name):
            raise InvalidRequestError(f"path: expected names inside the shared folder, found {quoted(path)}")
    return names


def bytes_of(quantity: str) -> int:
    """Return a size as the API writes it (`5Gi`) in bytes; 0 for one that is none."""
    found = _QUANTITY.fullmatch(quantity)
    return int(found[1]) * _FACTORS[found[2]] if found else 0


def _inside(path: str) -> str:
    if not checked(path):
        raise InvalidRequestError("path: expected something inside the shared folder, found the folder itself")
    return path


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _send(program: Program, content: Iterator[bytes], limit: int) -> None:
    """Send pieces behind their lengths; stop where the program has had enough."""
    room = limit
    for piece in content:
        for start in range(0, len(piece), _PIECE_BYTES):
            part = piece[start : start + _PIECE_BYTES]
            room -= len(part)
            if room < 0:
                raise _problem(folder_program.NO_ROOM, "")
            if program.has_ended():
                return
            program.send(len(part).to_bytes(4, "big") + part)
    program.send(bytes(4))


def _after(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from pieces


def _problem(status: int, path: str) -> SlipwayError:
    """Return what an exit status of the program means."""
    if status == folder_program.NOT_FOUND:
        return NotFoundError(f"{quoted(path)} is not in the shared folder")
    if status == folder_program.INVALID:
        return InvalidRequestError(
            f"{quoted(path)}: a file is where a folder is meant, or the reverse; links are not followed"
        )
    if status == folder_program.NO_ROOM:
        return TooLargeError("no room: the shared folder is full")
    if status == folder_program.DENIED:
        return ForbiddenError(f"{quoted(path)}: it belongs to a node, which lets nobody else change it")
    return UnavailableError("the shared folder cannot be used now")
