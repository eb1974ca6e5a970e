"""Reads a pushed zip: every byte of a bundle of ours is held against `bundle.json`, and Graphene's zips pass with findings.

Nothing is unpacked to a disk, and nothing of the archive is believed before it was checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from playground.runtime.deployment import Push
from shared import archive, blueprint, bundle, json_text, solution_folder
from shared.errors import InvalidRequestError, InvalidSolutionError
from shared.findings import Finding, Findings, error, note, quoted
from shared.json_text import JsonTextError
from shared.principal import Principal
from shared.solution import Ids

MANIFEST = solution_folder.BUNDLE
_MANIFESTS = "deployments/"
_MAX_MANIFEST_BYTES = 4 << 20
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Received:
    """A bundle that may be given to a runtime, and what was found while reading it."""

    push: Push
    findings: Findings


def read(data: bytes, owner: Principal) -> Received:
    """Return the bundle in a zip.

    Raises:
        TooLargeError, InvalidArchiveError: the zip is not one that we read.
        InvalidSolutionError: it holds no bundle, or not the one that its `bundle.json` describes.
    """
    files = archive.read(data)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    if MANIFEST in files:
        return _ours(files, hashes, owner)
    return _foreign(files, hashes, owner)


def _ours(files: Mapping[str, bytes], hashes: Mapping[str, str], owner: Principal) -> Received:
    about = _manifest(files[MANIFEST])
    problems = [*_differences(about.get("files"), hashes), *_digest_problems(about.get("digest"), hashes)]
    ids = _ids(about, problems)
    name = about.get("solution")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
        expected = f"one line of at most {_MAX_NAME} characters"
        problems.append(_problem("bundle-name", "$.solution", expected, quoted(name)))
        name = ""
    if problems:
        raise InvalidSolutionError(Findings(tuple(problems)))
    return Received(Push(owner, name, ids, bundle.digest(hashes), files), Findings())


def _manifest(data: bytes) -> dict[str, Any]:
    """Return what `bundle.json` says, in the one format that we know."""
    try:
        about = json_text.read(data, max_bytes=_MAX_MANIFEST_BYTES)
    except JsonTextError as fault:
        raise _refused(
            _problem("bundle-unreadable", fault.fault.path, fault.fault.expected, fault.fault.found)
        ) from fault
    if not isinstance(about, dict):
        raise _refused(_problem("bundle-unreadable", "$", "an object", "something else"))
    version = about.get("formatVersion")
    if type(version) is not int or version != bundle.FORMAT_VERSION:
        hint = "the deployer and the playground are of different versions: update the older one"
        expected, found = f"formatVersion {bundle.FORMAT_VERSION}", quoted(version)
        raise _refused(_problem("bundle-format", "$.formatVersion", expected, found, hint))
    return about


def _differences(listed: Any, hashes: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each file that is missing, changed or not listed."""
    if not isinstance(listed, dict):
        yield _problem("bundle-files", "$.files", "an object of SHA-256 by path", quoted(listed))
        return
    present = {path: value for path, value in hashes.items() if path != MANIFEST}
    for path in sorted({*listed, *present}):
        if listed.get(path) == present.get(path):
            continue
        if path not in present:
            yield _problem("bundle-file-missing", _shown(path), "the file that bundle.json lists", "none")
        elif path not in listed:
            yield _problem("bundle-file-unlisted", _shown(path), "only files that bundle.json lists", "one more")
        else:
            yield _problem("bundle-file-changed", _shown(path), "the content that bundle.json states", "another")


def _digest_problems(stated: Any, hashes: Mapping[str, str]) -> Iterator[Finding]:
    if stated != bundle.digest(hashes):
        yield _problem("bundle-digest", "$.digest", "the digest of the files", "another")


def _ids(about: Mapping[str, Any], problems: list[Finding]) -> Ids | None:
    given = (about.get("solutionId"), about.get("revisionId"))
    if given == (None, None):
        return None
    try:
        return Ids.parse(*given)
    except InvalidRequestError as problem:
        problems.append(_problem("bundle-ids", "$.solutionId", "ids of a marketplace, or null", str(problem)))
        return None


def _foreign(files: Mapping[str, bytes], hashes: Mapping[str, str], owner: Principal) -> Received:
    """Accept what Graphene's deployer makes; it has no ids, and its identity is the digest alone."""
    if not any(path.startswith(_MANIFESTS) and path.endswith(".yaml") for path in files):
        hint = "build it with a deployer first: slipway build kubernetes-client"
        found = "neither bundle.json nor deployments/*.yaml"
        raise _refused(_problem("bundle-missing", "$", "a bundle, as deployers make it", found, hint))
    # What building it anew would normalise is not said: its manifests are taken as they are, and a runtime speaks for itself.
    found_files = replace(solution_folder.from_files(files), findings=())
    parsed = blueprint.parse(found_files)
    if parsed.solution is None:
        raise InvalidSolutionError(parsed.findings)
    told = note("bundle-foreign", "$", expected="bundle.json", found="none: a zip of Graphene's deployer")
    name = found_files.name or parsed.solution.name
    push = Push(owner, _one_line(name), None, bundle.digest(hashes), files)
    return Received(push, Findings((told,)) + parsed.findings)


def _one_line(name: str) -> str:
    kept = "".join(character if character.isprintable() else " " for character in name)
    return kept.strip()[:_MAX_NAME] or "solution"


def _shown(path: str) -> str:
    return quoted(path)[1:-1]


def _problem(code: str, path: str, expected: str, found: str, hint: str = "") -> Finding:
    place = f"{MANIFEST}: {path}" if path.startswith("$.") else path
    return error(code, place, expected=expected, found=found, hint=hint)


def _refused(finding: Finding) -> InvalidSolutionError:
    return InvalidSolutionError(Findings((finding,)))
