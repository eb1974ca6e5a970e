"""Processes: what they are told, what they may use, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.leaks import leaked_since, open_things

from shared.processes import leftovers, ports
from shared.processes.environment import allowed
from shared.processes.log import Log
from shared.processes.process import Command, Limits, Process, start
from shared.processes.pump import Pump

Start = Callable[..., tuple[Process, Log]]
UNLIMITED = Limits()


@pytest.fixture
def pump() -> Iterator[Pump]:
    made = Pump()
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, pump: Pump) -> Iterator[Start]:
    started: list[tuple[Process, Log]] = []

    def run_python(code: str, *, limits: Limits = UNLIMITED, **environment: str) -> tuple[Process, Log]:
        log = Log(tmp_path / f"{len(started)}.log")
        command = Command((sys.executable, "-c", code), tmp_path, environment, limits)
        started.append((start(command, log, pump), log))
        return started[-1]

    yield run_python
    for process, log in started:
        process.kill()
        process.wait(10)
        log.close()


def until(found: Callable[[], object], seconds: float = 10) -> object:
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.01)
    assert value
    return value


def exists(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def test_the_output_of_both_kinds_goes_to_the_log(run: Start) -> None:
    process, log = run("import sys; print('out', flush=True); print('err', file=sys.stderr)")

    assert process.wait(10) == 0
    until(lambda: log.tail(2) == ["out", "err"])


def test_a_process_is_told_only_what_was_chosen(run: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_JWT_SECRET", "canary")
    process, log = run("import os; print(sorted(os.environ))", ONLY="this", LC_ALL="C.UTF-8")

    process.wait(10)

    until(lambda: log.tail(1) == ["['LC_ALL', 'ONLY']"])


def test_what_is_inherited_is_named() -> None:
    environ = {"PATH": "/bin", "SECRET": "canary", "PYTHONPATH": "/x"}

    assert allowed({"PORT": "1"}, environ=environ) == {"PATH": "/bin", "PORT": "1"}


def test_no_file_of_the_server_is_inherited(run: Start, tmp_path: Path) -> None:
    secret = os.open(tmp_path / "secret", os.O_RDWR | os.O_CREAT)
    process, log = run("import os; print(len(os.listdir('/dev/fd')))")

    process.wait(10)

    until(lambda: log.tail(1) == ["4"])  # three and the one that lists
    os.close(secret)


def test_limits_hold(run: Start) -> None:
    code = "import resource as r; print([r.getrlimit(x) for x in (r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_CPU)])"
    process, log = run(code, limits=Limits(open_files=99, cpu_seconds=7))

    process.wait(10)

    until(lambda: log.tail(1) == ["[(0, 0), (99, 99), (7, 7)]"])


def test_memory_beyond_the_limit_is_refused(run: Start) -> None:
    process, log = run("x = bytearray(200 << 20)", limits=Limits(memory_bytes=100 << 20))

    assert process.wait(10) == 1
    until(lambda: log.tail(1) == ["MemoryError"])


def test_a_program_that_is_not_there_says_so(tmp_path: Path, pump: Pump) -> None:
    log = Log(tmp_path / "x.log")
    process = start(Command(("/no/such/program",), tmp_path), log, pump)

    assert process.wait(10) == 127
    until(lambda: log.tail(1) == ["cannot run '/no/such/program': No such file or directory"])
    log.close()


def test_ending_asks_first(run: Start) -> None:
    code = "import signal, time; signal.signal(15, lambda *_: exit(3)); print('up', flush=True); time.sleep(60)"
    process, log = run(code)
    until(lambda: log.tail(1) == ["up"])

    assert process.end(10) == 3


def test_who_does_not_listen_is_killed(run: Start) -> None:
    process, log = run(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    until(lambda: log.tail(1) == ["up"])

    assert process.end(0.1) == -signal.SIGKILL


GRANDCHILD = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']{}); print(c.pid, flush=True)"


def test_what_a_process_leaves_behind_is_killed_with_it(run: Start) -> None:
    process, log = run(GRANDCHILD.format(""))
    assert process.wait(10) == 0
    (pid,) = until(lambda: log.tail(1))

    until(lambda: not exists(int(pid)))


def test_a_child_that_left_the_group_is_found_by_its_mark(run: Start) -> None:
    process, log = run(GRANDCHILD.format(", start_new_session=True"), **{leftovers.VARIABLE: "mark-1/a"})
    process.wait(10)
    (pid,) = until(lambda: log.tail(1))
    assert exists(int(pid))

    assert leftovers.end("mark-1") == 1
    assert not exists(int(pid))


@pytest.mark.parametrize("mark", ["mark-", "mark-10", "mark-1/b", "other"])
def test_nobody_with_another_mark_is_touched(run: Start, mark: str) -> None:
    process, log = run("import time; print('up', flush=True); time.sleep(60)", **{leftovers.VARIABLE: "mark-1/a"})
    until(lambda: log.tail(1))

    assert leftovers.end(mark) == 0
    assert process.status is None


def test_a_signal_after_the_end_reaches_nobody(run: Start) -> None:
    process, _ = run("")
    process.wait(10)

    process.kill()
    process.terminate()

    assert process.status == 0


def test_no_child_outlives_a_killed_server(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from shared.processes.log import Log
from shared.processes.process import Command, start
from shared.processes.pump import Pump
folder = Path({str(tmp_path)!r})
process = start(Command((sys.executable, "-c", "import time; time.sleep(60)"), folder), Log(folder / "log"), Pump())
print(process.pid, flush=True)
time.sleep(60)
"""
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    until(lambda: b"launcher" not in Path(f"/proc/{pid}/cmdline").read_bytes())

    server.kill()
    server.wait()
    server.stdout.close()

    until(lambda: not exists(pid), seconds=2)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = open_things()
    pump = Pump()
    logs = [Log(tmp_path / f"left-{number}.log") for number in range(5)]
    processes = [start(Command((sys.executable, "-c", ""), tmp_path), log, pump) for log in logs]

    for process in processes:
        process.wait(10)
    pump.close()
    for log in logs:
        log.close()

    assert leaked_since(before) == (0, 0)
    assert not any(Path(f"/proc/{process.pid}").exists() for process in processes)


def test_free_ports_differ_and_leave_out_what_is_taken() -> None:
    found = ports.free(50)

    assert len(set(found)) == 50
    assert not set(ports.free(50, taken=found)) & set(found)


def test_claimed_ports_differ_and_nobody_listens_on_them() -> None:
    claims = ports.claimed(50)
    found = [claim.port for claim in claims]
    is_taken = [ports.answers(port) for port in found]
    for claim in claims:
        claim.__exit__(None, None, None)

    assert len(set(found)) == 50
    assert not any(is_taken)


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    (claim,) = ports.claimed(1)
    with socket.create_server((ports.LOOPBACK, claim.port)):
        with claim:
            pass

        assert not ports._is_free(claim.port)


def test_a_claimed_port_is_handed_out_again_only_when_it_is_let_go() -> None:
    (claim,) = ports.claimed(1)
    others = ports.claimed(1)
    try:
        with socket.create_server((ports.LOOPBACK, claim.port)):
            assert ports.answers(claim.port)
        assert not ports._is_free(claim.port)
    finally:
        for each in (claim, *others):
            each.__exit__(None, None, None)

    assert ports._is_free(claim.port)
