"""The table of releases: what it says, and that people read the same."""

from __future__ import annotations

from support.solutions import ROOT

from shared.workflows.lint import kubeflow_releases as releases


def test_a_release_is_compared_by_its_numbers():
    assert releases.parsed("2.9") < releases.parsed("2.14")
    assert releases.shown(releases.parsed("2.14")) == "2.14"


def test_an_executor_keeps_what_a_release_takes():
    pod = {"podMetadata": {"labels": {}}, "securityContext": {"runAsUser": "1"}}

    assert releases.taken(pod, (2, 15)) == {"podMetadata": {"labels": {}}}
    assert releases.taken(pod, (2, 16)) == pod


def test_a_package_needs_the_release_of_its_newest_field():
    assert releases.needed([]) == (2, 14)
    assert releases.needed([{"podMetadata": {}}, {"secretAsEnv": [{"optional": False}]}]) == (2, 15)
    assert releases.needed([{"securityContext": {}}, {"initContainers": [{}]}]) == (2, 18)


def test_a_field_that_nobody_knows_is_refused_by_every_release():
    assert releases.refused({"podMetadata": {}, "ports": []}, (2, 18)) == ["ports"]


def test_the_page_names_each_release_and_all_that_came_with_it():
    page = (ROOT / "docs" / "kubeflow.md").read_text()

    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| 2.")}
    assert {release: set(row.split("`")[1::2]) for release, row in rows.items()} == {
        releases.shown(release): set(fields) for release, fields in releases.TAKES.items()
    }
