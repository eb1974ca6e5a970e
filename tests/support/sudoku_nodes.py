"""Stand-ins for the three nodes of the sudoku pipeline, on messages made from its own protos.

Run as a program with the solution's folder: prints its port, later one line of JSON with what the GUI was shown.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from shared.protobuf import Compiler, Descriptors, Rpc, message_class

GAMES = 5


class Nodes:
    """GUI, evaluator and solver: the evaluator asks the solver through the orchestrator, in the midst of its own call."""

    def __init__(self, rpcs: dict[str, Rpc]) -> None:
        self.rpcs = rpcs
        self.questions: asyncio.Queue[int] = asyncio.Queue()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.shown: list[Any] = []
        self.all_shown = asyncio.Event()

    def empty(self, name: str) -> Any:
        return message_class(self.rpcs[name].output)()

    async def requestSudokuEvaluation(self, _: Any, __: Any) -> AsyncIterator[Any]:  # noqa: N802 as in the proto
        for game in range(GAMES):
            job = self.empty("requestSudokuEvaluation")
            job.field.extend([game + 1] * 81)
            yield job

    async def evaluateSudokuDesign(self, job: Any, _: Any) -> Any:  # noqa: N802
        await self.questions.put(job.field[0])
        answer = await self.answers.get()
        result = self.empty("evaluateSudokuDesign")
        result.status = 1
        result.solution.extend([len(answer.answers)] * 81)
        return result

    async def callAnswersetSolver(self, _: Any, __: Any) -> AsyncIterator[Any]:  # noqa: N802
        for _ in range(GAMES):
            job = self.empty("callAnswersetSolver")
            job.program = f"game({await self.questions.get()})."
            yield job

    async def receiveAnswersetSolverResult(self, results: Any, _: Any) -> Any:  # noqa: N802
        async for result in results:
            await self.answers.put(result)
        return self.empty("receiveAnswersetSolverResult")

    async def solve(self, job: Any, _: Any) -> Any:
        result = self.empty("solve")
        for _ in range(int(job.program[5:-2])):
            result.answers.add()
        return result

    async def processEvaluationResult(self, results: Any, _: Any) -> Any:  # noqa: N802
        async for result in results:
            self.shown.append([result.status, result.solution[80]])
        self.all_shown.set()
        return self.empty("processEvaluationResult")


def handlers(nodes: Nodes) -> tuple[grpc.GenericRpcHandler, ...]:
    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
    }
    made = []
    for name, rpc in nodes.rpcs.items():
        make = kinds[rpc.input_stream, rpc.output_stream]
        reads, writes = message_class(rpc.input).FromString, message_class(rpc.output).SerializeToString
        made.append(
            grpc.method_handlers_generic_handler(
                rpc.path.split("/")[1], {name: make(getattr(nodes, name), reads, writes)}
            )
        )
    return tuple(made)


def compiled(folder: Path) -> dict[str, Rpc]:
    protos = {path.stem: path.read_bytes() for path in folder.glob("microservice/*.proto")}
    rpcs: dict[str, Rpc] = {}
    for found in Compiler().compile(protos, protos).values():
        assert isinstance(found, Descriptors)
        rpcs |= {rpc.path.rpartition("/")[2]: rpc for rpc in found.rpcs}
    return rpcs


async def main() -> None:
    nodes = Nodes(compiled(Path(sys.argv[1])))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(nodes))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)  # noqa: T201 the one who started this waits for it
    await nodes.all_shown.wait()
    print(json.dumps(nodes.shown), flush=True)  # noqa: T201
    await server.stop(5)


if __name__ == "__main__":
    asyncio.run(main())
