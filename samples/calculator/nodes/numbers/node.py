"""A source with an end: OUT_OF_RANGE says that there is no more data.

COUNT: pairs in a run, 0 for no end. SEED: equal seeds, equal pairs, in every run.
"""

import itertools
import random
import threading
from collections.abc import Iterator

import grpc
import numbers_pb2
import numbers_pb2_grpc
import serving


class Numbers(numbers_pb2_grpc.NumbersServicer):
    """Draws pairs of whole numbers from 1 to 99."""

    def __init__(self, *, count: int, seed: int) -> None:
        self._count = count
        self._seed = seed
        self._lock = threading.Lock()
        self._pairs = self._run()

    def draw(self, _request: numbers_pb2.Empty, context: grpc.ServicerContext) -> numbers_pb2.Pair:
        """Return the next pair. After the last one say OUT_OF_RANGE, once: whoever asks again starts over."""
        with self._lock:
            pair = next(self._pairs, None)
            if pair is None:
                self._pairs = self._run()
                context.abort(grpc.StatusCode.OUT_OF_RANGE, f"all {self._count} pairs are drawn")
        serving.log("pair_drawn", number=pair.number, left=pair.left, right=pair.right)
        return pair

    def _run(self) -> Iterator[numbers_pb2.Pair]:
        chance = random.Random(self._seed)  # noqa: S311 an exercise, not a secret
        for number in itertools.islice(itertools.count(1), self._count or None):
            yield numbers_pb2.Pair(number=number, left=chance.randint(1, 99), right=chance.randint(1, 99))


def main() -> None:
    """Read the settings, then serve."""
    numbers = Numbers(count=serving.number_setting("COUNT", 10), seed=serving.number_setting("SEED", 1))
    serving.serve(numbers_pb2_grpc.add_NumbersServicer_to_server, numbers)


if __name__ == "__main__":
    main()
