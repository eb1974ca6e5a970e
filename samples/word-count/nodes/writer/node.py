"""A source that puts data into the shared folder and sends only the name: the way for what is large."""

import threading

import grpc
import serving
import writer_pb2
import writer_pb2_grpc
from shared_folder import SharedFolder

SEED = "seed.txt"


class Writer(writer_pb2_grpc.WriterServicer):
    """Writes one paragraph of the seed per call."""

    def __init__(self, folder: SharedFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._written = 0

    def write(self, _request: writer_pb2.Empty, context: grpc.ServicerContext) -> writer_pb2.TextFile:
        """Write the next paragraph. After the last one say NOT_FOUND, once: whoever asks again starts over."""
        with self._lock:
            paragraphs = self._paragraphs(context)
            if self._written >= len(paragraphs):
                self._written = 0
                context.abort(grpc.StatusCode.NOT_FOUND, f"all {len(paragraphs)} texts are written")
            self._written += 1
            name, text = f"texts/{self._written:03}.txt", paragraphs[self._written - 1]
        self._folder.write(name, text)
        serving.log("text_written", name=name, characters=len(text))
        return writer_pb2.TextFile(name=name, length=len(text))

    def _paragraphs(self, context: grpc.ServicerContext) -> list[str]:
        try:
            return [text.strip() for text in self._folder.read(SEED).split("\n\n") if text.strip()]
        except FileNotFoundError:
            # The job may still be on its way: UNAVAILABLE asks the caller to try again.
            context.abort(grpc.StatusCode.UNAVAILABLE, f"{SEED} is not in the shared folder yet")


def main() -> None:
    """Find the folder, then serve."""
    serving.serve(writer_pb2_grpc.add_WriterServicer_to_server, Writer(SharedFolder.from_environment()))


if __name__ == "__main__":
    main()
