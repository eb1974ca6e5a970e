"""Files of which nothing can be made."""

from __future__ import annotations

from shared.findings import Severity
from shared.unreadable import unreadable


def test_it_is_one_error_finding_that_names_the_file() -> None:
    refused = unreadable("deployments/a.yaml", expected="YAML", found="something else")

    (finding,) = refused.findings
    assert (finding.severity, finding.code, finding.path) == (
        Severity.ERROR,
        "solution-unreadable",
        "deployments/a.yaml",
    )
    assert (refused.status, refused.exit_code) == (422, 1)


def test_a_foreign_path_is_escaped() -> None:
    (finding,) = unreadable("a\x1b[2J\n.yaml", expected="YAML", found="something else").findings

    assert finding.path == r"a\u001b[2J\n.yaml"
