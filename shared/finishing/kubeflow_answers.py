"""What stands in an answer of Kubeflow's API: what has to be there is, and nothing in it is of another type. Pure."""

from __future__ import annotations

import re
from typing import Any, Dict, List

Answer = Dict[str, Any]
# They become parts of paths.
IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def identity_of(found: Answer, key: str) -> str:
    """Return the id of an object.

    Raises:
        ValueError: it has none.
    """
    value = found.get(key)
    if not isinstance(value, str) or not IDENTITY.fullmatch(value):
        told = "nothing" if value is None else type(value).__name__ if not isinstance(value, str) else repr(value[:64])
        raise ValueError(f"the API answers without a {key}: found {told}; is --url the address of Kubeflow Pipelines?")
    return value


def text_of(found: Answer, key: str) -> str:
    """Return a text, empty where there is none."""
    value = found.get(key)
    return value if isinstance(value, str) else ""


def part_of(found: Answer, key: str) -> Answer:
    """Return an object within another one, empty where there is none."""
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def parts_of(found: Answer, key: str) -> List[Answer]:
    """Return the objects of a list.

    Raises:
        ValueError: it holds something else.
    """
    value = found.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"the API answers with something else than objects in {key}: is it Kubeflow Pipelines?")
    return value
