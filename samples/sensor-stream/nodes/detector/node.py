"""A bidirectional stream: one answer for each message, with a memory that lives as long as the stream.

THRESHOLD: how many standard deviations from the mean make an anomaly. WARM_UP: readings before the first verdict.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import detector_pb2
import detector_pb2_grpc
import grpc
import serving
from running import RunningStatistics


@dataclass(frozen=True, slots=True)
class Detector(detector_pb2_grpc.DetectorServicer):
    """Marks readings that are far from what the same stream brought before."""

    threshold: float
    """Standard deviations."""
    warm_up: int

    def detect(
        self, requests: Iterator[detector_pb2.Reading], _context: grpc.ServicerContext
    ) -> Iterator[detector_pb2.Judgement]:
        """Yield one judgement per reading. State stands in local variables: two streams never meet."""
        seen = RunningStatistics()
        for reading in requests:
            anomaly = self._is_anomaly(reading.value, seen)
            yield detector_pb2.Judgement(reading=reading, mean=seen.mean, deviation=seen.deviation, anomaly=anomaly)
            if anomaly:
                serving.log("anomaly_found", number=reading.number, value=reading.value, mean=seen.mean)
            else:
                seen.add(reading.value)  # what is not normal must not become the norm
        serving.log("stream_ended", readings=seen.count)

    def _is_anomaly(self, value: float, seen: RunningStatistics) -> bool:
        if not math.isfinite(value):
            return True
        return seen.count >= self.warm_up and abs(value - seen.mean) > self.threshold * seen.deviation


def main() -> None:
    """Read the settings, then serve."""
    detector = Detector(
        threshold=serving.number_setting("THRESHOLD", 4.0), warm_up=serving.number_setting("WARM_UP", 20, least=2)
    )
    serving.serve(detector_pb2_grpc.add_DetectorServicer_to_server, detector)


if __name__ == "__main__":
    main()
