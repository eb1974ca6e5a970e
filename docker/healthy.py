# ruff: noqa: INP001 - a program that lies beside nothing else
"""The health check of every image: exits with 0 when the service in this container answers, with 1 and a line when not.

Whether it can do its work is another question, which `/readyz` answers: a service that waits for its upstream is well.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4  # less than the HEALTHCHECK's, so that the line below is seen


def main() -> int:
    """Ask once."""
    try:
        found = ask_grpc() if os.environ["SLIPWAY_SERVICE"] == "orchestrator" else ask_http()
    except (OSError, HTTPException) as problem:
        found = str(problem)
    sys.stdout.write(found + "\n")
    return 0 if found in {"SERVING", "200"} else 1


def ask_http() -> str:
    """Return the status of `/healthz`."""
    port = int(os.environ["SLIPWAY_BIND"].rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", "/healthz")
    return str(connection.getresponse().status)


def ask_grpc() -> str:
    """Return what the gRPC health service says of the whole server."""
    import grpc  # noqa: PLC0415 - only the orchestrator's image has it
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    port = int(os.environ.get("SLIPWAY_PORT") or 8061)
    directly = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=directly) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError as problem:
            return str(problem.code())
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


if __name__ == "__main__":
    sys.exit(main())
