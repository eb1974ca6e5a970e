#!/usr/bin/env python3
"""Print the status of the orchestrator of a pipeline, or stop its run.

Needs Python 3.8, grpcio and protobuf. Exit code 0: done; 1: the orchestrator failed or did not answer; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys

import grpc
import orchestrator_pb2
import orchestrator_pb2_grpc

ANSWER_SECONDS = 30


def main(arguments: list[str] | None = None) -> int:
    """Ask and print; return the exit code."""
    options = parse(arguments)
    label = orchestrator_pb2.RunLabel(label=options.label)
    try:
        with grpc.insecure_channel(options.endpoint) as channel:
            stub = orchestrator_pb2_grpc.OrchestratorStub(channel)
            ask = stub.stop_orchestration if options.stop else stub.get_status
            status = ask(label, timeout=ANSWER_SECONDS)
    except grpc.RpcError as failure:
        print(f"error: {options.endpoint}: {failure.code().name}: {failure.details()!r}", file=sys.stderr)
        return 1
    print(as_json(status) if options.json else as_text(status))
    return 0 if status.success or status.code == 0 else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; wrong arguments end the program with exit code 2."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-e", "--endpoint", metavar="HOST:PORT", help="the orchestrator; instead of --host and --port")
    parser.add_argument("-H", "--host", help="host name or IP address of the orchestrator")
    parser.add_argument("-p", "--port", type=int, help="port of the orchestrator")
    parser.add_argument("-l", "--label", default="", help="label of the run (default: all runs)")
    parser.add_argument("--stop", action="store_true", help="stop the run instead of asking for its status")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.endpoint is None:
        if options.host is None or options.port is None:
            parser.error("say where the orchestrator is: --endpoint HOST:PORT, or --host and --port")
        options.endpoint = f"{options.host}:{options.port}"
    return options


def as_text(status: orchestrator_pb2.OrchestrationStatus) -> str:
    """Return the status as a line of text."""
    return f"{status.message!r} (code {status.code}), active operations: {status.active_threads}"


def as_json(status: orchestrator_pb2.OrchestrationStatus) -> str:
    """Return the status as a line of JSON."""
    return json.dumps(
        {
            "success": status.success,
            "code": status.code,
            "message": status.message,
            "active_threads": status.active_threads,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
