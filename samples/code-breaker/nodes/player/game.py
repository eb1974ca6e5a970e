"""The player's thinking, without gRPC: which codes are still possible, and what to try next."""

import random
from collections import Counter
from dataclasses import dataclass, replace

DIGITS = 4
CODES = tuple(f"{number:0{DIGITS}}" for number in range(10**DIGITS))


class ContradictionError(Exception):
    """No code fits all answers: the judges do not judge by the same secret."""


@dataclass(frozen=True, slots=True)
class Game:
    """One game at one moment: the codes that fit all earlier answers, and the answers to the current guess."""

    candidates: tuple[str, ...]
    """Never empty; the first one is the current guess."""
    number: int = 1
    """Of the current guess, from 1."""
    places: int | None = None
    digits: int | None = None

    @property
    def guess(self) -> str:
        """The code to judge now."""
        return self.candidates[0]

    @property
    def is_answered(self) -> bool:
        """True when both judges have spoken about the current guess."""
        return self.places is not None and self.digits is not None

    @property
    def is_won(self) -> bool:
        """True when the current guess is the secret."""
        return self.places == DIGITS

    def next_guess(self) -> "Game":
        """Return the game with a new guess: the first code that would have got the same answers.

        Raises:
            ContradictionError: there is no such code.
        """
        told = (self.places, self.digits)
        fitting = tuple(code for code in self.candidates[1:] if answers(code, self.guess) == told)
        if not fitting:
            raise ContradictionError
        return replace(self, candidates=fitting, number=self.number + 1, places=None, digits=None)


def start(chance: random.Random) -> Game:
    """Return a new game, in which every code is possible."""
    return Game(candidates=tuple(chance.sample(CODES, len(CODES))))


def answers(secret: str, guess: str) -> tuple[int, int]:
    """Return how many digits of `guess` stand in their right place, and how many are in `secret` at all."""
    places = sum(right == tried for right, tried in zip(secret, guess, strict=True))
    return places, (Counter(secret) & Counter(guess)).total()
