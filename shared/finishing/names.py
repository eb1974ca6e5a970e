"""What a person types is checked before kubectl is called at all, so that no value can read as an option. Pure."""

from __future__ import annotations

import re

# RFC 1123 label and subdomain, RFC 1035 label: what Kubernetes takes as the name of a namespace, a Secret, a Service.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SECRET_PATTERN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NODE_PATTERN = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class UsageError(ValueError):
    """The command line cannot be meant so; nothing was done."""


def checked_namespace(value: str) -> str:
    """Return the namespace.

    Raises:
        UsageError: it is none.
    """
    return _checked(NAMESPACE_PATTERN, value, what="namespace: lower-case letters, digits and '-', at most 63")


def checked_secret(value: str) -> str:
    """Return the name of a Secret.

    Raises:
        UsageError: it is none.
    """
    return _checked(SECRET_PATTERN, value, what="secret name: lower-case letters, digits, '-' and '.'")


def checked_node(value: str) -> str:
    """Return the name of a node.

    Raises:
        UsageError: it is none.
    """
    return _checked(NODE_PATTERN, value, what="node: lower-case letters, digits and '-', at most 63")


def _checked(pattern: re.Pattern[str], value: str, *, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"expected a {what}; found {value!r}")
    return value
