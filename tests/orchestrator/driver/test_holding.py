"""A deployment is held for a time, or until somebody ends it."""

from __future__ import annotations

import asyncio
from argparse import Namespace

import pytest

from orchestrator.driver import arguments, holding
from orchestrator.settings import Settings
from shared import settings
from shared.workflows import driver_calls


def held(*command: str) -> Namespace:
    return arguments.parser().parse_args([*command[1:]])


def test_it_ends_well_after_the_given_time():
    chosen = held(*driver_calls.hold(timeout="0.01"))

    assert asyncio.run(holding.run(chosen, settings.load(Settings, {}))) == 0


def test_without_a_time_it_is_held_until_it_is_ended():
    chosen = held(*driver_calls.hold())

    async def ended() -> None:
        async with asyncio.timeout(0.05):
            await holding.run(chosen, settings.load(Settings, {}))

    with pytest.raises(TimeoutError):
        asyncio.run(ended())
