"""`slipway build`: a solution becomes a bundle on disk."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from shared import archive, deployer
from shared.bundle import Bundle
from shared.errors import InvalidOptionsError, NotFoundError, UsageError
from shared.findings import quoted
from slipway import source, terminal


def run(arguments: argparse.Namespace) -> int:
    """Build, write, report; return the exit status."""
    try:
        chosen = deployer.named(arguments.deployer)
    except NotFoundError as unknown:
        raise UsageError(str(unknown)) from unknown
    options = chosen.parse_options(given_options(arguments.options, arguments.option), from_text=True)
    assets = deployer.Assets(files=chosen.load_files(), images=deployer.Images.from_environment(os.environ))
    bundle = chosen.build(source.read(arguments.solution), options, assets)
    terminal.report(bundle.findings)
    if arguments.strict and bundle.findings.warnings:
        terminal.complain("nothing written: --strict, and there are warnings")
        return 1
    write(bundle, arguments.output)
    return 0


def write(bundle: Bundle, output: str) -> None:
    """Write the zip to the file `output`, whole or not at all; `-` is standard output."""
    data = archive.write(bundle.sealed)
    if output == "-":
        sys.stdout.buffer.write(data)
        return
    target = Path(output)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    terminal.say(f"{output}: {len(bundle.sealed)} files, {len(data)} bytes, digest {bundle.digest}")


def given_options(file: str | None, pairs: list[str]) -> dict[str, Any]:
    """Return the options of `--options FILE` (JSON or YAML), overlaid with every `--option key=value`.

    A key may have dots (`resources.limits.memory=1Gi`); a value that starts with `{` or `[` is JSON, any other is text
    that the deployer reads as the type it expects.
    """
    options = _from_file(Path(file)) if file else {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise InvalidOptionsError(f"--option: expected key=value, found {quoted(pair)}")
        _put(options, key.split("."), _value(value))
    return options


def _from_file(path: Path) -> dict[str, Any]:
    import yaml

    try:
        options = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as problem:
        raise InvalidOptionsError(f"--options: expected a JSON or YAML file, found {quoted(str(path))}") from problem
    if not isinstance(options, dict):
        raise InvalidOptionsError(f"--options: expected an object, found {quoted(options)}")
    return options


def _value(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidOptionsError(f"--option: expected JSON after '=', found {quoted(text)}") from problem


def _put(options: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for key in parents:
        options = options.setdefault(key, {})
        if not isinstance(options, dict):
            raise InvalidOptionsError(f"--option: expected {quoted(key)} to be an object")
    options[last] = value
