"""A sink that leaves its result in the shared folder, as `report.json`."""

import json
import threading

import grpc
import reporter_pb2
import reporter_pb2_grpc
import serving
from shared_folder import SharedFolder

REPORT = "report.json"


class Reporter(reporter_pb2_grpc.ReporterServicer):
    """Adds up the counts. A message that comes twice counts once: it names its file."""

    def __init__(self, folder: SharedFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._words: dict[str, int] = {}

    def report(self, request: reporter_pb2.WordCount, _context: grpc.ServicerContext) -> reporter_pb2.Empty:
        """Take one count in and write the report anew."""
        with self._lock:
            self._words[request.name] = request.words
            total = sum(self._words.values())
            report = {"files": dict(sorted(self._words.items())), "words": total}
            self._folder.write(REPORT, json.dumps(report, indent=2) + "\n")
        serving.log("report_written", name=request.name, words=request.words, total=total)
        return reporter_pb2.Empty()


def main() -> None:
    """Find the folder, then serve."""
    serving.serve(reporter_pb2_grpc.add_ReporterServicer_to_server, Reporter(SharedFolder.from_environment()))


if __name__ == "__main__":
    main()
