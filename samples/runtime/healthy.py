"""The health check of a node's image: exits with 0 when the node takes calls, with 1 and a line when it does not."""

import sys
from pathlib import Path

import grpc
from serving import PORT, number_setting

SECONDS = 4  # less than the HEALTHCHECK's, so that the line below is seen
DIRECTLY = (("grpc.enable_http_proxy", 0),)


def main() -> int:
    """Connect once; HTTP/2 has greeted then, which a port that is merely open does not."""
    if not list(Path(__file__).parent.glob("*_pb2_grpc.py")):
        return 0  # a job takes no calls: it is well as long as it runs
    address = f"127.0.0.1:{number_setting('PORT', PORT)}"
    with grpc.insecure_channel(address, options=DIRECTLY) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=SECONDS)
        except grpc.FutureTimeoutError:
            sys.stdout.write(f"expected a gRPC server at {address}, found none in {SECONDS} s\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
