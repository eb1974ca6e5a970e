"""Compiles protos in a process of its own: foreign text meets protoc only behind limits on memory, time and file size.

Run by path with an empty environment, isolated from `sys.path`. Reads jobs as JSON on standard input, writes what
protoc said as JSON to standard output. One process compiles hundreds of files: starting one costs more than a file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 20
FILE_BYTES = 64 << 20


def main() -> None:
    """Compile each job and report `[exit code, messages]` for each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    jobs: list[list[str]] = json.load(sys.stdin)
    report = os.dup(1)
    os.dup2(2, 1)  # whatever prints in between stays out of the report
    results = [_compile(arguments) for arguments in jobs]
    with os.fdopen(report, "w") as stream:
        json.dump(results, stream)


def _compile(arguments: list[str]) -> tuple[int, str]:
    from grpc_tools import _protoc_compiler  # noqa: PLC0415 loaded under the limits

    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        code = _protoc_compiler.run_main([b"protoc", *(argument.encode() for argument in arguments)])
        messages.seek(0)
        return code, messages.read(64 << 10).decode(errors="replace")


if __name__ == "__main__":
    main()
