r"""The texts that Kubernetes accepts in options, as annotated types: their JSON Schema is the documentation.

Where everybody writes a number (`cpu: 1`, `PORT: 8080`), one is accepted; `text` makes of it what Kubernetes wants.
Every pattern ends with `$(?!\n)`: Python's `$` alone would let a last line break through.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

_END = r"$(?!\n)"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_QUALIFIED = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"

_CPU = rf"^(?:[0-9]{{1,6}}(?:\.[0-9]{{1,3}})?|[0-9]{{1,9}}m){_END}"
_BYTES = rf"^[1-9][0-9]{{0,14}}(?:\.[0-9]{{1,3}})?(?:[kMGTPE]|[KMGTPE]i)?{_END}"

Cpu = (
    Annotated[
        str,
        Meta(
            pattern=_CPU,
            description="Processor cores: `2`, `0.5` or `500m` (thousandths); a number counts cores.",
            examples=["500m"],
        ),
    ]
    | Annotated[int, Meta(ge=0, le=999_999)]
    | Annotated[float, Meta(ge=0, lt=1e6)]
)
Bytes = (
    Annotated[
        str,
        Meta(
            pattern=_BYTES,
            description="An amount of bytes: `512Mi`, `2Gi`, `1G`; a number counts bytes.",
            examples=["512Mi"],
        ),
    ]
    | Annotated[int, Meta(ge=1, lt=10**15)]
    | Annotated[float, Meta(ge=1, lt=1e15)]
)
ObjectName = Annotated[str, Meta(pattern=rf"^{_SUBDOMAIN}{_END}", max_length=253)]
LabelKey = Annotated[str, Meta(pattern=rf"^(?:{_SUBDOMAIN}/)?{_QUALIFIED}{_END}", max_length=317)]
LabelValue = Annotated[str, Meta(pattern=rf"^(?:{_QUALIFIED})?{_END}", max_length=63)]
ResourceName = Annotated[
    str, Meta(pattern=rf"^{_SUBDOMAIN}/{_QUALIFIED}{_END}", max_length=200, examples=["nvidia.com/gpu"])
]
VariableName = Annotated[
    str, Meta(pattern=rf"^[A-Za-z_][A-Za-z0-9_]*{_END}", max_length=253, description="Letters, digits and `_`.")
]
# NUL ends a text where a process reads its environment; the length keeps a pod far below what etcd stores.
# The bounds of numbers are those of 64 bits; neither infinity nor "not a number" lies within.
VariableValue = (
    Annotated[str, Meta(pattern=r"^[^\u0000]*$", max_length=32_768)]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    | Annotated[float, Meta(ge=-1.7e308, le=1.7e308)]
    | bool
)
Host = Annotated[
    str,
    Meta(
        pattern=rf"^(?:\*\.)?{_SUBDOMAIN}{_END}",
        max_length=190,  # of 253, less a node's name and a dot
        description="A host name. `*.apps.example.org` gives node `gui1` the host `gui1.apps.example.org`.",
        examples=["*.apps.example.org"],
    ),
]
Collector = Annotated[
    str,
    Meta(
        pattern=rf"^https?://{_SUBDOMAIN}(?::[1-9][0-9]{{0,4}})?(?:/[A-Za-z0-9._~/-]*)?{_END}",
        max_length=1000,
        examples=["http://collector.observability.svc:4318"],
    ),
]

_POWERS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


def text(value: str | float | bool) -> str:  # noqa: FBT001 - a value, no switch
    """Return a value as its author wrote it: `8080`, `0.5`, `true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def refuse_odd_cpu(value: Cpu) -> None:
    """Refuse a number of cores that is no `Cpu` as a text: ValueError."""
    if not re.match(_CPU, text(value)):
        raise ValueError("expected cores with at most three decimals")


def refuse_odd_bytes(value: Bytes) -> None:
    """Refuse a number of bytes that is no `Bytes` as a text: ValueError."""
    if not re.match(_BYTES, text(value)):
        raise ValueError("expected bytes with at most three decimals")


@lru_cache(maxsize=256)
def amount(quantity: str) -> Decimal:
    """Return what a `Cpu` or `Bytes` text amounts to, in cores or bytes."""
    suffix = quantity.lstrip("0123456789.")
    return Decimal(quantity.removesuffix(suffix)) * _POWERS[suffix]
