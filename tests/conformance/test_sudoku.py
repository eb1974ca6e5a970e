"""The sudoku pipeline of the ecosystem runs end to end, with stand-ins made from its own protos."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from support import sudoku_nodes
from support.pipelines import served

from orchestrator.pipeline import Configuration


def test_the_sudoku_pipeline_shows_every_solution_in_order(test_data, tmp_path):
    folder = test_data / "corpus" / "solutions" / "ai4eu-graphene--sudoku-stream"
    command = [sys.executable, str(Path(sudoku_nodes.__file__)), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        protos = {path.name: path.read_bytes() for path in folder.glob("microservice/*.proto")}
        dockerinfo = json.loads((folder / "dockerinfo.json").read_text())
        for entry in dockerinfo["docker_info_list"]:
            entry["port"] = port
        configuration = Configuration((folder / "blueprint.json").read_bytes(), json.dumps(dockerinfo), protos)

        async def scenario():
            async with served(tmp_path) as server:
                await server.engine.initialize(configuration)
                run = await server.engine.run("")
                await asyncio.wait_for(run.ended(), 30)
                return run

        run = asyncio.run(scenario())
        shown = json.loads(process.stdout.readline())

    assert (run.state, run.reason) == ("completed", "")
    assert shown == [[1, game] for game in range(1, 6)]
    assert (run.account.entered, run.account.undelivered) == (20, 0)
