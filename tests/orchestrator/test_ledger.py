"""What a killed orchestrator had counted is read again at its next start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.ledger import Ledger
from orchestrator.tally import DELIVERED, ENTERED, WIDTH, Account

KILLED = """
import os, pathlib, signal, sys
from orchestrator.ledger import Ledger
from orchestrator.tally import DELIVERED, ENTERED, WIDTH
counts = Ledger(pathlib.Path(sys.argv[1])).begin("one", 5.0, ["a -> b", "b -> c"])
for _ in range(1000):
    counts[ENTERED] += 1
    counts[WIDTH + ENTERED] += 1
    counts[WIDTH + DELIVERED] += 1
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_counts_of_a_killed_process_are_exact(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (lost,) = Ledger(tmp_path).take()

    assert killed.returncode == -9
    assert (lost.label, lost.started_at) == ("one", 5.0)
    assert lost.account == Account(entered=2000, delivered=1000, undelivered=1000)


def test_a_lost_run_is_told_once(tmp_path):
    Ledger(tmp_path).begin("one", 5.0, ["a -> b"])

    assert len(Ledger(tmp_path).take()) == 1
    assert Ledger(tmp_path).take() == ()


def test_a_run_that_ended_leaves_nothing(tmp_path):
    ledger = Ledger(tmp_path)
    counts = ledger.begin("one", 5.0, ["a -> b"])
    ledger.end("one")
    counts[ENTERED] = 3

    assert (list(tmp_path.iterdir()), counts[ENTERED], counts[DELIVERED]) == ([], 3, 0)


@pytest.mark.parametrize("content", [b"", b"{", b"\x02" + bytes(7) + b"{}", b"\xff" * 64, bytes(4096)])
def test_a_file_that_cannot_be_read_is_no_reason_not_to_start(tmp_path, content):
    (tmp_path / "x.run").write_bytes(content)

    assert Ledger(tmp_path).take() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_no_reason_not_to_run(tmp_path):
    (tmp_path / "file").write_text("")

    counts = Ledger(tmp_path / "file").begin("one", 5.0, ["a -> b"])

    assert len(counts) == WIDTH
