"""A pushed zip is held against its `bundle.json`; a hostile one leaves nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.bundles import built
from support.playground import ADA, OPERATOR, ZIP, bearer, bundle, push
from support.solutions import read as solution

from playground.server import receiving
from shared import archive
from shared.errors import InvalidArchiveError, InvalidSolutionError, TooLargeError
from shared.principal import Principal

OWNER = Principal(ADA)
Change = Callable[[dict[str, bytes]], None]


def read(files: dict[str, bytes]) -> receiving.Received:
    return receiving.read(archive.write(files), OWNER)


def codes(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(InvalidSolutionError) as refused:
        read(files)
    return [finding.code for finding in refused.value.findings]


def about(bundled: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """Return the files with another `bundle.json`."""
    manifest = json.loads(bundled["bundle.json"]) | changes
    return {**bundled, "bundle.json": json.dumps(manifest).encode()}


def test_a_bundle_is_what_its_manifest_says() -> None:
    made = bundle()

    received = read(made.sealed)

    assert received.push.digest == made.digest
    assert (received.push.ids, received.push.solution_name, received.push.owner) == (made.ids, "sensor-stream", OWNER)
    assert dict(received.push.files) == made.sealed
    assert len(received.findings) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda files: files.update({"deployments/evil.yaml": b"kind: Pod"}), "bundle-file-unlisted"),
        (lambda files: files.pop("blueprint.json"), "bundle-file-missing"),
        (lambda files: files.update({"blueprint.json": b"{}"}), "bundle-file-changed"),
    ],
    ids=["added", "removed", "changed"],
)
def test_a_file_that_is_not_as_listed_is_named(change: Change, code: str) -> None:
    files = dict(bundle().sealed)
    change(files)

    assert codes(files) == [code, "bundle-digest"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"formatVersion": 2}, "bundle-format"),
        ({"formatVersion": 0}, "bundle-format"),
        ({"formatVersion": True}, "bundle-format"),
        ({"formatVersion": "1"}, "bundle-format"),
        ({"formatVersion": None}, "bundle-format"),
        ({"digest": "0" * 64}, "bundle-digest"),
        ({"digest": None}, "bundle-digest"),
        ({"files": []}, "bundle-files"),
        ({"solutionId": "../x"}, "bundle-ids"),
        ({"solutionId": None}, "bundle-ids"),
        ({"revisionId": 1}, "bundle-ids"),
        ({"solution": "a\nb"}, "bundle-name"),
        ({"solution": ""}, "bundle-name"),
        ({"solution": "x" * 201}, "bundle-name"),
        ({"solution": 7}, "bundle-name"),
    ],
    ids=str,
)
def test_a_manifest_that_says_something_else_is_refused(changes: dict[str, Any], code: str) -> None:
    assert codes(about(bundle().sealed, **changes)) == [code]


def test_a_newer_format_comes_with_a_hint() -> None:
    with pytest.raises(InvalidSolutionError) as refused:
        read(about(bundle().sealed, formatVersion=2))

    (finding,) = refused.value.findings
    assert (finding.path, finding.expected, finding.found) == ("bundle.json: $.formatVersion", "formatVersion 1", "2")
    assert finding.hint.endswith("update the older one")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"NaN", b"[" * 100_000, b"\xff"], ids=repr)
def test_a_manifest_that_cannot_be_read_is_refused(text: bytes) -> None:
    found = codes({**bundle().sealed, "bundle.json": text})

    assert found in (["bundle-unreadable"], ["bundle-format"])


def test_a_bundle_without_ids_is_known_by_its_digest() -> None:
    made = bundle()
    files = about(made.sealed, solutionId=None, revisionId=None)

    received = read(files)

    assert received.push.ids is None
    assert received.push.digest == made.digest


def test_a_zip_of_graphene_is_taken_with_findings(test_data: Path) -> None:
    made = built(solution(test_data / "corpus" / "solutions" / "cloudferro--sudoku-tutorial"), {})
    files = dict(made.files)
    files.pop("kustomization.yaml")

    received = read(files)

    assert received.findings.items[0].code == "bundle-foreign"
    assert received.push.ids is None
    assert received.push.solution_name
    assert dict(received.push.files) == files


def test_a_zip_without_a_manifest_has_its_digest_and_no_ids() -> None:
    made = bundle()
    files = {path: content for path, content in made.sealed.items() if path != "bundle.json"}

    received = read(files)

    assert (received.push.digest, received.push.ids) == (made.digest, None)
    # Its manifests run as they are: what a deployer would leave out is no news to whoever pushes.
    assert not [finding.code for finding in received.findings if finding.code.startswith("legacy-")]


def test_a_solution_that_nobody_has_built_is_told_what_to_do() -> None:
    files = {"blueprint.json": b'{"nodes": []}', "microservice/a.proto": b""}

    with pytest.raises(InvalidSolutionError) as refused:
        read(files)

    assert [finding.code for finding in refused.value.findings] == ["bundle-missing"]
    assert "slipway build" in refused.value.findings.items[0].hint


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries:
            target.writestr(name, content)
    return stream.getvalue()


def link(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def lying() -> bytes:
    """Return a zip whose central directory states another size than the content has."""
    data = bytearray(zipped(("a", b"x" * 100)))
    place = data.rindex(b"PK\1\2") + 24
    data[place : place + 4] = (5).to_bytes(4, "little")
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(zipped(("a", b"x")))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def doubled(first: str, second: str) -> bytes:
    """Return two entries whose names are patched afterwards: zipfile warns about some pairs."""
    data = zipped((first, b"1"), ("#" * len(second), b"2"))
    return data.replace(b"#" * len(second), second.encode())


HOSTILE = {
    "parent": zipped(("../evil", b"x")),
    "deep parent": zipped(("deployments/../../evil", b"x")),
    "absolute": zipped(("/etc/evil", b"x")),
    "drive": zipped(("C:/evil", b"x")),
    "backslash": zipped(("a\\..\\evil", b"x")),
    "control": zipped(("a\nb", b"x")),
    "nul": doubled("ok", "a\0b"),
    "dots": zipped(("a/.../b", b"x")),
    "symlink": zipped((link("evil", 0o120777), b"/etc/passwd")),
    "device": zipped((link("evil", 0o020666), b"")),
    "fifo": zipped((link("evil", 0o010666), b"")),
    "twice": doubled("same", "same"),
    "twice by case": doubled("deployments/a.yaml", "deployments/A.yaml"),
    "file below a file": zipped(("a", b"x"), ("a/b", b"x")),
    "lying size": lying(),
    "encrypted": encrypted(),
    "trailing data": zipped(("a", b"x")) + b"more",
    "leading data": b"#!/bin/sh\n" + zipped(("a", b"x")),
    "cut": zipped(("a", b"x"))[:-5],
    "no zip": b"PK",
    "empty": b"",
    "gzip": b"\x1f\x8b\x08\x00",
}
LARGE: dict[str, Callable[[], bytes]] = {
    "ratio": lambda: zipped(("a", b"\0" * (4 << 20))),
    "size": lambda: zipped(*((f"a{number}", bytes(range(256)) * 256 * 80) for number in range(14))),
    "entries": lambda: zipped(*((f"a{number}", b"") for number in range(7000))),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_zip_is_refused_as_a_whole_and_leaves_nothing(client: FlaskClient, data: bytes) -> None:
    answer = push(client, data) if data else client.post("/v1/deployments", data=b"", headers={**bearer(), **ZIP})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_archive")  # type: ignore[index]
    assert client.get("/v1/deployments", headers=bearer(OPERATOR)).json == {"deployments": []}


@pytest.mark.parametrize("made", LARGE.values(), ids=LARGE.keys())
def test_a_bomb_is_refused_before_it_is_unpacked(made: Callable[[], bytes]) -> None:
    data = made()

    with pytest.raises((TooLargeError, InvalidArchiveError)):
        receiving.read(data, OWNER)


def test_a_bomb_is_answered_with_413(client: FlaskClient) -> None:
    answer = push(client, LARGE["ratio"]())

    assert (answer.status_code, answer.json["code"]) == (413, "too_large")  # type: ignore[index]


def test_a_body_over_the_limit_is_answered_with_413(client: FlaskClient) -> None:
    answer = client.post("/v1/deployments", data=b"x" * ((8 << 20) + 1), headers={**bearer(), **ZIP})

    assert answer.status_code == 413
