"""Logs and metrics: one line, one form, nothing secret, labels without ids."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from shared import telemetry
from shared.settings import Secret


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    kept = io.StringIO()
    structlog.contextvars.clear_contextvars()
    telemetry.configure_logs(level="info", stream=kept)
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_in_utc(stream: io.StringIO):
    structlog.get_logger().info("blueprint_fetched", nodes=3)

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "blueprint_fetched", "level": "info", "nodes": 3}


@pytest.mark.parametrize("hostile", ["a\nb", "a\r\nb", "\x1b[2J", "\u2028", "\x85", "é", "\ud800", "\x00"])
def test_hostile_text_stays_inside_its_line_and_ascii(stream: io.StringIO, hostile: str):
    structlog.get_logger().info("named", name=hostile)

    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()
    assert stream.getvalue()[:-1].isprintable()
    assert lines(stream)[0]["name"] == hostile


def test_a_secret_is_masked(stream: io.StringIO):
    structlog.get_logger().info("settings_read", key=Secret("canary"), nested={"key": Secret("canary")})

    assert "canary" not in stream.getvalue()


def test_a_query_is_cut_off_wherever_a_library_writes_one(stream: io.StringIO):
    logging.getLogger("urllib3").warning("Retrying: %s", "/deploy/a/b?jwtToken=canary&x=1 HTTP/1.1")

    (line,) = lines(stream)
    assert line["event"] == "Retrying: /deploy/a/b?… HTTP/1.1"


def test_a_librarys_warning_has_the_same_form(stream: io.StringIO):
    logging.getLogger("somebody").warning("careful %s", "now")

    (line,) = lines(stream)
    assert (line["event"], line["level"], sorted(line)) == ("careful now", "warning", ["event", "level", "timestamp"])


def test_a_librarys_chatter_is_left_out(stream: io.StringIO):
    logging.getLogger("urllib3").debug("GET /x?jwtToken=canary")
    logging.getLogger("urllib3").info("hello")

    assert stream.getvalue() == ""


def test_our_own_debug_events_are_left_out_at_level_info(stream: io.StringIO):
    structlog.get_logger().debug("detail")

    assert stream.getvalue() == ""


def test_an_exception_is_logged_in_the_same_line_without_local_variables(stream: io.StringIO):
    password = "canary"
    try:
        int(f"{len(password)} letters")
    except ValueError:
        structlog.get_logger().exception("failed")

    (line,) = lines(stream)
    assert line["exception"].endswith("with base 10: '6 letters'")
    assert "canary" not in line["exception"].replace('password = "canary"', "")


def test_a_librarys_exception_is_one_line_too(stream: io.StringIO):
    try:
        int("x")
    except ValueError:
        logging.getLogger("somebody").exception("failed")

    (line,) = lines(stream)
    assert line["exception"].endswith("with base 10: 'x'")


def test_requests_are_counted_by_template_method_and_status():
    metrics = telemetry.Metrics("tiny")
    for _ in range(3):
        metrics.observe(route="/v1/bundles", method="POST", status=200, seconds=0.02)
    metrics.observe(route="/v1/bundles", method="POST", status=422, seconds=40)

    text = generate_latest(metrics.registry).decode()

    assert 'slipway_http_requests_total{method="POST",route="/v1/bundles",service="tiny",status="200"} 3.0' in text
    assert 'slipway_http_requests_total{method="POST",route="/v1/bundles",service="tiny",status="422"} 1.0' in text
    assert 'slipway_http_request_seconds_bucket{le="0.025",route="/v1/bundles",service="tiny"} 3.0' in text
    assert 'slipway_http_request_seconds_bucket{le="30.0",route="/v1/bundles",service="tiny"} 3.0' in text
    assert 'slipway_http_request_seconds_count{route="/v1/bundles",service="tiny"} 4.0' in text
