"""An operation that gets the name of a file and reads it from the shared folder."""

import re
from collections import Counter
from dataclasses import dataclass

import counter_pb2
import counter_pb2_grpc
import grpc
import serving
from shared_folder import SharedFolder

WORD = re.compile(r"[^\W\d_]+")
TOP = 5  # words in an answer


@dataclass(frozen=True, slots=True)
class WordCounter(counter_pb2_grpc.CounterServicer):
    """Counts words, in any script."""

    folder: SharedFolder

    def count(self, request: counter_pb2.TextFile, context: grpc.ServicerContext) -> counter_pb2.WordCount:
        """Return how many words the file has, and its most frequent ones."""
        words = Counter(WORD.findall(self._read(request.name, context).casefold()))
        ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:TOP]
        serving.log("words_counted", name=request.name, words=words.total())
        return counter_pb2.WordCount(
            name=request.name,
            words=words.total(),
            top=[counter_pb2.WordFrequency(word=word, count=count) for word, count in ranked],
        )

    def _read(self, name: str, context: grpc.ServicerContext) -> str:
        try:
            return self.folder.read(name)
        except ValueError as problem:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"name: {problem}")
        except OSError:
            # A network volume may show a new file late: UNAVAILABLE asks the caller to try again.
            context.abort(grpc.StatusCode.UNAVAILABLE, "the file cannot be read from the shared folder yet")


def main() -> None:
    """Find the folder, then serve."""
    serving.serve(counter_pb2_grpc.add_CounterServicer_to_server, WordCounter(SharedFolder.from_environment()))


if __name__ == "__main__":
    main()
