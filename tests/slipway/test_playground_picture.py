"""The picture in the README is the one that our pages draw today."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from slipway import playground_picture


def test_the_picture_is_of_today() -> None:
    stored = playground_picture.TARGET.read_text(encoding="utf-8")

    assert stored == playground_picture.picture(), "write it anew: make generated"


def test_the_picture_shows_what_runs() -> None:
    drawn = ET.fromstring(playground_picture.picture())  # noqa: S314 - our own text

    nodes = [element.get("data-node") for element in drawn.iter() if element.get("data-node")]

    assert nodes == ["sensor", "detector", "dashboard"]
