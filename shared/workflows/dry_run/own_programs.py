"""What of a package reaches our own programs, which are no images of a table: options they have, data of the run, its pods.

A package comes from anywhere. The driver reads and writes files and calls addresses as it is told, and Python obeys its
variables: so a package may name files of the run and pods of the run, and nothing else of this machine or beyond it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from pathlib import Path

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError

VARIABLES = frozenset(
    {"SLIPWAY_DEADLINE_SECONDS", "SLIPWAY_GRACE_SECONDS", "SLIPWAY_LOG_LEVEL", "SLIPWAY_MESSAGE_BYTES"}
)
"""What the driver may be told by variables."""
DATA = ("artifacts", "claims", "roots", "volumes")
"""The folders of a run in which data lie: not those of programs, homes and logs."""


class Kind(Enum):
    """What the value of an option is."""

    FLAG = auto()
    TEXT = auto()
    PATH = auto()
    EDGE_PATH = auto()
    """`NODE.OPERATION=PATH`."""
    ADDRESS = auto()
    NODE_ADDRESS = auto()
    """`NODE=ADDRESS`."""
    ADDRESSES = auto()
    """Path of a file that holds them."""


_LIMITS = {"wait": Kind.TEXT, "timeout": Kind.TEXT, "iterations": Kind.TEXT}
_OPTIONS: Mapping[str, Mapping[str, Kind]] = {
    "call": {
        **dict.fromkeys(("node", "operation", "digest-with"), Kind.TEXT),
        **_LIMITS,
        "pipeline": Kind.PATH,
        "target": Kind.ADDRESS,
        "in": Kind.EDGE_PATH,
        "out": Kind.EDGE_PATH,
        "digest": Kind.PATH,
        "end-sidecar": Kind.FLAG,
    },
    "run": {
        **_LIMITS,
        "pipeline": Kind.PATH,
        "node": Kind.NODE_ADDRESS,
        "endpoints": Kind.ADDRESSES,
        "duration": Kind.TEXT,
        "report": Kind.PATH,
    },
    "deploy": {
        **dict.fromkeys(("name", "namespace", "owner", "timeout"), Kind.TEXT),
        "bundle": Kind.PATH,
        "endpoint-file": Kind.PATH,
    },
    "teardown": {**dict.fromkeys(("name", "namespace", "timeout"), Kind.TEXT), "data": Kind.FLAG},
    "hold": {"timeout": Kind.TEXT},
    "report": {"status": Kind.TEXT, "name": Kind.TEXT, "to": Kind.PATH},
}


def check_options(arguments: Sequence[str], path: str) -> None:
    """Refuse options that the driver does not have, before anything starts: their values may not be known yet.

    Raises:
        PackageError: which one; abbreviations and values in an argument of their own are none.
    """
    for _ in _options(arguments, path):
        pass


def checked(
    arguments: Sequence[str], path: str, *, folder: Path, own: Path, is_pod: Callable[[str], bool]
) -> list[str]:
    """Return the arguments of the driver, unless they name what is no file of the run, or no pod of it.

    Args:
        arguments: as the driver would get them: with the paths and addresses of this machine.
        path: where they stand in the document, for messages.
        folder: of the run.
        own: folder of this driver alone. A file of addresses is copied there: no other task changes it after the look at it.
        is_pod: whether an address of this machine is that of a pod of the run.

    Raises:
        PackageError: which option.
    """
    found = list(arguments[:1])
    for argument, (option, kind, value) in zip(arguments[1:], _options(arguments, path), strict=True):
        behind = value.partition("=")[2] if kind in {Kind.EDGE_PATH, Kind.NODE_ADDRESS} else value
        if kind in {Kind.PATH, Kind.EDGE_PATH, Kind.ADDRESSES}:
            check_file(behind, f"{path}: --{option}", folder)
        content = _content(behind) if kind is Kind.ADDRESSES else b""
        for address in [behind] if kind in {Kind.ADDRESS, Kind.NODE_ADDRESS} else _held(content):
            if not is_pod(address):
                raise PackageError(f"{path}: --{option}: expected the address of a pod, found {quoted(address)}")
        is_copied = kind is Kind.ADDRESSES
        found.append(f"--{option}={_written(own / f'{option}.json', content)}" if is_copied else argument)
    return found


def check_folders(arguments: Sequence[str], path: str, *, folder: Path) -> None:
    """Refuse folders that the preparation of shared folders would change elsewhere.

    Raises:
        PackageError: which one.
    """
    for argument in arguments[1:]:
        check_file(argument, path, folder)


def _options(arguments: Sequence[str], path: str) -> Iterator[tuple[str, Kind, str]]:
    verb, *rest = arguments or ("",)
    if verb not in _OPTIONS:
        raise PackageError(f"{path}: expected one of {', '.join(_OPTIONS)}, found {quoted(verb)}")
    for argument in rest:
        option, equals, value = argument.removeprefix("--").partition("=")
        kind = _OPTIONS[verb].get(option)
        if kind is None or not argument.startswith("--") or bool(equals) is (kind is Kind.FLAG):
            raise PackageError(f"{path}: expected an option of {verb} with its value, found {quoted(argument)}")
        yield option, kind, value


def check_file(value: str, where: str, folder: Path) -> None:
    """Refuse the path of what is no file of a volume or an artifact; it need not be there.

    Raises:
        PackageError: it lies elsewhere, or has a `..`: behind a link that is made later, that leads elsewhere.
    """
    is_plain = value.startswith("/") and ".." not in value.split("/") and "\0" not in value
    if not is_plain or not any(Path(value).resolve().is_relative_to((folder / name).resolve()) for name in DATA):
        raise PackageError(f"{where}: expected a file of a volume or an artifact, found {quoted(value)}")


def _content(file: str) -> bytes:
    """Return what a file holds; nothing where there is none, which the driver takes as badly."""
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _held(content: bytes) -> list[str]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return []  # the driver will say what is wrong with it
    return [str(address) for address in found.values()] if isinstance(found, dict) else []
