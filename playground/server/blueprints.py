"""The solution that a deployment runs, read from its bundle once, and its picture."""

from __future__ import annotations

from functools import lru_cache

from playground.runtime.deployment import Deployment
from playground.runtime.interface import Runtime
from shared import blueprint, solution_folder
from shared.errors import InvalidSolutionError
from shared.graph_picture import svg
from shared.solution import Solution

MOST_REMEMBERED = 128


class Blueprints:
    """Solutions by deployment and revision; a revision never changes."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._solution = lru_cache(MOST_REMEMBERED)(self._read)
        self._picture = lru_cache(MOST_REMEMBERED)(self._draw)

    def solution(self, deployment: Deployment) -> Solution:
        """Return what runs.

        Raises:
            InvalidSolutionError: the bundle's blueprint cannot be read.
            NotFoundError: the deployment is gone.
        """
        return self._solution(_Key(deployment))

    def picture(self, deployment: Deployment, *, standalone: bool) -> str:
        """Return the graph as SVG; inside a page without a style of its own. Raises what `solution` does."""
        return self._picture(_Key(deployment), standalone)

    def _read(self, key: _Key) -> Solution:
        files = solution_folder.from_files(self._runtime.files(key.deployment.id))
        parsed = blueprint.parse(files)
        if parsed.solution is None:
            raise InvalidSolutionError(parsed.findings)
        return parsed.solution

    def _draw(self, key: _Key, standalone: bool) -> str:  # noqa: FBT001 - part of the key
        return svg(self._solution(key), standalone=standalone)


class _Key:
    """One revision of one deployment."""

    __slots__ = ("_parts", "deployment")

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._parts = (deployment.id, deployment.current, deployment.created_at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other._parts == self._parts

    def __hash__(self) -> int:
        return hash(self._parts)
