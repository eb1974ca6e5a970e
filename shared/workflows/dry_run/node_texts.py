"""What of a package reaches the programs of a table: variables that they take, and texts that lead nowhere else.

A package comes from anywhere. Python, the loader and gRPC obey variables of their own, and a program that is told a path
or an address goes there: so variables have names that somebody has listed, and paths and addresses are those of the run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.own_programs import check_file

_FOLDER = re.compile(r"SHARED_FOLDER_PATH(?:_[0-9]{1,4})?")
"""The variables of shared folders, as `shared.solution` calls them: every node may read them."""
_URL = re.compile(r"(?<![\w+.-])[\w+.-]{1,32}://([^\s/?#\"'<>]*)[^\s\"'<>]*")
_ADDRESS = re.compile(r"(?<![\w.-])(\[[^\s\[\]]{1,99}\]|[\w-]{1,63}(?:\.[\w-]{1,63}){1,99}\.?):[0-9]{1,5}(?![\w.])")
_BETWEEN = re.compile(r"[\s=,;:|&\"'`()\[\]{}<>]+")
"""What stands around paths in options, lists and JSON."""
_PATH = re.compile(r"/|~[\w-]*/")


def is_folder(name: str) -> bool:
    """Answer whether a variable is one of those that tell every node where a shared folder is."""
    return _FOLDER.fullmatch(name) is not None


def check(texts: Mapping[str, str], *, folder: Path, is_pod: Callable[[str], bool]) -> None:
    """Refuse texts that name files or hosts that are not the run's.

    Args:
        texts: what a program would be told, with the paths and addresses of this machine, by where it stands.
        folder: of the run.
        is_pod: whether an address of this machine is that of a pod of the run.

    Raises:
        PackageError: which text.
    """
    for where, text in texts.items():
        _check_addresses(text, where, is_pod)
        for piece in _BETWEEN.split(_URL.sub(" ", text)):
            if _PATH.match(piece) or ".." in piece.split("/"):
                check_file(piece, where, folder)


def _check_addresses(text: str, where: str, is_pod: Callable[[str], bool]) -> None:
    urls = [match[1] for match in _URL.finditer(text)]
    for address in [*urls, *(match[0] for match in _ADDRESS.finditer(_URL.sub(" ", text)))]:
        if not is_pod(address):
            raise PackageError(f"{where}: expected the address of a pod, found {quoted(address)}")
