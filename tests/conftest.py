"""What every test may use: the place of the test data, and nothing global."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files anew; CI refuses it, or a wrong output would become the expected one."""
    parser.addoption("--regenerate", action="store_true", help="write the golden bundles anew")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to regenerate in CI; let programs be interrupted that tests start."""
    # A shell starts what runs in its background with Ctrl-C ignored, and every program down from there inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--regenerate") and os.environ.get("CI"):
        raise pytest.UsageError("--regenerate: not in CI, where the golden files are what is tested")


@pytest.fixture(autouse=True)
def _no_words_of_another_test() -> None:
    """Let no test log what another one's request has bound: tests run in any order, in one thread."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder with real inputs: `SLIPWAY_TEST_DATA`, by default `../shared` beside the repository."""
    folder = Path(os.environ.get("SLIPWAY_TEST_DATA") or ROOT.parent / "shared")
    if not (folder / "corpus").is_dir():
        message = f"no test data at {folder}: set SLIPWAY_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
