"""A source: one operation without input that streams. A thermometer beside a machine, with a spike now and then.

INTERVAL_MS: time between two readings. COUNT: readings in a stream, 0 for no end. SEED: equal seeds, equal readings.
"""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import sensor_pb2
import sensor_pb2_grpc
import serving

MEAN, SWING, NOISE, SPIKE = 20.0, 1.5, 0.3, 12.0  # degrees Celsius
READINGS_PER_WAVE = 120
SPIKE_PROBABILITY = 0.02


def temperatures(seed: int) -> Iterator[float]:
    """Yield temperatures for ever: a slow wave, noise, and rare spikes."""
    chance = random.Random(seed)  # noqa: S311 weather, not a secret
    for step in itertools.count():
        wave = SWING * math.sin(2 * math.pi * step / READINGS_PER_WAVE)
        spike = SPIKE if chance.random() < SPIKE_PROBABILITY else 0.0
        yield MEAN + wave + chance.gauss(0, NOISE) + spike


@dataclass(frozen=True, slots=True)
class Sensor(sensor_pb2_grpc.SensorServicer):
    """Streams readings to whoever calls; every call starts from the first one."""

    interval: float
    """Seconds."""
    count: int | None
    seed: int

    def sense(self, _request: sensor_pb2.Empty, context: grpc.ServicerContext) -> Iterator[sensor_pb2.Reading]:
        """Yield readings until there are `count`, or the call is over."""
        over = serving.ended(context)
        number = 0
        serving.log("stream_opened", count=self.count)
        try:
            for number, value in enumerate(itertools.islice(temperatures(self.seed), self.count), start=1):
                yield sensor_pb2.Reading(number=number, sensor="thermometer", value=value)
                serving.log("reading_sent", number=number, value=value)
                if over.wait(self.interval):
                    return
        finally:  # also when the caller hangs up while a reading is on its way, and nobody asks for the next
            serving.log("stream_closed", readings=number)


def main() -> None:
    """Read the settings, then serve."""
    sensor = Sensor(
        interval=serving.number_setting("INTERVAL_MS", 200) / 1000,
        count=serving.number_setting("COUNT", 0) or None,
        seed=serving.number_setting("SEED", 1),
    )
    serving.serve(sensor_pb2_grpc.add_SensorServicer_to_server, sensor)


if __name__ == "__main__":
    main()
