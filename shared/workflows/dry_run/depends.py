"""Argo's `depends`: when a task runs, said about those before it. `a && (b.Failed || !c.Succeeded)`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError, Status

_TOKEN = re.compile(r"\s*(&&|\|\||!|\(|\)|[A-Za-z0-9_-]+(?:\.[A-Za-z]+)?)")
_MEANT: Mapping[str, frozenset[Status]] = {
    "": frozenset({Status.SUCCEEDED, Status.DAEMONED}),
    "Succeeded": frozenset({Status.SUCCEEDED}),
    "Failed": frozenset({Status.FAILED}),
    "Errored": frozenset({Status.ERROR}),
    "Omitted": frozenset({Status.OMITTED}),
    "Daemoned": frozenset({Status.DAEMONED}),
    "Skipped": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Depends:
    """A parsed expression."""

    tokens: tuple[str, ...]
    tasks: frozenset[str]
    """The tasks that it looks at."""

    @property
    def minds_failure(self) -> bool:
        """Whether it may be true because a task failed."""
        return any(
            token.startswith("!") or token.partition(".")[2] in {"Failed", "Errored", "Omitted"}
            for token in self.tokens
        )

    def holds(self, statuses: Mapping[str, Status]) -> bool:
        """Tell whether the task runs, once all it looks at have ended."""
        return not self.tokens or _Evaluation(self.tokens, statuses).whole()


def parse(text: str, path: str) -> Depends:
    """Parse an expression; an empty one always holds.

    Raises:
        PackageError: it is none, or asks for a status that there is not.
    """
    tokens: list[str] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise PackageError(f"{path}: expected an expression such as 'a && b.Succeeded', found {quoted(text)}")
        tokens.append(match[1])
        position = match.end()
    names = [token for token in tokens if token[0] not in "&|!()"]
    unknown = [name for name in names if name.partition(".")[2] not in _MEANT]
    if unknown:
        known = ", ".join(filter(None, _MEANT))
        raise PackageError(f"{path}: expected one of {known} behind the name of a task, found {quoted(unknown[0])}")
    found = Depends(tuple(tokens), frozenset(name.partition(".")[0] for name in names))
    try:
        found.holds(dict.fromkeys(found.tasks, Status.SUCCEEDED))
    except (ValueError, IndexError):
        raise PackageError(f"{path}: expected an expression, found {quoted(text)}") from None
    return found


class _Evaluation:
    """Evaluates both sides of every operator: nothing here has an effect."""

    def __init__(self, tokens: tuple[str, ...], statuses: Mapping[str, Status]) -> None:
        self._left = list(reversed(tokens))
        self._statuses = statuses

    def whole(self) -> bool:
        value = self._or()
        if self._left:
            raise ValueError("more than an expression")
        return value

    def _or(self) -> bool:
        value = self._and()
        while self._left and self._left[-1] == "||":
            self._left.pop()
            value = self._and() or value
        return value

    def _and(self) -> bool:
        value = self._one()
        while self._left and self._left[-1] == "&&":
            self._left.pop()
            value = self._one() and value
        return value

    def _one(self) -> bool:
        token = self._left.pop()
        if token == "!":  # noqa: S105 - a token of the grammar
            return not self._one()
        if token == "(":  # noqa: S105 - as above
            value = self._or()
            if self._left.pop() != ")":
                raise ValueError("no closing parenthesis")
            return value
        if token in {"&&", "||", ")"}:
            raise ValueError("an operator without a left side")
        name, _, wanted = token.partition(".")
        return self._statuses[name] in _MEANT[wanted]
