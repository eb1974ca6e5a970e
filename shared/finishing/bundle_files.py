"""The files of the unpacked bundle: its manifests, which are only read, and `dockerinfo.json`, the one file that changes."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import List, Optional

from shared.finishing.addresses import with_orchestrator_port
from shared.finishing.choices import EnvironmentRule, rules_of

DOCKERINFO = "dockerinfo.json"
FOLDERS = ("deployments", "policies")


def manifests_text(base: Path) -> str:
    """Return all manifests of the bundle as one YAML stream.

    One stream and not a list of files: a path may hold a comma, at which kubectl would cut it, and a command line has
    an end.

    Raises:
        ValueError: there are none.
    """
    files = [file for folder in FOLDERS for file in sorted((base / folder).glob("*.yaml"))]
    if not files:
        raise ValueError(f"no manifests in {base / FOLDERS[0]}: is this an unpacked solution.zip?")
    return "".join(f"---\n{file.read_text(encoding='utf-8-sig')}\n" for file in files)


def environment_rules(config_file: Optional[str]) -> List[EnvironmentRule]:
    """Return the rules of the configuration file; none without a file, or when it is missing (Graphene's callers).

    Raises:
        ValueError: it is there, and is not what Graphene's playground writes.
    """
    if not config_file or not Path(config_file).is_file():
        return []
    try:
        return rules_of(json.loads(Path(config_file).read_text(encoding="utf-8-sig")))
    except ValueError as problem:
        raise ValueError(f"{config_file}: {problem}") from problem


def docker_config(path: str) -> str:
    """Return the docker configuration that a pull secret is made from.

    Raises:
        ValueError: it is no JSON, which the cluster would refuse.
    """
    text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    try:
        json.loads(text)
    except ValueError as problem:
        raise ValueError(f"{path}: expected the JSON of docker: {problem}") from problem
    return text


def has_login(config: str) -> bool:
    """Answer whether a docker configuration holds a login; docker may leave them to the keychain of the desktop."""
    try:
        logins = json.loads(config)["auths"].values()
        return any(login.get(key) for login in logins for key in ("auth", "identitytoken", "password"))
    except (TypeError, KeyError, AttributeError):
        return False


def write_orchestrator_port(base: Path, port: int) -> bool:
    """Put the port into `dockerinfo.json`, whole or not at all; answer whether that changed the file."""
    path = (base / DOCKERINFO).resolve()
    if not path.is_file():
        return False
    before = path.read_text(encoding="utf-8-sig")
    text = with_orchestrator_port(before, port)
    if json.loads(before) == json.loads(text):
        return False
    handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix=".dockerinfo-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # The temporary file is for its owner alone; the other tools that read this one may be others.
        shutil.copymode(str(path), temporary)
        os.replace(temporary, str(path))
    except BaseException:
        Path(temporary).unlink()
        raise
    return True
