"""Whoever has no right gets the right code and leaves nothing: forged tokens, stolen cookies, hostile bundles.

What the parts hold on their own (tokens, sessions, archives, pushes, tenants, faults) is shown beside them; here the whole
server is attacked from outside, and looked at afterwards: no deployment, no file, no process, nothing in a log.
"""

from __future__ import annotations

import os
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, EVE, KEY, OPERATOR, SECRET, ZIP, bearer, bundle, push, session, zipped
from support.tokens import claims, encode, sign

from playground.runtime.process.runtime import ProcessRuntime
from playground.server import receiving
from playground.server.push_tokens import PushTokens
from shared import archive
from shared.errors import InvalidArchiveError, TooLargeError
from shared.principal import Principal
from shared.settings import Secret

NOW = int(time.time())
GOOD = claims(exp=NOW + 3600)


def signed(payload: Any = None, *, key: str = SECRET, algorithm: str = "HS512", **header: Any) -> str:
    head = {"alg": algorithm, **header}
    return sign(head, GOOD if payload is None else payload, key=key.encode(), algorithm=algorithm)


def unsigned(algorithm: str) -> str:
    return sign({"alg": algorithm}, GOOD, key=b"", algorithm="HS512").rpartition(".")[0] + "."


FORGED = {
    "none": unsigned("none"),
    "NoNe": unsigned("NoNe"),
    "none with a signature": sign({"alg": "none"}, GOOD, key=SECRET.encode(), algorithm="HS512"),
    "another family": sign({"alg": "RS256"}, GOOD, key=SECRET.encode(), algorithm="HS256"),
    "another key": signed(key="x" * 40),
    "the session key's twin": signed(key=KEY),
    "crit": signed(crit=["exp"]),
    "kid as a path": signed(key="x" * 40, kid="../../etc/passwd"),
    "jku": signed(key="x" * 40, jku="http://127.0.0.1:1/keys"),
    "no exp": signed({name: value for name, value in GOOD.items() if name != "exp"}),
    "past": signed({**GOOD, "exp": NOW - 3600}),
    "huge exp": signed({**GOOD, "exp": 10**300}),
    "textual exp": signed({**GOOD, "exp": str(NOW + 60)}),
    "years": signed({**GOOD, "exp": NOW + 10**9}),
    "future nbf": signed({**GOOD, "nbf": NOW + 3600}),
    "future iat": signed({**GOOD, "iat": NOW + 3600}),
    "an audience": signed({**GOOD, "aud": "another"}),
    "nobody": signed({**GOOD, "mlpuser": {}}),
    "a reserved name": signed({**GOOD, "mlpuser": {"email": "local-operator"}}),
    "twice": signed(b'{"mlpuser":{"email":"ada@example.org"},"exp":1,"exp":%d}' % (NOW + 60)),
    "deep": signed(b"[" * 10_000),
    "a padded signature": signed() + "=",
    "three parts of nothing": "..",
    "text": encode(b"token"),
}


def test_every_forged_token_gets_the_same_answer_and_leaves_nothing(
    client: FlaskClient, runtime: ProcessRuntime
) -> None:
    answers = {
        name: client.post(
            "/v1/deployments", data=zipped(), headers={"Authorization": f"Bearer {token}", "X-Request-Id": "a", **ZIP}
        )
        for name, token in FORGED.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(FORGED, 401)
    assert len({answer.data for answer in answers.values()}) == 1
    assert runtime.all() == ()


@pytest.mark.parametrize("where", ["query", "cookie", "form"])
def test_a_token_counts_in_its_header_only(client: FlaskClient, where: str) -> None:
    token = playground.token()
    client.set_cookie("Authorization", token)
    paths = {"query": f"/v1/deployments?jwtToken={token}&access_token={token}"}
    data = {"jwtToken": token} if where == "form" else None

    answer = client.open(paths.get(where, "/v1/deployments"), method="POST" if data else "GET", data=data)

    assert answer.status_code == 401


def test_a_stolen_cookie_changes_nothing_and_opens_no_other_door(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    csrf = session(client)
    thief = client.application.test_client()
    stolen = client.get_cookie("slipway-playground", domain="localhost")
    assert stolen is not None
    thief.set_cookie("slipway-playground", stolen.value)

    changed = thief.delete(f"/visitor/deployments/{made}?data=true")
    program = thief.get("/v1/deployments")
    token = thief.get("/v1/deployments", headers={"Authorization": f"Bearer {stolen.value}"})
    client.delete("/session", headers={"X-CSRF-Token": csrf})
    after = thief.get("/visitor/deployments")

    assert [answer.status_code for answer in (changed, program, token, after)] == [403, 401, 401, 401]
    assert client.get(f"/v1/deployments/{made}", headers=bearer()).status_code == 200


@pytest.mark.parametrize("name", ["slipway-catalog", "slipway-playground-login", "__Host-slipway-playground"])
def test_a_cookie_under_another_name_is_nobody_s(client: FlaskClient, name: str) -> None:
    session(client)
    mine = client.get_cookie("slipway-playground", domain="localhost")
    assert mine is not None
    other = client.application.test_client()
    other.set_cookie(name, mine.value)

    assert other.get("/visitor/deployments").status_code == 401


def test_no_operator_is_made_of_what_a_caller_says(client: FlaskClient) -> None:
    made = push(client, principal=EVE).json["id"]  # type: ignore[index]
    headers = {**bearer(), "X-Forwarded-User": OPERATOR, "X-Remote-User": OPERATOR, "X-Operator": "true"}

    assert client.get(f"/v1/deployments/{made}?owner={EVE}", headers=headers).status_code == 404
    assert client.get("/v1/operator", headers=headers).status_code == 403


def test_a_token_is_stored_nowhere(client: FlaskClient, still_runtime: ProcessRuntime, logs: Any) -> None:
    token = playground.token()
    service = PushTokens(Secret(KEY)).make(ADA, zipped())
    for given in (token, service):
        client.post("/v1/deployments", data=zipped(), headers={"Authorization": f"Bearer {given}", **ZIP})

    kept = b"".join(file.read_bytes() for file in files_of(still_runtime))

    secrets = [SECRET, KEY, token, service, token.rpartition(".")[2], service.rpartition(".")[2]]
    assert len(kept) > 10_000
    assert [secret for secret in secrets if secret.encode() in kept] == []
    assert [secret for secret in secrets if secret in logs.text + str(dict(os.environ))] == []


def files_of(runtime: ProcessRuntime) -> Iterator[Path]:
    return (file for file in runtime._folder.rglob("*") if file.is_file())


# --- hostile bundles


def entries(count: int) -> bytes:
    """Return a zip of empty files, made by hand: zipfile needs seconds for so many."""
    names = [f"f{number:06}".encode() for number in range(count)]
    local = b"".join(b"PK\3\4\x14\0" + b"\0" * 20 + len(name).to_bytes(2, "little") + b"\0\0" + name for name in names)
    central = b"".join(
        b"PK\1\2\x14\0\x14\0"
        + b"\0" * 20
        + len(name).to_bytes(2, "little")
        + b"\0" * 12
        + (index * 37).to_bytes(4, "little")
        + name
        for index, name in enumerate(names)
    )
    number = min(count, 0xFFFF).to_bytes(2, "little")
    sizes = len(central).to_bytes(4, "little") + len(local).to_bytes(4, "little")
    return local + central + b"PK\5\6\0\0\0\0" + number * 2 + sizes + b"\0\0"


def zip64(size: int) -> bytes:
    """Return a zip whose entry says in a zip64 field that it is so large."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        info = zipfile.ZipInfo("a")
        with target.open(info, "w", force_zip64=True) as file:
            file.write(b"x")
    data = bytearray(stream.getvalue())
    place = data.index(b"\1\0\x10\0") + 4
    data[place : place + 8] = size.to_bytes(8, "little")
    return bytes(data)


def counted(count: int) -> bytes:
    """Return a zip whose end says another number of entries."""
    data = bytearray(zip_of(("a", b"x")))
    place = data.rindex(b"PK\5\6") + 8
    data[place : place + 4] = count.to_bytes(2, "little") * 2
    return bytes(data)


def overlapping() -> bytes:
    """Return a zip both of whose entries are the first one's bytes."""
    data = bytearray(zip_of(("a", b"x" * 100), ("b", b"x" * 100)))
    second = data.rindex(b"PK\1\2")
    data[second + 42 : second + 46] = (0).to_bytes(4, "little")
    return bytes(data)


def zip_of(*files: tuple[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, content in files:
            target.writestr(name, content)
    return stream.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "zip64 says a terabyte": partial(zip64, 1 << 40),
    "zip64 says nothing": partial(zip64, 0),
    "more entries than there are": partial(counted, 60_000),
    "fewer entries than there are": partial(counted, 0),
    "two entries are one": overlapping,
    "100,000 entries": partial(entries, 100_000),
    "1,000,000 entries": partial(entries, 1_000_000),
    "a zip in a zip only": lambda: zip_of(("bundle.zip", zipped())),
}


@pytest.fixture(scope="module", params=HOSTILE.values(), ids=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> bytes:
    made: bytes = request.param()
    return made


def test_a_hostile_zip_costs_little_time_and_memory(hostile: bytes) -> None:
    tracemalloc.start()
    begin = time.process_time()

    with pytest.raises((InvalidArchiveError, TooLargeError, receiving.InvalidSolutionError)):
        receiving.read(hostile, Principal(ADA))

    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 1
    assert peak < 64 << 20


def test_a_hostile_zip_gets_its_code_and_leaves_nothing(
    client: FlaskClient, runtime: ProcessRuntime, hostile: bytes
) -> None:
    before = sorted(files_of(runtime))

    answer = push(client, hostile)

    assert answer.status_code in {413, 422}
    assert answer.mimetype == "application/problem+json"
    assert runtime.all() == ()
    assert sorted(files_of(runtime)) == before


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        (b"kind: ClusterRole\nmetadata: {name: root}\n", '"ClusterRole" "root"'),
        (b"kind: Namespace\nmetadata: {name: kube-system}\n", '"Namespace" "kube-system"'),
        (b"kind: DaemonSet\nmetadata: {name: miner}\n", '"DaemonSet" "miner"'),
        (b"kind: Secret\nmetadata: {name: x}\n", '"Secret" "x"'),
        (b"kind: Service\nmetadata: {name: x}\n---\nkind: Pod\nmetadata: {name: y}\n", '"Pod" "y"'),
        (b'kind: "\\e[2J"\nmetadata: {name: "a\\nb"}\n', r'"\u001b[2J" "a\nb"'),
    ],
)
def test_a_hostile_manifest_is_named_and_leaves_nothing(
    client: FlaskClient, runtime: ProcessRuntime, manifest: bytes, named: str
) -> None:
    made = bundle("sentiment")
    data = archive.write(replace(made, files={**made.files, "deployments/evil.yaml": manifest}).sealed)
    before = sorted(files_of(runtime))

    answer = push(client, data)

    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_solution")
    assert [finding["found"] for finding in answer.json["findings"]] == [named]
    assert runtime.all() == ()
    assert sorted(files_of(runtime)) == before


@pytest.mark.parametrize(
    "text", [b"a: &a [*a]", b"[" * 1000, b"- 1\n" * 500_000, b"!!python/object:os.system {}", b"{"]
)
def test_a_manifest_that_would_cost_much_costs_little(client: FlaskClient, text: bytes) -> None:
    made = bundle("sentiment")
    data = archive.write(replace(made, files={**made.files, "deployments/evil.yaml": text}).sealed)
    begin = time.process_time()

    answer = push(client, data)

    assert answer.status_code in {413, 422}
    assert time.process_time() - begin < 2
