"""A visitor's way through the playground: upload, watch, run, look into, put files, delete; and nobody sees another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from support import playground
from support.playground import ADA, EVE, OPERATOR
from support.playground_server import Server, eventually

Visit = Callable[..., Page]
Keep = Callable[[Page, str], None]
RATE = re.compile(r"\d.*/s")


def pushed(server: Server, sample: str, principal: str) -> str:
    """Push a sample, wait until it is ready, and return the path of its page."""
    data = playground.zipped(sample)
    made = server.ask("POST", "/v1/deployments", principal, data=data, headers=playground.ZIP).json()["id"]
    eventually(lambda: server.ask("GET", f"/v1/deployments/{made}", principal).json()["state"] == "ready")
    return f"/deployments/{made}"


def choose(page: Page, link: str, button: str) -> None:
    """Follow a link that asks, and answer the dialog."""
    page.locator("#acts").get_by_role("link", name=link).click()
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_bundle_is_uploaded_becomes_ready_runs_and_is_deleted(
    server: Server, visit: Visit, picture: Keep, bundle_file: Path
) -> None:
    page = visit("/", "cleo@example.org")
    page.get_by_label("Bundle").set_input_files(bundle_file)
    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("sensor-stream")
    picture(page, "starting")
    expect(page.locator("#state")).to_contain_text("ready")
    expect(page.locator("#state")).to_contain_text("running")  # the pipeline starts by itself

    rates = page.locator("#picture .g-rate")
    expect(rates.first).to_have_text(RATE)
    count = page.locator('[data-figure="count"]')
    expect(count).not_to_have_text(count.inner_text())
    expect(page.locator("#picture .g-now.g-good")).to_have_count(3)

    page.get_by_role("link", name="Log of detector").click()
    expect(page.locator("#log-node")).to_have_value("detector")
    expect(page.locator("#log-lines")).to_contain_text("{")
    page.get_by_role("link", name="Sample of sensor.sense").click()
    expect(page.locator("#sample-lines")).to_contain_text("bytes")
    expect(page.locator("#sample-lines")).to_contain_text('"value"')
    picture(page, "running")

    choose(page, "Stop…", "Stop at once")
    expect(page.locator("#state")).not_to_contain_text("running")
    choose(page, "Delete…", "Delete")
    expect(page).to_have_url(f"{server.url}/")
    expect(page.get_by_role("heading", name="Nothing runs yet")).to_be_visible()


def test_files_go_into_the_shared_folder_and_out_of_it(
    server: Server, visit: Visit, picture: Keep, tmp_path: Path
) -> None:
    file = tmp_path / "a note <b>.txt"
    file.write_text("hello")
    page = visit(f"{pushed(server, 'word-count', ADA)}/shared-folder/", ADA)

    page.get_by_label("Files of at most").set_input_files(file)
    page.get_by_role("button", name="Upload").click()

    note = page.get_by_role("link", name=file.name, exact=True)
    expect(note).to_be_visible()
    with page.expect_download() as download:
        note.click()
    assert Path(download.value.path()).read_text() == "hello"
    picture(page, "shared-folder")
    page.get_by_role("link", name=f"Delete… {file.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(note).to_have_count(0)


def test_two_users_do_not_see_each_other(server: Server, visit: Visit) -> None:
    mine = pushed(server, "word-count", ADA)

    hers = visit("/", EVE)
    expect(hers.get_by_role("heading", level=1)).to_have_text("Deployments")
    assert mine not in hers.content()
    hers.goto(mine)
    expect(hers.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_a_page_works_with_the_keyboard(server: Server, visit: Visit) -> None:
    page = visit(pushed(server, "word-count", ADA), ADA)

    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    asked = page.locator("#acts").get_by_role("link", name="Delete…")
    asked.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(asked).to_be_focused()


def test_a_web_ui_opens_in_a_tab_of_its_own(server: Server, visit: Visit, picture: Keep) -> None:
    page = visit(pushed(server, "sensor-stream", ADA), ADA)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Web UI of dashboard").click()

    expect(opened.value.get_by_role("heading", level=1)).to_be_visible()
    assert opened.value.url.split("/")[2] != page.url.split("/")[2]
    picture(opened.value, "web-ui")


def test_without_scripts_everything_that_changes_a_deployment_works(
    server: Server, visit: Visit, picture: Keep
) -> None:
    path = pushed(server, "word-count", EVE)
    page = visit(path, EVE, scripts=False)

    page.locator("#acts").get_by_role("link", name="Sleep…").click()
    page.get_by_role("button", name="Let it sleep").click()
    expect(page.locator("#state")).to_have_text("asleep")
    picture(page, "without-scripts")
    page.get_by_role("button", name="Wake up").click()
    expect(page.locator("#state")).not_to_have_text("asleep")
    page.locator("#acts").get_by_role("link", name="Delete…").click()
    page.get_by_label("Delete the content of the shared folder").check()
    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page).to_have_url(f"{server.url}/")


def test_a_token_in_the_form_signs_in_and_a_button_out(visit: Visit) -> None:
    page = visit("/", ADA)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Watch solutions run")

    page.get_by_label("Token").fill(playground.token(EVE))
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Deployments")
    expect(page.get_by_text(EVE)).to_be_visible()


def test_a_refused_upload_says_why(visit: Visit, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(playground.archive.write({"readme.txt": b"hello"}))
    page = visit("/", EVE)

    page.get_by_label("Bundle").set_input_files(other)
    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("status")).to_contain_text("expected a bundle, as deployers make it")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_has_a_serious_fault_of_accessibility(
    server: Server, visit: Visit, picture: Keep, theme: str, width: int
) -> None:
    path = pushed(server, "word-count", ADA)
    pages = {"list": "/", "deployment": path, "shared-folder": f"{path}/shared-folder/", "delete": f"{path}/delete"}
    page = visit("/operator", OPERATOR, width=width, theme=theme)

    faults = {"operator": serious(page)}
    picture(page, f"operator-{theme}-{width}")
    for name, address in pages.items():
        page.goto(address)
        faults[name] = serious(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"{name}-{theme}-{width}")

    assert faults == {name: [] for name in faults}


def serious(page: Page) -> list[str]:
    """Return the serious and critical faults of a page, each with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['target']} {one['help']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
