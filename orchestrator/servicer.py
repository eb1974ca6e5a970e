"""Graphene's `Orchestrator` service, unchanged for its clients: failures are a status with a code, not a gRPC error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from orchestrator.engine import Engine
from orchestrator.pipeline import Configuration, report
from orchestrator.run import Run, State
from orchestrator.services import code_of, handler, text_of
from shared.errors import SlipwayError
from shared.findings import Findings
from shared.orchestration.generated import orchestrator_pb2 as messages

Context = grpc.aio.ServicerContext[Any, Any]
Status = messages.OrchestrationStatus


class GrapheneServicer:
    """Translates between Graphene's messages and the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def handler(self) -> grpc.GenericRpcHandler[Any, Any]:
        """What a server is given."""
        service = messages.DESCRIPTOR.services_by_name["Orchestrator"]
        return handler(service, {method.name: getattr(self, method.name) for method in service.methods})

    async def initialize(self, request: messages.OrchestrationConfiguration, _: Context) -> Status:
        """Replace the pipeline."""
        configuration = Configuration(
            request.blueprint.encode(),
            request.dockerinfo,
            {name: text.encode() for name, text in request.protofiles.items()},
            request.queuesize,
            request.iterations,
        )
        try:
            findings = await self._engine.initialize(configuration)
        except SlipwayError as problem:
            return self._failure(problem)
        return self._success(_text("initialized", findings))

    async def run(self, request: messages.RunLabel, _: Context) -> Status:
        """Start a run."""
        try:
            await self._engine.run(request.label)
        except SlipwayError as problem:
            return self._failure(problem)
        return self._success("running")

    async def observe(
        self, request: messages.OrchestrationObservationConfiguration, context: Context
    ) -> AsyncIterator[messages.OrchestrationEvent]:
        """Send events until the caller cancels."""
        observer = self._engine.events.subscribe(request.name_regex, request.component_regex)
        try:
            await context.send_initial_metadata(())
            while True:
                event = await observer.next()
                yield messages.OrchestrationEvent(
                    run=event.run, name=event.name, component=event.component, detail=event.detail
                )
        finally:
            self._engine.events.unsubscribe(observer)

    async def get_status(self, request: messages.RunLabel, _: Context) -> Status:
        """Say what the runs of the label do; an empty or unknown label means all."""
        runs = self._engine.find(request.label)
        failed = next((run for run in runs if run.state is State.FAILED), None)
        if failed is not None and not any(run.active_operations for run in runs):
            code = grpc.StatusCode.ABORTED.value[0]
            return Status(success=False, code=code, message=f"failed: {failed.reason}", active_threads=0)
        return self._success(self._state(runs), runs)

    async def stop_orchestration(self, request: messages.RunLabel, _: Context) -> Status:
        """Stop the runs of the label."""
        runs = self._engine.find(request.label)
        for run in runs:
            await run.cancel()
        return self._success("stopped", runs)

    def _state(self, runs: list[Run]) -> str:
        if runs:
            return ", ".join(sorted({run.state.value for run in runs}))
        return "not initialized" if self._engine.plan is None else "initialized"

    def _success(self, message: str, runs: list[Run] | None = None) -> Status:
        runs = self._engine.find("") if runs is None else runs
        active = sum(run.active_operations for run in runs)
        return Status(success=True, code=0, message=message, active_threads=active)

    def _failure(self, problem: SlipwayError) -> Status:
        text = text_of(problem)
        self._engine.events.emit("exception", method="initialize", traceback=text)
        return Status(success=False, code=code_of(problem).value[0], message=text)


def _text(word: str, findings: Findings) -> str:
    text = report(findings)
    return f"{word}\n{text}" if text else word
