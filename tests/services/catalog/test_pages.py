"""The pages: what visitors see, and what nobody can make them do."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from support import catalog
from support.catalog import ADA, EVE, PNG, SECRET, bearer, model, pipeline, put, served, sign_in, token
from werkzeug.test import TestResponse

from services.catalog.app import create_app, deployer_clients
from services.catalog.settings import DeployerPlace
from shared.settings import Secret
from shared.tokens import TokenSettings, Verifier
from shared.web.settings import WebSettings

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SOLUTION = "/solutions/s/r1"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: TestResponse, name: str) -> list[dict[str, str | None]]:
    parser = _Tags()
    parser.feed(page.text)
    return [attributes for tag, attributes in parser.found if tag == name]


def csrf(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


class Deployer:
    """A deployer of a few lines: it remembers what it was asked, and answers as it is told."""

    def __init__(self) -> None:
        self.app = Flask("deployer")
        self.asked: list[tuple[str, object]] = []
        self.answer: Callable[[], Response] = lambda: Response(b"PK zip", content_type="application/zip")
        verifier = Verifier(TokenSettings(secret=Secret(SECRET)))

        @self.app.post("/v1/bundles")
        def bundles() -> Response:
            proof = verifier.verify(request.headers["Authorization"].removeprefix("Bearer "))
            self.asked.append((proof.principal.id, request.json))
            return self.answer()

        @self.app.get("/v1/deployer")
        def about() -> Response:
            return Response('{"title": "Tiny clusters", "summary": "For tests."}', content_type="application/json")


@pytest.fixture
def deployer() -> Deployer:
    return Deployer()


@contextmanager
def catalog_with(deployer: Deployer, folder: Path, **changes: object) -> Iterator[FlaskClient]:
    """Visit a catalog that knows the deployer; Ada is signed in, and has stored a public solution."""
    with served(deployer.app) as url:
        settings = catalog.settings(folder, deployers=(DeployerPlace("tiny", f"{url}/"),), **changes)
        clients = deployer_clients(settings)
        client = create_app(settings, deployers=clients).test_client()
        put(client, "s", "r1", pipeline("first"), public=True)
        sign_in(client)
        yield client
        for one in clients.values():
            one.close()


@pytest.fixture
def launching(tmp_path: Path, deployer: Deployer) -> Iterator[FlaskClient]:
    with catalog_with(deployer, tmp_path) as client:
        yield client


def launch(client: FlaskClient, **headers: str) -> TestResponse:
    field = csrf(client.get(SOLUTION))
    return client.post(f"{SOLUTION}/bundles/tiny", data={"csrf_token": field}, headers={**HTML, **headers})


def test_a_stranger_sees_what_is_public_and_a_form_to_sign_in(client: FlaskClient) -> None:
    put(client, "open", "r1", pipeline(), public=True)
    put(client, "closed", "r2", pipeline())

    page = client.get("/")

    assert "/solutions/open/r1" in page.text
    assert "closed" not in page.text
    assert [form["action"] for form in tags(page, "form")] == ["/sign-in"]


def test_a_visitor_sees_their_own_and_what_is_public(client: FlaskClient) -> None:
    put(client, "mine", "r1", pipeline())
    put(client, "hers", "r2", pipeline(), principal=EVE)
    put(client, "open", "r3", pipeline(), principal=EVE, public=True)
    sign_in(client)

    page = client.get("/")

    links = {link["href"] for link in tags(page, "a")}
    assert {"/solutions/mine/r1", "/solutions/open/r3"} <= links
    assert "/solutions/hers/r2" not in links


def test_every_solution_in_the_list_has_a_picture_and_a_verdict(client: FlaskClient) -> None:
    put(client, "good", "r1", model(), public=True)
    put(client, "bad", "r2", {"blueprint.json": b'{"name": "x", "nodes": [{"container_name": "a"}]}'}, public=True)

    page = client.get("/")

    assert [image["src"] for image in tags(page, "img")] == [
        "/solutions/bad/r2/graph.svg?detail=names",
        "/solutions/good/r1/graph.svg?detail=names",
    ]
    assert re.findall(r'class="verdict verdict-(\w+)"', page.text) == ["error", "good"]


def test_the_pictures_of_the_list_are_there(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first"), public=True)

    names, everything = (client.get(f"{SOLUTION}/graph.svg{query}") for query in ("?detail=names", ""))

    assert names.content_type == "image/svg+xml"
    assert "g-operation" not in names.text.partition("</style>")[2]
    assert "g-operation" in everything.text.partition("</style>")[2]


def test_a_solution_stands_once_in_the_list_with_its_newest_revision(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first"), public=True)
    put(client, "s", "r2", pipeline("first", "second"), public=True)

    page = client.get("/")

    assert "/solutions/s/r2" in page.text
    assert "/solutions/s/r1" not in page.text
    assert "<dt>Revisions</dt><dd>2</dd>" in page.text


def test_a_long_list_has_pages(client: FlaskClient) -> None:
    for number in range(25):
        put(client, f"s{number}", f"r{number}", model(), public=True)

    first, second, odd = (client.get(path) for path in ("/", "/?page=2", "/?page=-1e9"))

    assert [len(tags(page, "img")) for page in (first, second, odd)] == [24, 1, 24]
    assert "Sheet 2 of 2" in second.text


def test_an_empty_list_says_how_to_begin(client: FlaskClient) -> None:
    assert "curl -X PUT" in client.get("/").text


def test_a_solution_s_page_shows_graph_nodes_and_findings(client: FlaskClient) -> None:
    files = {"blueprint.json": pipeline("first")["blueprint.json"]}
    put(client, "s", "r1", files, public=True)

    page = client.get(SOLUTION)

    assert page.status_code == 200
    assert 'class="graph" role="img"' in page.text
    assert "found no file microservice/first.proto" in page.text
    assert "registry.example/model:1" in page.text


def test_other_revisions_are_linked(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first"), public=True)
    put(client, "s", "r2", pipeline("first", "second"), public=True)

    assert "/solutions/s/r2" in {link["href"] for link in tags(client.get(SOLUTION), "a")}


def test_a_description_is_never_shown_as_it_came(client: FlaskClient) -> None:
    html = b"<p>It <b>counts</b>.</p><script>alert(1)</script><img src=//evil.example/x.png>"
    put(client, "s", "r1", {**pipeline(), "solution_description.html": html}, public=True)

    page = client.get(SOLUTION)

    assert "<p>It <b>counts</b>.</p>" in page.text
    assert "evil.example" not in page.text
    assert tags(page, "script") == []


def test_hostile_names_stay_text(client: FlaskClient) -> None:
    bad = '"><script>alert(1)</script>'
    blueprint = pipeline("first")["blueprint.json"].decode().replace("sample", bad.replace('"', '\\"'))
    put(client, "s", "r1", {**pipeline("first"), "blueprint.json": blueprint.encode()}, public=True)

    for path in ("/", SOLUTION):
        page = client.get(path)
        assert tags(page, "script") == []
        assert "&lt;script&gt;alert(1)" in page.text


@pytest.mark.parametrize("path", ["/", SOLUTION, "/sign-in", "/solutions/none/r1"])
def test_no_page_runs_or_loads_anything_foreign(client: FlaskClient, path: str) -> None:
    put(client, "s", "r1", {**pipeline(), "solution_icon.png": PNG}, public=True)
    sign_in(client)

    page = client.get(path, headers=HTML)

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert tags(page, "script") == tags(page, "style") == []
    sources = [a.get("src") or a.get("href") or "" for tag in ("img", "link") for a in tags(page, tag)]
    assert all(source.startswith("/") for source in sources)
    assert " style=" not in page.text
    assert not re.search(r"\son\w+=", page.text)


def test_what_a_page_loads_is_there(client: FlaskClient) -> None:
    loaded = [link["href"] or "" for link in tags(client.get("/"), "link")]

    assert [client.get(url).status_code for url in loaded] == [200, 200, 200, 200]
    assert all("immutable" in client.get(url).headers["Cache-Control"] for url in loaded)
    assert client.get("/static/catalog.css").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["", "..", "settings.py", "%2e%2e%2fapp.py", "../templates/list.html"])
def test_nothing_else_is_served_as_a_file(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_an_icon_is_shown_only_when_it_is_a_picture(client: FlaskClient) -> None:
    put(client, "s", "r1", {**pipeline(), "solution_icon.png": PNG}, public=True)
    put(client, "t", "r2", {**pipeline(), "solution_icon.png": b"<svg onload=alert(1)>"}, public=True)

    good, bad = client.get(f"{SOLUTION}/icon"), client.get("/solutions/t/r2/icon")

    assert (good.status_code, good.content_type, good.data) == (200, "image/png", PNG)
    assert bad.status_code == 404


@pytest.mark.parametrize("path", [SOLUTION, f"{SOLUTION}/graph.svg", f"{SOLUTION}/icon"])
def test_a_private_solution_does_not_exist_for_others(client: FlaskClient, path: str) -> None:
    put(client, "s", "r1", {**pipeline(), "solution_icon.png": PNG})
    assert client.get(path).status_code == 404

    sign_in(client, EVE)
    assert client.get(path).status_code == 404

    sign_in(client, ADA)
    assert client.get(path).status_code == 200


def test_a_token_in_a_form_signs_in(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"token": f"  {token()}\n"})

    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert ADA in client.get("/").text


def test_signing_in_on_a_solution_s_page_leads_back_there(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline(), public=True)
    fields = {field["name"]: field.get("value") for field in tags(client.get(SOLUTION), "input")}

    response = client.post("/sign-in", data={**fields, "token": token()})

    assert response.headers["Location"] == SOLUTION


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/solutions/s/r1/../../x",
        "/solutions/s/r1\n",
        "/session/end",
    ],
)
def test_signing_in_leads_nowhere_else(client: FlaskClient, back: str) -> None:
    response = client.post("/sign-in", data={"token": token(), "back": back})

    assert response.headers["Location"] == "/"


def test_a_bad_token_is_refused_and_not_shown_again(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"token": "eyJ.a-bad-one.x"}, headers=HTML)

    assert response.status_code == 401
    assert "not valid here" in response.text
    assert "a-bad-one" not in response.text
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_another_site_cannot_sign_a_visitor_in(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/sign-in", data={"token": token(EVE)}, headers=headers)

    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


def test_a_link_with_a_code_signs_in_once(client: FlaskClient) -> None:
    link = client.post("/session/codes", headers=bearer()).json["url"]  # type: ignore[index]

    assert client.get(link).headers["Location"] == "/"
    assert ADA in client.get("/").text
    again = client.get(link, headers=HTML)
    assert (again.status_code, again.mimetype) == (401, "text/html")
    assert "works once" in again.text


def test_signing_out_needs_our_own_page(client: FlaskClient) -> None:
    sign_in(client)

    assert client.post("/session/end").status_code == 403
    assert client.post("/session/end", data={"csrf_token": csrf(client.get("/"))}).status_code == 303
    assert ADA not in client.get("/").text


def test_a_button_downloads_the_bundle_for_the_visitor(launching: FlaskClient, deployer: Deployer) -> None:
    assert "Tiny clusters" in launching.get(SOLUTION).text

    response = launch(launching)

    assert (response.status_code, response.data) == (200, b"PK zip")
    assert response.headers["Content-Disposition"] == 'attachment; filename="s-tiny.zip"'
    assert response.headers["Cache-Control"] == "no-store"
    assert deployer.asked == [(ADA, {"solutionId": "s", "revisionId": "r1", "options": {}})]


def test_findings_of_the_deployer_are_shown(launching: FlaskClient, deployer: Deployer) -> None:
    finding = (
        '{"severity": "error", "code": "x", "path": "$.a", "expected": "an <b>", "found": "none", "hint": "mend it"}'
    )
    text = f'{{"detail": "see findings", "findings": [{finding}]}}'
    deployer.answer = lambda: Response(text, status=422, content_type="application/problem+json")

    response = launch(launching)

    assert response.status_code == 422
    assert "Tiny clusters could not build this" in response.text
    assert "Expected an &lt;b&gt;; found none." in response.text


def test_a_deployer_that_pushes_is_followed_only_to_itself(launching: FlaskClient, deployer: Deployer) -> None:
    deployer.answer = lambda: Response(status=202, headers={"Location": "https://evil.example/x"})
    elsewhere = launch(launching)
    deployer.answer = lambda: Response(status=202, headers={"Location": "/v1/deployments/7"})
    at_home = launch(launching)

    assert elsewhere.status_code == at_home.status_code == 202
    assert "evil.example" not in elsewhere.text
    assert "/v1/deployments/7" in at_home.text


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_start_a_build(launching: FlaskClient, deployer: Deployer, headers: dict[str, str]) -> None:
    assert launch(launching, **headers).status_code == 403
    assert launching.post(f"{SOLUTION}/bundles/tiny").status_code == 403
    assert deployer.asked == []


def test_a_stranger_cannot_start_a_build(launching: FlaskClient, deployer: Deployer) -> None:
    stranger = launching.application.test_client()

    response = stranger.post(f"{SOLUTION}/bundles/tiny", headers=HTML)

    assert (response.status_code, response.mimetype) == (401, "text/html")
    assert deployer.asked == []


def test_builds_are_limited_per_person(tmp_path: Path, deployer: Deployer) -> None:
    with catalog_with(deployer, tmp_path, changes_per_minute=2) as client:
        statuses = [launch(client).status_code for _ in range(2)]

    assert statuses == [200, 429]  # the upload counted as well


def test_a_build_leaves_threads_for_the_deployer_s_own_questions(tmp_path: Path, deployer: Deployer) -> None:
    # With all threads waiting for deployers that ask us back, nobody would ever answer.
    release = threading.Event()
    deployer.answer = lambda: Response(b"PK zip" if release.wait(20) else b"", content_type="application/zip")

    with catalog_with(deployer, tmp_path, web=WebSettings(threads=2)) as client, ThreadPoolExecutor() as pool:
        first = pool.submit(launch, client)
        while not deployer.asked:
            time.sleep(0.01)
        second = launch(client)
        release.set()

    assert (second.status_code, first.result().status_code) == (503, 200)


def test_an_unknown_deployer_is_not_there(launching: FlaskClient) -> None:
    field = csrf(launching.get(SOLUTION))

    assert launching.post(f"{SOLUTION}/bundles/other", data={"csrf_token": field}).status_code == 404


def test_a_solution_with_errors_has_no_buttons(launching: FlaskClient) -> None:
    put(launching, "t", "r2", {"blueprint.json": b'{"name": "x", "nodes": [{"container_name": "a"}]}'})

    page = launching.get("/solutions/t/r2")

    assert "have to be mended first" in page.text
    assert "/bundles/" not in page.text


@pytest.mark.parametrize(
    "change", [{"audience": "somebody"}, {"principal": "oidc", "issuer": "https://issuer.example"}]
)
def test_where_deployers_would_not_take_our_tokens_there_are_no_buttons(tmp_path: Path, change: dict[str, str]) -> None:
    tokens = TokenSettings(secret=Secret(SECRET), **change)

    assert (
        deployer_clients(catalog.settings(tmp_path, deployers=(DeployerPlace("tiny", "http://a/"),), tokens=tokens))
        == {}
    )


@pytest.mark.parametrize(
    "path", ["/solutions/none/r1", "/no/such/route", "/solutions/%2e%2e/r1", "/solutions/s/" + "x" * 64]
)
def test_errors_are_pages_for_people_and_problems_for_programs(client: FlaskClient, path: str) -> None:
    page, problem = client.get(path, headers=HTML), client.get(path)

    assert page.status_code == problem.status_code
    assert (page.mimetype, problem.mimetype) == ("text/html", "application/problem+json")
    assert "Slipway" in page.text


def test_the_page_of_three_hundred_nodes_is_one_page(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline(*(f"node{n}" for n in range(300))), public=True)

    page = client.get(SOLUTION)

    assert page.text.count('class="g-node') == 300
    assert len(page.data) < 1_500_000
