"""The pages: what visitors see without any script, and what nobody can make them do."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, EVE, OPERATOR, push, session, token, zipped
from werkzeug.test import TestResponse

from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app
from shared.errors import UnavailableError

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: TestResponse) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page.text)
    return parser.found


def links(page: TestResponse) -> list[str]:
    return [attributes["href"] or "" for tag, attributes in tags(page) if tag == "a"]


def pushed(client: FlaskClient, principal: str = ADA, sample: str = "sensor-stream") -> str:
    """Push a bundle and return the path of its page."""
    return f"/deployments/{push(client, zipped(sample), principal).json['id']}"  # type: ignore[index]


def bundle(data: bytes | None = None) -> dict[str, object]:
    """Return the fields of the form that sends a bundle."""
    return {"bundle": (io.BytesIO(zipped() if data is None else data), "solution.zip")}


def test_a_stranger_sees_a_form_to_sign_in_and_nothing_else(client: FlaskClient) -> None:
    path = pushed(client)

    page = client.get("/")

    assert [attributes["action"] for tag, attributes in tags(page) if tag == "form"] == ["/sign-in"]
    assert path not in page.text


def test_signing_in_leads_back_to_the_deployment(client: FlaskClient) -> None:
    path = pushed(client)

    refused = client.get(path, headers=HTML)
    answer = client.post("/sign-in", data={"token": token(), "back": path})

    assert refused.status_code == 401
    assert f'name="back" value="{path}"' in refused.text
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "/deployments/x\n/y"])
def test_signing_in_leads_to_no_other_site(client: FlaskClient, back: str) -> None:
    assert client.post("/sign-in", data={"token": token(), "back": back}).headers["Location"] == "/"


def test_the_list_shows_state_and_age_of_ones_own(client: FlaskClient) -> None:
    mine, hers = pushed(client), pushed(client, EVE)
    session(client)

    page = client.get("/")

    assert mine in links(page)
    assert hers not in page.text
    assert '<span class="light light-still">queued</span>' in page.text
    assert re.search(r'<time datetime="[\dT:Z-]+">\d s</time>', page.text)


def test_operators_see_all_with_their_owners(client: FlaskClient) -> None:
    hers = pushed(client, EVE)
    session(client, OPERATOR)

    page = client.get("/")

    assert hers in links(page)
    assert EVE in page.text


def test_a_long_list_has_pages(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.server.pages.PER_PAGE", 1)
    older, newer = pushed(client), pushed(client, sample="word-count")
    session(client)

    first, second = client.get("/"), client.get("/?page=2")

    assert (newer in links(first), older in links(first), "/?page=2" in links(first)) == (True, False, True)
    assert (newer in links(second), older in links(second)) == (False, True)


def test_a_list_shows_what_was_asked_of_it(client: FlaskClient) -> None:
    hers, mine = pushed(client, EVE), pushed(client, sample="word-count")
    session(client, OPERATOR)

    all_of_them, of_eve = client.get("/"), client.get("/?state=queued&text=EVE@")
    none = client.get("/?state=failed&text=%3Cb%3E")

    assert "/?state=queued" in links(all_of_them)
    assert ("2 queued" in all_of_them.text, "1 queued" in of_eve.text) == (True, True)
    assert (hers in links(of_eve), mine in links(of_eve)) == (True, False)
    assert (hers in links(none), mine in links(none)) == (False, False)
    assert "None of the 2 deployments is like that" in none.text
    assert 'value="&lt;b&gt;"' in none.text
    assert client.get("/?state=gone").status_code == 400


def test_the_pages_of_a_choice_lead_to_each_other(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.server.pages.PER_PAGE", 1)
    pushed(client), pushed(client, sample="word-count")
    session(client)

    assert "/?state=queued&page=2" in links(client.get("/?state=queued"))


def test_a_page_shows_the_graph_and_every_node_with_its_phase(client: FlaskClient) -> None:
    path = pushed(client)
    session(client)

    page = client.get(path)

    cards = [attributes["data-node"] for tag, attributes in tags(page) if "data-node" in attributes]
    assert cards == ["sensor", "detector", "dashboard"]
    assert page.text.count('<text class="g-word" x="29"') == 3
    assert [attributes["data-key"] for tag, attributes in tags(page) if tag == "tr" and "data-key" in attributes] == [
        "sensor",
        "detector",
        "dashboard",
        "orchestrator",
        "sensor.sense:detector.detect",
        "detector.detect:dashboard.show",
    ]


@pytest.mark.parametrize("path", ["", "/shared-folder/", "/delete", "/update", "/removal/x"])
def test_another_s_deployment_reads_like_one_that_never_was(client: FlaskClient, path: str) -> None:
    hers = pushed(client, EVE, "word-count")
    session(client)

    there, never = client.get(f"{hers}{path}", headers=HTML), client.get(f"/deployments/none{path}", headers=HTML)

    def plain(page: TestResponse) -> str:
        return re.sub(r"<code>[0-9a-f-]+</code>", "", page.text)

    assert (there.status_code, never.status_code) == (404, 404)
    assert plain(there) == plain(never)


def test_a_zip_is_pushed_by_a_form(client: FlaskClient, runtime: ProcessRuntime) -> None:
    csrf = session(client)

    answer = client.post("/deployments", data={"csrf_token": csrf, **bundle()})

    (made,) = runtime.all()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/deployments/{made.id}")
    assert made.owner.id == ADA


def test_what_is_no_bundle_is_refused_with_its_findings(client: FlaskClient, runtime: ProcessRuntime) -> None:
    csrf = session(client)
    other = playground.archive.write({"readme.txt": b"hello"})

    answer = client.post("/deployments", data={"csrf_token": csrf, **bundle(other)}, headers=HTML)

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "This bundle cannot run here" in answer.text
    assert "neither bundle.json nor deployments/*.yaml" in answer.text
    assert runtime.all() == ()


def test_a_form_without_a_file_is_refused(client: FlaskClient) -> None:
    answer = client.post("/deployments", data={"csrf_token": session(client)}, headers=HTML)

    assert answer.status_code == 400
    assert "expected a zip" in answer.text


ACTIONS = ["run", "stop", "wake", "sleep", "restart", "reset", "rollback", "update", "delete", "removal/x"]


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}], ids=str)
@pytest.mark.parametrize("action", [*ACTIONS, "shared-folder/"])
def test_another_site_changes_nothing(client: FlaskClient, action: str, headers: dict[str, str]) -> None:
    path = pushed(client)
    csrf = session(client)
    data = {"csrf_token": csrf} if headers else {}

    answer = client.post(f"{path}/{action}", data=data, headers=headers)

    assert answer.status_code == 403


@pytest.mark.parametrize("action", [*ACTIONS, "shared-folder/"])
def test_nobody_changes_anything_without_a_session(client: FlaskClient, action: str) -> None:
    assert client.post(f"{pushed(client)}/{action}").status_code == 401


@pytest.mark.parametrize("action", ACTIONS[:-1])
def test_nobody_changes_what_is_another_s(client: FlaskClient, action: str) -> None:
    hers = pushed(client, EVE)
    csrf = session(client)

    answer = client.post(f"{hers}/{action}", data={"csrf_token": csrf, "revision": "1", "data": "true", **bundle()})

    assert answer.status_code == 404


def test_a_deployment_sleeps_and_wakes(client: FlaskClient, runtime: ProcessRuntime) -> None:
    path = pushed(client)
    csrf = session(client)

    asleep = client.post(f"{path}/sleep", data={"csrf_token": csrf})
    state = runtime.all()[0].state.value
    client.post(f"{path}/wake", data={"csrf_token": csrf})

    assert (asleep.status_code, asleep.headers["Location"]) == (303, path)
    assert (state, runtime.all()[0].state.value) == ("asleep", "queued")


def test_an_update_is_a_revision_and_can_be_rolled_back(client: FlaskClient, runtime: ProcessRuntime) -> None:
    path = pushed(client)
    csrf = session(client)

    client.post(f"{path}/update", data={"csrf_token": csrf, **bundle(zipped(revision="2"))})
    asked = client.get(f"{path}/rollback?revision=1")
    answer = client.post(f"{path}/rollback", data={"csrf_token": csrf, "revision": "1"})

    assert 'name="revision" value="1"' in asked.text
    assert answer.status_code == 303
    assert runtime.all()[0].current == 3


@pytest.mark.parametrize("number", ["", "x", "-1", "1e3", "9" * 10])
def test_a_rollback_needs_a_number(client: FlaskClient, number: str) -> None:
    path = pushed(client)

    assert client.post(f"{path}/rollback", data={"csrf_token": session(client), "revision": number}).status_code == 400


def test_a_shared_folder_goes_only_where_that_is_chosen(client: FlaskClient, runtime: ProcessRuntime) -> None:
    path = pushed(client, sample="word-count")
    csrf = session(client)

    asked = client.get(f"{path}/delete")
    without = client.post(f"{path}/delete", data={"csrf_token": csrf}, headers=HTML)
    kept = len(runtime.all())
    chosen = client.post(f"{path}/delete", data={"csrf_token": csrf, "data": "true"})

    assert 'name="data" value="true" required' in asked.text
    assert (without.status_code, kept) == (409, 1)
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/")


def test_files_are_put_into_the_shared_folder_and_removed(client: FlaskClient) -> None:
    path = pushed(client, sample="word-count")
    csrf = session(client)
    folder = f"{path}/shared-folder/"
    data = {"csrf_token": csrf, "file": (io.BytesIO(b"hello"), "a b.txt")}

    put = client.post(f"{folder}notes/", data=data)
    listed, inside = client.get(folder), client.get(f"{folder}notes/")
    removed = client.post(f"{path}/removal/notes/a b.txt", data={"csrf_token": csrf})

    assert put.headers["Location"] == f"{folder}notes/"
    assert f"{folder}notes/" in links(listed)
    assert f"/visitor{folder}notes/a%20b.txt" in links(inside)
    assert removed.headers["Location"] == f"{folder}notes/"
    assert "The folder is empty" in client.get(f"{folder}notes/").text


@pytest.mark.parametrize("name", ["..", "../x", "a\u2028b"])
def test_a_file_cannot_have_any_name(client: FlaskClient, name: str) -> None:
    path = pushed(client, sample="word-count")
    data = {"csrf_token": session(client), "file": (io.BytesIO(b"hello"), name)}

    assert client.post(f"{path}/shared-folder/", data=data).status_code == 400


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, runtime: ProcessRuntime) -> None:
    client = create_app(playground.settings(tmp_path, most_file_bytes=1024), runtime=runtime).test_client()
    path = pushed(client, sample="word-count")
    session(client)

    answer = client.post(f"{path}/shared-folder/", data=bytes(2 << 20), content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 413


def test_foreign_text_is_never_markup(client: FlaskClient) -> None:
    path = pushed(client, sample="word-count")
    csrf = session(client)
    name = "<img src=x onerror=alert(1)>.txt"

    client.post(f"{path}/shared-folder/", data={"csrf_token": csrf, "file": (io.BytesIO(b"x"), name)})
    page = client.get(f"{path}/shared-folder/")

    assert "&lt;img src=x" in page.text
    assert "<img" not in page.text


def test_only_operators_see_their_page(client: FlaskClient) -> None:
    pushed(client)
    session(client)

    assert client.get("/operator", headers=HTML).status_code == 403


def test_operators_see_users_quotas_queue_and_capacity(client: FlaskClient) -> None:
    path = pushed(client)
    session(client, OPERATOR)

    page = client.get("/operator")

    assert ADA in page.text
    assert "<dt>Awake</dt><dd>0 of 0</dd>" in page.text
    assert path in links(page)


PAGES = ["/", "{}", "{}/shared-folder/", "{}/delete", "{}/update", "/operator", "/sign-in", "/deployments/none"]


@pytest.mark.parametrize("template", PAGES)
def test_no_page_needs_more_than_the_strict_policy_allows(client: FlaskClient, template: str) -> None:
    path = pushed(client, sample="word-count")
    session(client, OPERATOR)

    page = client.get(template.format(path), headers=HTML)

    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    for tag, attributes in tags(page):
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "style"
        assert tag != "script" or attributes["src"]


def test_whatever_a_page_loads_is_there_and_kept(client: FlaskClient) -> None:
    path = pushed(client)
    session(client)

    page = client.get(path)
    loaded = [a["src"] or "" for t, a in tags(page) if t == "script"]
    loaded += [a["href"] or "" for t, a in tags(page) if t == "link"]

    assert len(loaded) == 5
    assert all("immutable" in client.get(url).headers["Cache-Control"] for url in loaded)


def test_the_page_stands_though_the_orchestrator_says_nothing(tmp_path: Path, runtime: ProcessRuntime) -> None:
    failing = playground.Failing(runtime, orchestrator=UnavailableError("the orchestrator is not up"))
    client = create_app(playground.settings(tmp_path), runtime=failing).test_client()  # type: ignore[arg-type]
    path = pushed(client)
    session(client)

    assert client.get(path).status_code == 200


def test_a_page_without_a_picture_is_better_than_none(tmp_path: Path, runtime: ProcessRuntime) -> None:
    failing = playground.Failing(runtime, files=UnavailableError("the store is not up"))
    client = create_app(playground.settings(tmp_path), runtime=failing).test_client()  # type: ignore[arg-type]
    path = pushed(client)
    session(client)

    assert "cannot be drawn" in client.get(path).text


def test_a_page_tells_its_referrer_to_us_alone_so_that_forms_have_an_origin(client: FlaskClient) -> None:
    assert client.get("/").headers["Referrer-Policy"] == "same-origin"
    assert client.get("/openapi.json").headers["Referrer-Policy"] == "no-referrer"
