"""Where the nodes are: `--node NODE=HOST:PORT`, or the file that `deploy` has written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.driver import planning, reaching
from shared.errors import InvalidRequestError, UsageError
from shared.findings import quoted
from shared.solution import Solution

_MOST_BYTES = 1 << 20


def addresses_of(solution: Solution, given: Sequence[str], endpoints: str | None) -> dict[str, str]:
    """Return `host:port` by node; what the command line says comes before the file.

    Raises:
        UsageError: a node is unknown, given twice, or missing.
        InvalidRequestError: the file cannot be read.
    """
    addresses = {}
    for name, address in (text.partition("=")[::2] for text in given):
        node = planning.named(solution, name)
        if node in addresses:
            raise UsageError(f"--node: expected every node once, found {quoted(name)} again")
        addresses[node] = _checked(name, address)
    for name, address in _read(endpoints):
        node = planning.named(solution, name)
        addresses.setdefault(node, _checked(name, address))
    missing = [name for name in planning.called_nodes(solution) if name not in addresses]
    if missing:
        raise UsageError(f"--node: expected NODE=HOST:PORT for every node, found none for {', '.join(missing)}")
    return addresses


def _checked(name: str, address: str) -> str:
    try:
        reaching.host_and_port(address)
    except ValueError as problem:
        raise UsageError(f"--node {name}: {problem}") from problem
    return address


def _read(file: str | None) -> Iterator[tuple[str, str]]:
    if file is None:
        return
    try:
        text = Path(file).read_bytes()[: _MOST_BYTES + 1]
        found = json.loads(text)
    except (OSError, ValueError) as problem:
        raise InvalidRequestError(f"--endpoints: expected a JSON file: {problem}") from problem
    if not isinstance(found, dict) or not all(isinstance(address, str) for address in found.values()):
        raise InvalidRequestError('--endpoints: expected {"node": "host:port"}')
    yield from found.items()
