"""What cannot be had is said with the right status, nothing of ours or of a stranger leaks, and limits hold."""

from __future__ import annotations

import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from flask import Flask
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, EVE, KEY, SECRET, Failing, bearer, push, session, zipped

from playground.runtime.deployment import Address
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app
from playground.server.orchestrator_control import OrchestratorControl
from playground.server.push_tokens import PushTokens
from playground.server.streams import Streams
from shared import errors
from shared.errors import RateLimitedError, UnavailableError
from shared.settings import Secret

CANARY = "canary-7f3a"
METHODS = {
    ("GET", "/v1/deployments"): "all",
    ("GET", "/v1/deployments/{}"): "get",
    ("GET", "/v1/deployments/{}/history"): "events",
    ("GET", "/v1/deployments/{}/nodes/sensor/logs"): "logs",
    ("GET", "/v1/deployments/{}/shared-folder/"): "shared_folder",
    ("GET", "/v1/deployments/{}/execution_run.json"): "files",
    ("POST", "/v1/deployments/{}/sleep"): "sleep",
    ("POST", "/v1/deployments/{}/wake"): "wake",
    ("POST", "/v1/deployments/{}/restart"): "restart",
    ("POST", "/v1/deployments/{}/reset"): "reset",
    ("DELETE", "/v1/deployments/{}?data=true"): "delete",
}


def app_of(runtime: Failing, folder: Path) -> Flask:
    return create_app(playground.settings(folder), runtime=runtime)  # type: ignore[arg-type]


def failing_app(runtime: ProcessRuntime, folder: Path, **failures: Exception) -> Flask:
    return app_of(Failing(runtime, **failures), folder)


@pytest.mark.parametrize(
    ("failure", "status"), [(UnavailableError("the cluster does not answer"), 503), (RuntimeError(CANARY), 500)]
)
def test_a_failing_runtime_is_told_without_its_secrets(
    runtime: ProcessRuntime, tmp_path: Path, failure: Exception, status: int
) -> None:
    failing = Failing(runtime)
    client = app_of(failing, tmp_path).test_client()
    made = push(client).json["id"]  # type: ignore[index]
    answers = []
    for (method, path), name in METHODS.items():
        failing.failures = {name: failure}
        answers.append(client.open(path.format(made), method=method, headers=bearer()))

    assert {answer.status_code for answer in answers} == {status}
    assert all(answer.mimetype == "application/problem+json" for answer in answers)
    assert all(CANARY not in answer.text + str(answer.headers) for answer in answers)


def test_a_look_succeeds_though_it_cannot_be_noted(runtime: ProcessRuntime, tmp_path: Path, logs: Any) -> None:
    client = failing_app(runtime, tmp_path, wake=UnavailableError("later")).test_client()
    made = runtime.create(_push())[0]

    class Ready(Failing):
        def get(self, deployment: Any) -> Any:
            from dataclasses import replace  # noqa: PLC0415

            from playground.runtime.deployment import State  # noqa: PLC0415

            return replace(self.real.get(deployment), state=State.READY)

    ready = Ready(runtime, wake=UnavailableError("later"))
    client = create_app(playground.settings(tmp_path), runtime=ready).test_client()  # type: ignore[arg-type]

    assert client.get(f"/v1/deployments/{made.id}", headers=bearer()).status_code == 200
    assert len(logs.events("look_not_noted")) == 1


def _push() -> Any:
    from playground.server import receiving  # noqa: PLC0415
    from shared.principal import Principal  # noqa: PLC0415

    return receiving.read(zipped(), Principal(ADA)).push


def test_readiness_names_what_is_missing(runtime: ProcessRuntime, tmp_path: Path) -> None:
    broken = failing_app(runtime, tmp_path, check=UnavailableError("the cluster does not answer"))

    ready = failing_app(runtime, tmp_path).test_client().get("/readyz")
    unready = broken.test_client().get("/readyz")

    assert (ready.status_code, unready.status_code) == (200, 503)
    assert unready.json["missing"] == {"runtime": "the cluster does not answer"}  # type: ignore[index]
    assert broken.test_client().get("/healthz").status_code == 200


def test_too_many_changes_are_refused_for_a_while_and_looking_is_not(runtime: ProcessRuntime, tmp_path: Path) -> None:
    client = create_app(playground.settings(tmp_path, changes_per_minute=2), runtime=runtime).test_client()
    made = push(client).json["id"]  # type: ignore[index]

    statuses = [client.post(f"/v1/deployments/{made}/sleep", headers=bearer()).status_code for _ in range(3)]
    refused = client.post(f"/v1/deployments/{made}/sleep", headers=bearer())

    assert statuses == [202, 429, 429]
    assert int(refused.headers["Retry-After"]) <= 30
    assert client.get(f"/v1/deployments/{made}", headers=bearer()).status_code == 200
    assert push(client, principal=EVE).status_code == 202


def test_too_many_requests_of_one_are_refused_and_health_is_not(runtime: ProcessRuntime, tmp_path: Path) -> None:
    client = create_app(playground.settings(tmp_path, requests_per_minute=3), runtime=runtime).test_client()

    statuses = [client.get("/v1/deployments", headers=bearer()).status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert client.get("/v1/deployments", headers=bearer(EVE)).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_twenty_equal_pushes_at_once_are_one_deployment(client: FlaskClient, runtime: ProcessRuntime) -> None:
    def pushed(_: int) -> tuple[int, str]:
        answer = push(client.application.test_client())
        return answer.status_code, answer.json["id"]  # type: ignore[index]

    with futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(pushed, range(20)))

    assert sorted(status for status, _ in answers) == [200] * 19 + [202]
    assert len({made for _, made in answers}) == 1
    assert len(runtime.all()) == 1


PATHS = ["a/../b", "..", ".", "../a", "a\\b", "a%0ab", "a/./b", "a/%2e%2e/b", "x" * 256, "a/" * 513 + "a", "a%00b"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_that_leaves_the_folder_is_refused(client: FlaskClient, method: str) -> None:
    folder = push(client, zipped("word-count")).headers["Location"] + "/shared-folder"

    answers = {path: client.open(f"{folder}/{path}", method=method, headers=bearer(), data=b"x") for path in PATHS}

    accepted = [path for path, answer in answers.items() if answer.status_code not in {400, 404, 405}]
    assert accepted == []


def test_a_strangers_file_is_a_download_that_nothing_can_run_in(client: FlaskClient) -> None:
    path = push(client, zipped("word-count")).headers["Location"] + "/shared-folder"
    client.put(f"{path}/evil.html", data=b"<script>alert(1)</script>", headers=bearer())

    answer = client.get(f"{path}/evil.html", headers=bearer())

    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(runtime: ProcessRuntime, tmp_path: Path) -> None:
    client = create_app(playground.settings(tmp_path, most_file_bytes=1024), runtime=runtime).test_client()
    path = push(client, zipped("word-count")).headers["Location"] + "/shared-folder"

    small = client.put(f"{path}/small", data=b"x" * 1024, headers=bearer())
    large = client.put(f"{path}/large", data=b"x" * 1025, headers=bearer())

    listed = client.get(f"{path}/", headers=bearer()).json["entries"]  # type: ignore[index]
    assert (small.status_code, large.status_code) == (204, 413)
    assert [entry["name"] for entry in listed] == ["small"]


def test_a_solution_without_a_folder_has_none(client: FlaskClient) -> None:
    path = push(client).headers["Location"]

    assert client.get(f"{path}/shared-folder/", headers=bearer()).status_code == 404


@pytest.mark.parametrize("query", ["follow=yes", "tail=-1", "tail=10001", "since=x", "tail=٣", "since=99999999999"])
def test_a_parameter_of_another_form_is_refused(client: FlaskClient, query: str) -> None:
    path = push(client).headers["Location"]

    assert client.get(f"{path}/nodes/sensor/logs?{query}", headers=bearer()).status_code == 400


def test_a_node_that_there_is_not_has_no_log(client: FlaskClient) -> None:
    path = push(client).headers["Location"]

    assert client.get(f"{path}/nodes/nobody/logs", headers=bearer()).status_code == 404


# --- streams


def test_one_holds_a_few_and_all_together_some_more() -> None:
    streams = Streams(3, per_principal=2)
    streams.take("ada")
    streams.take("ada")
    with pytest.raises(RateLimitedError):
        streams.take("ada")
    streams.take("eve")
    with pytest.raises(UnavailableError):
        streams.take("bob")

    streams.give_back("ada")
    streams.take("bob")

    assert streams.open == 3


def test_what_fails_at_once_gives_its_stream_back() -> None:
    streams = Streams(1, per_principal=1)

    def failing() -> Any:
        raise UnavailableError("not now")
        yield b""

    for _ in range(3):
        with pytest.raises(UnavailableError):
            streams.response("ada", failing(), content_type="text/plain", headers={})

    assert streams.open == 0


# --- an orchestrator that nobody can trust


class Orchestrator:
    """Answers every call with one status and one text."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(code, text)
            return b""

        handler = grpc.unary_unary_rpc_method_handler(answer)
        service = "slipway.orchestrator.v1.Control"
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"ListRuns": handler}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.UnavailableError),
        (grpc.StatusCode.UNAUTHENTICATED, errors.UpstreamError),
        (grpc.StatusCode.NOT_FOUND, errors.NotFoundError),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.ConflictError),
        (grpc.StatusCode.INVALID_ARGUMENT, errors.InvalidRequestError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.UpstreamTimeoutError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.UpstreamError),
        (grpc.StatusCode.INTERNAL, errors.UpstreamError),
        (grpc.StatusCode.UNIMPLEMENTED, errors.UpstreamError),
    ],
)
def test_an_orchestrator_s_failure_has_its_error(code: grpc.StatusCode, kind: type[errors.SlipwayError]) -> None:
    orchestrator = Orchestrator(code, "line\n\x1b[2Jend" + "x" * 5000)
    control = OrchestratorControl()

    with pytest.raises(kind) as failed:
        control.runs((Address("127.0.0.1", orchestrator.port), Secret("t")))

    control.close()
    orchestrator.server.stop(None)
    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 400


def test_no_orchestrator_is_said_so_at_once() -> None:
    control = OrchestratorControl()

    with pytest.raises(UnavailableError, match="the orchestrator does not answer"):
        control.runs((Address("127.0.0.1", 1), None))

    control.close()


# --- secrets


def test_no_answer_and_no_log_line_holds_a_secret_or_a_name(client: FlaskClient, logs: Any) -> None:
    token = playground.token()
    service = PushTokens(Secret(KEY)).make(ADA, zipped())
    push_headers = {"Authorization": f"Bearer {service}", "Content-Type": "application/zip"}
    pushed = client.post("/v1/deployments", data=zipped(), headers=push_headers)
    visit = pushed.json.pop("visit")  # type: ignore[union-attr]
    path = pushed.headers["Location"]
    csrf = session(client)
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": token, "Referer": f"http://x/?t={token}"}
    answers = [
        client.get(path, headers=headers),
        client.get(f"{path}?jwtToken={token}"),
        client.get(f"/v1/deployments/{token}", headers=headers),
        client.put(path, data=token.encode(), headers={**headers, "Content-Type": "application/zip"}),
        client.post(f"{path}/reset", json={token: 1}, headers=headers),
        client.post(f"{path}/run", headers=headers),
        client.get(visit),
        client.get(visit),
        client.post("/visitor/deployments", data=b"x", headers={"X-CSRF-Token": csrf}),
        client.get("/readyz", headers=headers),
    ]

    told = "".join(f"{answer.status}{answer.headers}{answer.text}" for answer in answers)
    told = told.replace(f"reset/{token}", "")
    everything = logs.text
    secrets = [token, token.rpartition(".")[2], service.rpartition(".")[2], SECRET, KEY, csrf, visit.partition("=")[2]]
    assert {answer.status_code for answer in answers} >= {200, 303, 400, 401, 404, 409, 422}
    assert [secret for secret in secrets if secret in everything] == []
    assert [
        secret for secret in (SECRET, KEY, token.rpartition(".")[2], service.rpartition(".")[2]) if secret in told
    ] == []
    assert ADA not in everything


def test_threads_of_streams_end(client: FlaskClient) -> None:
    path = push(client).headers["Location"]
    before = threading.active_count()

    for _ in range(5):
        answer = client.get(f"{path}/events", headers=bearer())
        next(iter(answer.response))
        answer.close()

    assert threading.active_count() <= before + 1
