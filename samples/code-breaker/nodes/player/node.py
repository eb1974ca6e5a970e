"""A source that waits for what its own messages cause: the node in which the circle closes.

GAMES: after how many broken codes the source ends with NOT_FOUND; 0 for never. SEED: equal seeds, equal guesses.
PATIENCE_SECONDS: after this time without both verdicts it proposes the same guess again.
"""

import random
import threading
from dataclasses import replace

import game
import grpc
import player_pb2
import player_pb2_grpc
import serving
from google.protobuf.empty_pb2 import Empty


class Player(player_pb2_grpc.PlayerServicer):
    """Plays one game at a time. `propose` and `learn` run in different threads and meet in it."""

    def __init__(self, *, games: int, seed: int, patience: float) -> None:
        self._games = games
        self._patience = patience
        self._chance = random.Random(seed)  # noqa: S311 a game, not a secret
        self._changed = threading.Condition()
        self._game: game.Game | None = None
        self._won = 0

    def propose(self, _request: Empty, context: grpc.ServicerContext) -> player_pb2.Guess:
        """Wait for both verdicts on the last guess, then return the next one.

        When a verdict was lost on the way, the same guess comes again: to learn twice does no harm.
        """
        context.add_callback(self._wake)
        with self._changed:
            if not self._is_ready():
                serving.log("verdicts_awaited")
            self._changed.wait_for(lambda: self._is_ready() or not context.is_active(), timeout=self._patience)
            self._game = self._advance(self._game, context)
            guess = player_pb2.Guess(number=self._game.number, code=self._game.guess)
        serving.log("guess_proposed", number=guess.number, code=guess.code)
        return guess

    def learn(self, request: player_pb2.Verdict, context: grpc.ServicerContext) -> Empty:
        """Take one verdict in; one about another guess than the current is late and changes nothing."""
        aspect = player_pb2.Aspect.Name(request.aspect) if request.aspect in player_pb2.Aspect.values() else ""
        with self._changed:
            if self._game is None or request.code != self._game.guess:
                serving.log("verdict_ignored", code=request.code)
            elif aspect == "ASPECT_PLACES":
                self._game = replace(self._game, places=request.matches)
            elif aspect == "ASPECT_DIGITS":
                self._game = replace(self._game, digits=request.matches)
            else:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "aspect: expected places or digits")
            self._changed.notify_all()
        serving.log("verdict_learned", code=request.code, aspect=aspect, matches=request.matches)
        return Empty()

    def _is_ready(self) -> bool:
        return self._game is None or self._game.is_answered

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _advance(self, current: game.Game | None, context: grpc.ServicerContext) -> game.Game:
        """Return the game with the guess to propose now, or end the data."""
        if current is None:
            return game.start(self._chance)
        if current.is_won:
            return self._won_game(current, context)
        if not current.is_answered:
            return current
        try:
            return current.next_guess()
        except game.ContradictionError:
            self._game = None
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no code fits all verdicts: have the judges one SECRET?")

    def _won_game(self, current: game.Game, context: grpc.ServicerContext) -> game.Game:
        """Start the next game. After the last one say NOT_FOUND, once: whoever asks again plays again."""
        self._won += 1
        serving.log("code_broken", code=current.guess, guesses=current.number)
        if self._won == self._games:
            self._game, self._won = None, 0
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"{current.guess} is the code, found with {current.number} guesses"
            )
        return game.start(self._chance)


def main() -> None:
    """Read the settings, then serve."""
    player = Player(
        games=serving.number_setting("GAMES", 1),
        seed=serving.number_setting("SEED", 1),
        patience=serving.number_setting("PATIENCE_SECONDS", 10.0),
    )
    serving.serve(player_pb2_grpc.add_PlayerServicer_to_server, player)


if __name__ == "__main__":
    main()
