"""Any text → a name that Kubernetes accepts: always valid, the same on every run, different for different texts.

A text that is valid already stays as it is. Anything else is lower-cased where that settles it, or becomes
`<readable part>-<8 hex digits of its SHA-256>`. The rules are those of the Kubernetes documentation, "Object Names and
IDs", "Labels and Selectors" and "ConfigMaps", and of its validation code where the documentation is silent.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count

from shared.solution import ORCHESTRATOR

# 63, the limit of a label, less room for `webui` and for the suffixes of other derived names.
NAME_LIMIT = 52
LABEL_LIMIT = 63
CONFIG_KEY_LIMIT = 253
WEB_UI_SUFFIX = "webui"
RESERVED = frozenset({ORCHESTRATOR, ORCHESTRATOR + WEB_UI_SUFFIX})

_HASH_DIGITS = 8
# RFC 1035 as Kubernetes reads it: lower case, a letter first. Services allow no less strict name.
_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_NOT_LABEL = re.compile(r"[^a-z0-9]+")
_NOT_LABEL_VALUE = re.compile(r"[^A-Za-z0-9._-]+")
# Neither may begin with `..`: both can become a path.
_ENVIRONMENT_NAME = re.compile(r"(?!\.\.|\.\Z)[A-Za-z._-][A-Za-z0-9._-]*")
_CONFIG_KEY = re.compile(r"(?!\.\.|\.\Z)[A-Za-z0-9._-]+")


def node_names(container_names: Sequence[str]) -> tuple[str, ...]:
    """Name every node: one RFC 1035 label of at most `NAME_LIMIT` characters per container name, in order.

    No name equals another one, `<another>webui` or a reserved one, because Services share one namespace. The name
    depends on the set of container names and never on their order; equal container names get the same name.

    First come the names that are valid already, shorter before longer (of `a` and `awebui`, `a` stays). Then those that
    are valid in lower case, unless two differ only in case: Graphene lower-cases, its users know these names. The rest
    is hashed, once more as long as somebody else has chosen just that name.
    """
    distinct = sorted(set(container_names), key=lambda name: (len(name), name))
    spellings = Counter(map(str.lower, distinct))

    def lower_case(name: str) -> Iterator[str]:
        return iter([name.lower()] if spellings[name.lower()] == 1 else [])

    names: dict[str, str] = {}
    taken = set(RESERVED)
    for offer in (_itself, lower_case, _hashes):
        for original in distinct:
            if original not in names and (name := _first_free(offer(original), taken)):
                names[original] = name
                taken |= _claims(name)
    return tuple(names[original] for original in container_names)


def instance(solution_name: str, solution_id: str | None) -> str:
    """Return the value of `app.kubernetes.io/instance`: readable, and the same for every revision of a solution.

    A label of at most `NAME_LIMIT` characters, so that it can begin an object's name. Without an id, the name is hashed.
    """
    return _join(_slug(solution_name, fallback="solution"), solution_id or solution_name, NAME_LIMIT)


def label(text: str, *, limit: int = LABEL_LIMIT) -> str:
    """Return an RFC 1035 label of at most `limit` (10 or more) characters; a valid one stays unchanged.

    Of one text alone nobody can tell whether it looks like the hash of another: where that matters, see `node_names`.
    """
    return text if is_label(text, limit) else _join(_slug(text, fallback="x"), text, limit)


def label_value(text: str) -> str | None:
    """Return a label value, or None for the empty text: such a label is left out. A valid one stays unchanged."""
    if not text:
        return None
    if len(text) <= LABEL_LIMIT and _LABEL_VALUE.fullmatch(text):
        return text
    slug = _NOT_LABEL_VALUE.sub("-", text).lstrip("-_.") or "x"
    return _join(slug, text, LABEL_LIMIT)


def is_label(text: str, limit: int = LABEL_LIMIT) -> bool:
    """Tell whether `text` is an RFC 1035 label of at most `limit` characters: a valid name of a Service."""
    return len(text) <= limit and _LABEL.fullmatch(text) is not None


def is_environment_name(text: str) -> bool:
    """Tell whether every supported Kubernetes takes `text` as the name of an environment variable.

    Newer ones take any printable ASCII but `=` (KEP-4369, stable since 1.34); 1.30 to 1.33 do not by default.
    """
    return _ENVIRONMENT_NAME.fullmatch(text) is not None


def is_config_key(text: str) -> bool:
    """Tell whether `text` can be a key in the data of a ConfigMap."""
    return len(text) <= CONFIG_KEY_LIMIT and _CONFIG_KEY.fullmatch(text) is not None


def _first_free(offers: Iterable[str], taken: set[str]) -> str | None:
    free = (name for name in offers if is_label(name, NAME_LIMIT) and taken.isdisjoint(_claims(name)))
    return next(free, None)


def _claims(name: str) -> set[str]:
    return {name, name + WEB_UI_SUFFIX}


def _itself(text: str) -> Iterator[str]:
    yield text


def _hashes(text: str) -> Iterator[str]:
    slug = _slug(text, fallback="node")
    return (_join(slug, seed, NAME_LIMIT) for seed in chain([text], (f"{text}\0{n}" for n in count(1))))


def _slug(text: str, *, fallback: str) -> str:
    """Return what of `text` can stand in a label, beginning with a letter; it may end with `-` and be too long."""
    slug = _NOT_LABEL.sub("-", text.lower()).strip("-")
    return slug if slug[:1].isalpha() else f"{fallback}-{slug}"


def _join(slug: str, hashed: str, limit: int) -> str:
    # A name out of JSON may hold half of a surrogate pair, which strict UTF-8 refuses.
    digest = hashlib.sha256(hashed.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{slug[: limit - _HASH_DIGITS - 1].rstrip('-_.')}-{digest}"
