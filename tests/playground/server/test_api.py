"""The API over deployments: push, list, look at, update, delete; each caller among their own."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, EVE, OPERATOR, ZIP, bearer, push, zipped

from playground.runtime.process.runtime import ProcessRuntime


def test_a_pushed_bundle_is_a_deployment_of_the_caller(client: FlaskClient) -> None:
    answer = push(client)

    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.headers["Location"] == f"/v1/deployments/{answer.json['id']}"
    assert (answer.json["owner"], answer.json["mine"], answer.json["state"]) == (ADA, True, "queued")
    assert answer.json["revisions"][0]["digest"] == playground.bundle().digest
    assert answer.json["revisions"][0]["solutionId"] == "sensor-stream"
    assert "visit" not in answer.json


def test_the_same_push_is_the_same_deployment(client: FlaskClient, runtime: ProcessRuntime) -> None:
    first, second = push(client), push(client)

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json is not None
    assert second.json is not None
    assert second.json["id"] == first.json["id"]
    assert len(runtime.all()) == 1


def test_a_push_wakes_a_deployment_that_is_asleep(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    client.post(f"/v1/deployments/{made}/sleep", headers=bearer())

    again = push(client)

    assert (again.status_code, again.json["id"], again.json["state"]) == (200, made, "queued")  # type: ignore[index]


def test_everybody_lists_their_own_and_operators_all(client: FlaskClient) -> None:
    mine, hers = push(client).json["id"], push(client, principal=EVE).json["id"]  # type: ignore[index]

    def listed(principal: str) -> list[str]:
        answer = client.get("/v1/deployments", headers=bearer(principal))
        return sorted(found["id"] for found in answer.json["deployments"])  # type: ignore[index]

    assert listed(ADA) == [mine]
    assert listed(EVE) == [hers]
    assert listed(OPERATOR) == sorted([mine, hers])


def test_a_deployment_can_be_looked_at(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.get(f"/v1/deployments/{made}", headers=bearer())

    assert answer.status_code == 200
    assert answer.json is not None
    assert [node["name"] for node in answer.json["nodes"]] == ["sensor", "detector", "dashboard", "orchestrator"]


def test_another_bundle_of_the_same_solution_becomes_a_revision(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.put(f"/v1/deployments/{made}", data=zipped(revision="2"), headers={**bearer(), **ZIP})

    assert answer.status_code == 202
    assert answer.json is not None
    assert [revision["revisionId"] for revision in answer.json["revisions"]] == ["1", "2"]
    assert answer.json["current"] == 2


def test_an_operator_s_update_leaves_the_owner(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.put(f"/v1/deployments/{made}", data=zipped(revision="2"), headers={**bearer(OPERATOR), **ZIP})

    assert answer.status_code == 202
    assert (answer.json["owner"], answer.json["mine"]) == (ADA, False)  # type: ignore[index]


def test_a_bundle_of_another_solution_is_no_update(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.put(f"/v1/deployments/{made}", data=zipped("word-count"), headers={**bearer(), **ZIP})

    assert answer.status_code == 409


def test_a_former_revision_runs_again_as_a_new_one(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    client.put(f"/v1/deployments/{made}", data=zipped(revision="2"), headers={**bearer(), **ZIP})

    answer = client.post(f"/v1/deployments/{made}/rollback", json={"revision": 1}, headers=bearer())

    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["current"], answer.json["revisions"][-1]["revisionId"]) == (3, "1")


def test_a_revision_that_is_not_there_cannot_run_again(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.post(f"/v1/deployments/{made}/rollback", json={"revision": 7}, headers=bearer())

    assert answer.status_code == 404


def test_a_deployment_without_data_is_deleted_by_a_word(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.delete(f"/v1/deployments/{made}", headers=bearer())

    assert answer.status_code == 202


def test_data_go_by_two_words_only(client: FlaskClient) -> None:
    made = push(client, zipped("word-count")).json["id"]  # type: ignore[index]

    kept = client.delete(f"/v1/deployments/{made}", headers=bearer())
    gone = client.delete(f"/v1/deployments/{made}?data=true", headers=bearer())

    assert (kept.status_code, gone.status_code) == (409, 202)
    assert "data=true" in kept.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize("action", ["wake", "sleep", "restart", "reset"])
def test_the_runtime_does_what_it_is_asked(client: FlaskClient, action: str) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.post(f"/v1/deployments/{made}/{action}", json={}, headers=bearer())

    assert answer.status_code == 202
    assert answer.json["state"] == ("asleep" if action == "sleep" else "queued")  # type: ignore[index]


def test_a_change_needs_no_body(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    assert client.post(f"/v1/deployments/{made}/sleep", headers=bearer()).status_code == 202


def test_a_node_that_there_is_not_cannot_be_restarted(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.post(f"/v1/deployments/{made}/restart", json={"node": "nobody"}, headers=bearer())

    assert (answer.status_code, answer.json["detail"]) == (404, "the deployment has no such node")  # type: ignore[index]


@pytest.mark.parametrize("body", ['{"data": 1}', '{"date": true}', "[]", "{", '"x"', '{"data": "true"}'])
def test_a_body_of_another_form_is_refused(client: FlaskClient, body: str) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    headers = {**bearer(), "Content-Type": "application/json"}

    assert client.post(f"/v1/deployments/{made}/reset", data=body, headers=headers).status_code == 400


def test_a_body_that_is_no_json_by_its_type_is_refused(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    assert client.post(f"/v1/deployments/{made}/reset", data="data=true", headers=bearer()).status_code == 415


def test_a_pipeline_runs_only_when_it_is_ready(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.post(f"/v1/deployments/{made}/run", headers=bearer())

    assert answer.status_code == 409
    assert answer.json["detail"] == "the deployment is queued: it runs when every node is ready"  # type: ignore[index]


def test_the_history_tells_what_happened(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    client.post(f"/v1/deployments/{made}/sleep", headers=bearer())

    told = client.get(f"/v1/deployments/{made}/history", headers=bearer()).json["events"]  # type: ignore[index]

    assert "was put to sleep" in [event["text"] for event in told]


def test_the_picture_shows_the_graph_and_is_kept_by_browsers(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    first = client.get(f"/v1/deployments/{made}/graph.svg", headers=bearer())
    again = client.get(
        f"/v1/deployments/{made}/graph.svg", headers={**bearer(), "If-None-Match": first.headers["ETag"]}
    )

    assert (first.status_code, first.mimetype, again.status_code) == (200, "image/svg+xml", 304)
    assert "detector" in first.text
    assert "sandbox" in first.headers["Content-Security-Policy"]


def test_only_operators_see_all_of_it(client: FlaskClient) -> None:
    push(client)
    made = push(client, principal=EVE).json["id"]  # type: ignore[index]

    refused = client.get("/v1/operator", headers=bearer())
    answer = client.get("/v1/operator", headers=bearer(OPERATOR))

    assert refused.status_code == 403
    assert answer.json is not None
    assert answer.json["capacity"]["deployments"] == 2
    assert answer.json["owners"][0] == {"owner": ADA, "states": {"queued": 1}}
    assert answer.json["queue"][-1]["id"] == made


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/json", ""])
def test_a_push_is_a_zip_by_its_type(client: FlaskClient, kind: str) -> None:
    headers = {**bearer(), "Content-Type": kind}

    assert client.post("/v1/deployments", data=b"x", headers=headers).status_code == 415


def test_without_a_run_there_are_no_figures(client: FlaskClient) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    answer = client.get(f"/v1/deployments/{made}/statistics", headers=bearer())

    assert answer.status_code == 200
    assert answer.json == {
        "available": False,
        "reason": "the orchestrator is not up",
        "run": None,
        "operations": [],
        "edges": [],
    }
