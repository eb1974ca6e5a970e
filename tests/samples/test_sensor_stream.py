"""The stream: sensor, detector and dashboard, each alone and then one after the other."""

from __future__ import annotations

import json
import queue
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.conformance

HOSTILE = '</td><script>alert(\'1\')</script>&\x1b[2J\n{"event": "forged"}'


@pytest.fixture(scope="module")
def sensor(start_node) -> Iterator:
    with start_node("sensor-stream/sensor", INTERVAL_MS=0, COUNT=60) as node:
        yield node


@pytest.fixture(scope="module")
def detector(start_node) -> Iterator:
    with start_node("sensor-stream/detector", WARM_UP=5) as node:
        yield node


@pytest.fixture(scope="module")
def dashboard(start_node) -> Iterator:
    with start_node("sensor-stream/dashboard", POINTS=7) as node:
        assert "0 readings, 0 anomalies" in get(node, "/")[0]
        yield node


def show(dashboard, *judgements) -> None:
    """Fill the board with readings without a story, then with `judgements`, at most seven."""
    dashboard.call("show", iter([*(judgement(dashboard, 0) for _ in range(7)), *judgements]))


def judge(detector, values) -> list:
    readings = [detector.message("Reading", number=n, sensor="s", value=value) for n, value in enumerate(values, 1)]
    return list(detector.call("detect", iter(readings)))


def judgement(dashboard, number: int, *, value: float = 20.0, sensor: str = "s", anomaly: bool = False):
    reading = {"number": number, "sensor": sensor, "value": value}
    return dashboard.message("Judgement", reading=reading, mean=20.0, deviation=1.0, anomaly=anomaly)


def get(dashboard, path: str) -> tuple[str, dict[str, str]]:
    port = dashboard.wait_for("web_ui_serving")["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode(), dict(answer.headers)


def test_a_sensor_sends_as_many_readings_as_it_has_and_ends(sensor) -> None:
    readings = list(sensor.call("sense", sensor.message("Empty")))

    assert [reading.number for reading in readings] == list(range(1, 61))
    assert all(10 < reading.value < 40 for reading in readings)


def test_every_call_of_a_sensor_starts_from_the_first_reading(sensor) -> None:
    streams = [[r.value for r in sensor.call("sense", sensor.message("Empty"))] for _ in range(2)]

    assert len(streams[0]) == 60
    assert streams[0] == streams[1]


def test_a_sensor_stops_when_its_caller_hangs_up(start_node) -> None:
    with start_node("sensor-stream/sensor", INTERVAL_MS=60_000) as sensor:
        stream = sensor.call("sense", sensor.message("Empty"))
        next(stream)
        stream.cancel()

        assert sensor.wait_for("stream_closed")["readings"] == 1


def test_a_detector_answers_each_reading_in_order(detector) -> None:
    answers = judge(detector, [20.0, 21.0, 19.0, 20.5, 19.5, 20.0])

    assert [answer.reading.number for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert answers[2].mean == pytest.approx(20.5)
    assert answers[5].deviation == pytest.approx(0.790569, abs=1e-6)


def test_a_detector_marks_the_spike_and_does_not_learn_it(detector) -> None:
    answers = judge(detector, [20.0, 21.0, 19.0, 20.5, 19.5, 35.0, 20.0, 35.0])

    assert [answer.anomaly for answer in answers] == [False, False, False, False, False, True, False, True]
    assert answers[6].mean == pytest.approx(20.0)


def test_a_detector_survives_values_that_are_no_numbers(detector) -> None:
    answers = judge(detector, [20.0, float("nan"), 21.0, float("inf"), 19.0, 20.5, 19.5, 20.0])

    assert [answer.anomaly for answer in answers] == [False, True, False, True, False, False, False, False]


def test_two_streams_of_a_detector_do_not_share_their_memory(detector) -> None:
    judge(detector, [1000.0] * 10)
    answers = judge(detector, [20.0, 20.0])

    assert [answer.mean for answer in answers] == [0.0, 20.0]


def test_a_detector_answers_while_the_stream_is_still_open(detector) -> None:
    readings: queue.SimpleQueue = queue.SimpleQueue()
    answers = detector.call("detect", iter(readings.get, None))
    readings.put(detector.message("Reading", number=1, value=20.0))
    first = next(answers)
    readings.put(None)

    assert first.reading.number == 1
    assert list(answers) == []


def test_the_page_shows_what_arrived(dashboard) -> None:
    show(dashboard, judgement(dashboard, 1), judgement(dashboard, 2, value=37.25, anomaly=True))
    page, headers = get(dashboard, "/")

    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "7 readings, 1 anomalies" in page
    assert "<td>37.25</td>" in page
    assert page.count("<circle") == 1


def test_the_live_part_is_the_same_as_in_the_page(dashboard) -> None:
    show(dashboard, judgement(dashboard, 1))

    assert get(dashboard, "/live")[0] in get(dashboard, "/")[0]


def test_hostile_text_is_only_text_in_the_page(dashboard) -> None:
    show(dashboard, judgement(dashboard, 1, sensor=HOSTILE))
    page, headers = get(dashboard, "/")

    assert "&lt;/td&gt;&lt;script&gt;alert(&#x27;1&#x27;)" in page
    assert "<script>" not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_json_endpoint_gives_the_readings(dashboard) -> None:
    show(dashboard, judgement(dashboard, 7, value=21.5, anomaly=True))
    text, headers = get(dashboard, "/readings.json?at=now")

    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(text)[-1] == {
        "number": 7, "sensor": "s", "value": 21.5, "mean": 20.0, "deviation": 1.0, "anomaly": True,
    }  # fmt: skip


def test_values_that_json_and_svg_do_not_have_break_neither(dashboard) -> None:
    values = [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 20.0, 21.0]
    show(dashboard, *(judgement(dashboard, n, value=value) for n, value in enumerate(values)))
    readings = json.loads(get(dashboard, "/readings.json")[0], parse_constant=pytest.fail)
    page = get(dashboard, "/")[0]

    assert [reading["value"] for reading in readings] == [None, None, None, 1e308, -1e308, 20.0, 21.0]
    assert '<polyline points="660.0,230.0 790.0,10.0"/>' in page


def test_the_dashboard_keeps_only_the_newest_readings(dashboard) -> None:
    dashboard.call("show", (judgement(dashboard, number) for number in range(1, 31)))
    numbers = [reading["number"] for reading in json.loads(get(dashboard, "/readings.json")[0])]

    assert numbers == list(range(24, 31))


@pytest.mark.parametrize("path", ["/nothing", "/../node.py", "/static/page.html", "/%2e%2e/node.py"])
def test_other_paths_are_not_found(dashboard, path) -> None:
    with pytest.raises(urllib.error.HTTPError) as missing:
        get(dashboard, path)

    assert missing.value.code == 404
    missing.value.close()


def test_readings_travel_from_the_sensor_to_the_page(sensor, detector, dashboard) -> None:
    readings = sensor.call("sense", sensor.message("Empty"))
    judged = detector.call("detect", readings)
    answer = dashboard.call("show", judged)
    text = get(dashboard, "/")[0]

    assert answer.DESCRIPTOR.name == "Empty"
    assert "<td>60</td>" in text
