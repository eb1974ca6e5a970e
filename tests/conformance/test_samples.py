"""The project's own samples run with their own nodes, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.pipelines import served

from orchestrator.pipeline import Configuration
from orchestrator.run import Run

SAMPLES = Path(__file__).parent.parent.parent / "samples"


class Node:
    """One node of a sample."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}")]

    async def port(self) -> int:
        while True:
            for event in self.events():
                if event["event"] == "serving":
                    return int(str(event["port"]))
            assert self.process.poll() is None, self._log.read_text()
            await asyncio.sleep(0.05)


@contextmanager
def node(sample: str, name: str, folder: Path, **environ: str) -> Iterator[Node]:
    log = folder / f"{name}.log"
    variables = {**os.environ, "PORT": "0", "WEB_UI_PORT": "0", "SHARED_FOLDER_PATH": str(folder), **environ}
    command = [sys.executable, str(SAMPLES / "run.py"), f"{sample}/{name}"]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, env=variables) as process:
        try:
            yield Node(process, log)
        finally:
            process.terminate()
            process.wait(20)


def run(
    sample: str, folder: Path, *, seconds: float = 40, drain_after: float = 0, iterations: int = 0, **environ: str
) -> tuple[Run, dict[str, Node]]:
    blueprint = (SAMPLES / sample / "blueprint.json").read_bytes()
    protos = {path.name: path.read_bytes() for path in (SAMPLES / sample / "microservice").glob("*.proto")}
    with ExitStack() as stack:
        names = [path.stem for path in (SAMPLES / sample / "microservice").glob("*.proto")]
        nodes = {name: stack.enter_context(node(sample, name, folder, **environ)) for name in names}

        async def scenario() -> Run:
            entries = [
                {"container_name": name, "ip_address": "127.0.0.1", "port": await started.port()}
                for name, started in nodes.items()
            ]
            dockerinfo = json.dumps({"docker_info_list": entries})
            async with served(folder) as server:
                await server.engine.initialize(Configuration(blueprint, dockerinfo, protos, iterations=iterations))
                going = await server.engine.run("")
                if drain_after:
                    await asyncio.sleep(drain_after)
                    await going.drain(10)
                await asyncio.wait_for(going.ended(), seconds)
                return going

        return asyncio.run(scenario()), nodes


def told(node: Node, event: str) -> list[dict[str, object]]:
    return [entry for entry in node.events() if entry["event"] == event]


def test_the_calculator_joins_what_it_split(tmp_path):
    done, nodes = run("calculator", tmp_path)

    shown = told(nodes["printer"], "results_shown")
    assert (done.state, done.account.undelivered) == ("completed", 0)
    assert [entry["numbers"] for entry in shown] == [[number] for number in range(1, 11)]
    assert all(set(dict(entry["values"])) == {"sum", "product"} for entry in shown)


def test_the_code_breaker_goes_round_until_the_code_is_broken(tmp_path):
    done, nodes = run("code-breaker", tmp_path)

    assert (done.state, done.account.undelivered) == ("completed", 0)
    assert len(told(nodes["player"], "code_broken")) == 1


def test_the_sensor_stream_is_drained_without_a_loss(tmp_path):
    done, nodes = run("sensor-stream", tmp_path, drain_after=1.5)

    sent = [entry["number"] for entry in told(nodes["sensor"], "reading_sent")]
    shown = [entry["number"] for entry in told(nodes["dashboard"], "reading_shown")]
    assert (done.state, done.account.undelivered) == ("stopped", 0)
    assert len(shown) >= 3
    # While it was being told to stop, the sensor may have sent one more, or not have said yet that it sent one.
    both = min(len(sent), len(shown))
    assert shown[:both] == sent[:both]
    assert abs(len(sent) - len(shown)) <= 1


def test_the_word_count_reads_what_its_job_has_left_in_the_shared_folder(tmp_path):
    with node("word-count", "seed", tmp_path) as seed:
        seed.process.wait(30)

    done, nodes = run("word-count", tmp_path)

    assert (done.state, done.account.undelivered) == ("completed", 0)
    assert all(len(node.events()) > 1 for node in nodes.values())
