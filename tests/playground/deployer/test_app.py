"""The button in the portal, pressed: the deployer's service before a real server, over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from support.deployer import client
from support.logs import Logs
from support.playground import ADA, EVE, KEY, SECRET, ZIP, bearer, token
from support.scripted_server import Request, answering, cutting, scripted
from werkzeug.test import TestResponse

from playground.server.push_tokens import PushTokens
from shared.settings import Secret

ASKED = {"solutionId": "private", "revisionId": "r1"}
LINK = "/deploy/private/r1"


def press(deployer: FlaskClient, principal: str = ADA, path: str = LINK) -> TestResponse:
    """Follow the portal's link."""
    return deployer.get(f"{path}?jwtToken={token(principal)}")


def visit(link: str) -> requests.Response:
    """Open a link as a browser without cookies does."""
    return requests.get(link, timeout=10, allow_redirects=False)


def at_once(calls: Sequence[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Return what each of `calls` returns, all of them begun together."""
    begin = threading.Barrier(len(calls))

    def run(call: Callable[[], TestResponse]) -> TestResponse:
        begin.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_program_learns_where_to_watch(deployer: FlaskClient, server: Any) -> None:
    answer = deployer.post("/v1/bundles", json=ASKED, headers=bearer())

    (found,) = server.runtime.all()
    base = server.url
    assert answer.status_code == 202
    assert answer.json["deployment"] == found.id
    assert answer.json["status"] == answer.headers["Location"] == f"{base}/v1/deployments/{found.id}"
    assert answer.json["page"].startswith(f"{base}/deployments/{found.id}/visit?code=")
    assert (answer.json["new"], answer.headers["Slipway-Findings"]) == (True, "errors=0, warnings=0")
    assert answer.headers["Slipway-Bundle-Digest"] == found.revisions[0].digest
    assert found.owner.id == ADA
    assert requests.get(answer.json["status"], headers=bearer(), timeout=10).json()["id"] == found.id


def test_the_portal_s_link_leads_to_the_page_signed_in_once(deployer: FlaskClient, server: Any) -> None:
    pressed = press(deployer)

    link = pressed.headers["Location"]
    (found,) = server.runtime.all()
    assert pressed.status_code == 302
    assert link.startswith(f"{server.url}/deployments/{found.id}/visit?code=")
    first, second = visit(link), visit(link)
    assert (first.status_code, first.headers["Location"]) == (303, f"/deployments/{found.id}")
    assert second.status_code == 401
    about = requests.get(f"{server.url}/visitor/deployments/{found.id}", cookies=first.cookies, timeout=10).json()
    assert (about["owner"], about["mine"]) == (ADA, True)


def test_a_code_is_good_for_its_own_deployment(deployer: FlaskClient) -> None:
    mine = press(deployer).headers["Location"]
    other = press(deployer, path="/deploy/public/r1").headers["Location"]

    swapped = mine.partition("?")[0] + "?" + other.partition("?")[2]

    assert visit(swapped).status_code == 401
    assert visit(other).status_code == 303


def test_pressing_again_is_the_same_deployment_and_another_link(deployer: FlaskClient, server: Any) -> None:
    first, second = press(deployer).headers["Location"], press(deployer).headers["Location"]

    assert first.partition("?")[0] == second.partition("?")[0]
    assert first != second
    assert len(server.runtime.all()) == 1


def test_pressing_twice_at_once_is_one_deployment(solutions: Path, server: Any) -> None:
    # Before the threads begin: until 3.11.8 Python may fail when two of them compile routes (CPython issue 106905).
    copies = [client(solutions, server.url) for _ in range(4)]

    pressed = at_once([partial(press, copy) for copy in copies])

    assert [answer.status_code for answer in pressed] == [302] * 4
    assert len({answer.headers["Location"].partition("?")[0] for answer in pressed}) == 1
    assert len(server.runtime.all()) == 1


def test_a_class_that_presses_at_once_is_served(deployer: FlaskClient, server: Any) -> None:
    names = [f"pupil{number}@example.org" for number in range(24)]

    pressed = at_once([partial(press, deployer.application.test_client(), name, "/deploy/public/r1") for name in names])

    assert [answer.status_code for answer in pressed] == [302] * 24
    assert len(server.runtime.all()) == 24


def test_another_user_s_press_is_another_deployment(deployer: FlaskClient, server: Any) -> None:
    press(deployer, path="/deploy/public/r1")
    press(deployer, EVE, "/deploy/public/r1")

    assert sorted(found.owner.id for found in server.runtime.all()) == [ADA, EVE]


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_user_s_solution_is_not_pushed(deployer: FlaskClient, server: Any, method: str) -> None:
    answer = press(deployer, EVE) if method == "get" else deployer.post("/v1/bundles", json=ASKED, headers=bearer(EVE))

    assert answer.status_code == 404
    assert server.runtime.all() == ()


@pytest.mark.parametrize("query", ["", "?jwtToken=x", f"?jwtToken={token()[:-2]}"])
def test_nobody_presses_without_a_token(deployer: FlaskClient, server: Any, query: str) -> None:
    assert deployer.get(f"{LINK}{query}").status_code == 401
    assert server.runtime.all() == ()


def test_who_only_looks_at_the_link_deploys_nothing(deployer: FlaskClient, server: Any) -> None:
    assert deployer.head(f"{LINK}?jwtToken={token()}").status_code == 405
    assert server.runtime.all() == ()


def test_visitors_are_sent_to_the_configured_base_only(solutions: Path, server: Any) -> None:
    behind = client(solutions, server.url, SLIPWAY_PLAYGROUND_PAGES="https://play.example.org/here")

    answer = behind.get(
        f"{LINK}?jwtToken={token()}", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    )

    assert answer.headers["Location"].startswith("https://play.example.org:443/here/deployments/")


def test_a_deployer_with_another_key_pushes_nothing(solutions: Path, server: Any) -> None:
    forger = client(solutions, server.url, SLIPWAY_PLAYGROUND_KEY="a key that the playground's server does not know")

    answer = forger.post("/v1/bundles", json=ASKED, headers=bearer())

    assert (answer.status_code, answer.json["code"]) == (502, "upstream_error")
    assert server.runtime.all() == ()


def test_what_the_playground_does_not_run_comes_back_with_findings(deployer: FlaskClient, server: Any) -> None:
    program = deployer.post("/v1/bundles", json={**ASKED, "solutionId": "foreign"}, headers=bearer())
    portal = press(deployer, path="/deploy/foreign/r1")

    assert (program.status_code, program.json["code"]) == (422, "invalid_solution")
    assert "registry.example.org/miner:1" in str(program.json["findings"])
    assert (portal.status_code, portal.text) == (
        404,
        "Error: deploy failed: the solution has 1 error; see findings",
    )
    assert server.runtime.all() == ()


class Captured:
    """A push as somebody saw it pass."""

    def __init__(self, solutions: Path) -> None:
        def note(request: Request) -> None:
            self.headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
            self.body = request.content
            request.send_error(400)

        with scripted(note) as (url, seen):
            client(solutions, url).post("/v1/bundles", json=ASKED, headers=bearer())
            self.everything = [str(request.headers) for request in seen]

    def send(self, server: str, **changes: Any) -> requests.Response:
        """Send it to a server."""
        headers = {**self.headers, **changes.pop("headers", {})}
        return requests.post(
            f"{server}/v1/deployments", data=changes.pop("body", self.body), headers=headers, timeout=10
        )


@pytest.fixture(scope="module")
def captured(solutions: Path) -> Captured:
    return Captured(solutions)


def test_the_user_s_own_token_goes_nowhere(captured: Captured) -> None:
    assert not [head for head in captured.everything if token().rpartition(".")[0] in head or SECRET in head]
    assert "jwtToken" not in str(captured.everything)


def test_neither_token_nor_code_nor_key_is_logged(deployer: FlaskClient, solutions: Path, logs: Logs) -> None:
    alone = client(solutions, "http://127.0.0.1:1", SLIPWAY_PLAYGROUND_PUSH_SECONDS="1")

    visit(press(deployer).headers["Location"])
    press(deployer, EVE)
    press(alone)

    begin_of_every_token_and_code = "eyJ"
    assert logs.events("deploy_failed")
    assert logs.events("push_failed")
    assert [secret for secret in (KEY, SECRET, begin_of_every_token_and_code) if secret in logs.text] == []


def test_a_replayed_push_is_the_same_deployment(captured: Captured, server: Any) -> None:
    statuses = [captured.send(server.url).status_code for _ in range(3)]

    assert statuses == [202, 200, 200]
    assert len(server.runtime.all()) == 1


def test_a_captured_token_pushes_nothing_else(captured: Captured, server: Any) -> None:
    forged = [
        captured.send(server.url, body=captured.body + b" "),
        captured.send(server.url, body=b""),
        captured.send(server.url, headers={"Authorization": captured.headers["Authorization"][:-3] + "abc"}),
        captured.send(server.url, headers={"Authorization": "Bearer x"}),
    ]

    assert {answer.status_code for answer in forged} == {401}
    assert len({answer.json()["detail"] for answer in forged}) == 1
    assert server.runtime.all() == ()


def test_a_push_is_too_late_after_a_minute(captured: Captured, server: Any) -> None:
    late = PushTokens(Secret(KEY), now=lambda: time.time() - 70).make(ADA, captured.body)

    answer = captured.send(server.url, headers={"Authorization": f"Bearer {late}"})

    assert answer.status_code == 401
    assert server.runtime.all() == ()


def test_a_server_that_dies_having_taken_the_bundle_has_taken_it_once(solutions: Path, server: Any) -> None:
    def taken(request: Request) -> requests.Response:
        headers = {"Authorization": request.headers["Authorization"], **ZIP}
        return requests.post(f"{server.url}/v1/deployments", data=request.content, headers=headers, timeout=10)

    def die(request: Request) -> None:
        assert taken(request).status_code == 202
        cutting(request)

    def live(request: Request) -> None:
        answer = taken(request)
        answering(answer.status_code, answer.content)(request)

    with scripted(die, live) as (url, _):
        answer = client(solutions, url).post("/v1/bundles", json=ASKED, headers=bearer())

    assert (answer.status_code, answer.json["new"]) == (202, False)
    assert len(server.runtime.all()) == 1


def test_a_dead_server_is_said_to_the_portal_in_its_own_form(solutions: Path) -> None:
    alone = client(solutions, "http://127.0.0.1:1", SLIPWAY_PLAYGROUND_PUSH_SECONDS="1")

    program, portal = alone.post("/v1/bundles", json=ASKED, headers=bearer()), press(alone)

    assert (program.status_code, program.json["code"]) == (502, "upstream_error")
    assert (portal.status_code, portal.content_type) == (404, "text/plain; charset=utf-8")
    assert portal.text.startswith("Error: deploy failed: see request ")


def test_the_service_is_ready_while_its_server_is(deployer: FlaskClient, solutions: Path) -> None:
    alone = client(solutions, "http://127.0.0.1:1")

    assert deployer.get("/readyz").status_code == 200
    answer = alone.get("/readyz")
    assert (answer.status_code, answer.json["missing"]) == (
        503,
        {"push": "playground: unreachable: no connection to the service"},
    )
    assert alone.get("/healthz").status_code == 200


def test_there_is_nothing_to_download(deployer: FlaskClient) -> None:
    assert deployer.get("/getSolutionZip/private/r1", headers=bearer()).status_code == 404


def test_every_route_asks_for_a_token_and_stands_in_the_document(deployer: FlaskClient) -> None:
    documented = deployer.get("/openapi.json").json["paths"]
    rules = {
        rule.rule.replace("<solution_id>", "{solutionId}").replace("<revision_id>", "{revisionId}")
        for rule in deployer.application.url_map.iter_rules()
        if rule.endpoint != "static"
    }

    closed = {path for path, item in documented.items() if all(each.get("security") != [] for each in item.values())}
    assert documented.keys() == rules
    assert closed == {"/v1/bundles", "/v1/deployer", "/deploy/{solutionId}/{revisionId}"}
    assert {deployer.get("/v1/deployer").status_code, deployer.post("/v1/bundles", json=ASKED).status_code} == {401}


def test_without_the_profile_there_is_no_link(solutions: Path, server: Any) -> None:
    assert press(client(solutions, server.url, SLIPWAY_COMPAT="")).status_code == 404
