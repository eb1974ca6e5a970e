"""A pod knows its namespace without a service account."""

from __future__ import annotations

import pytest

from orchestrator import namespace


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 10.96.0.10\nsearch sudoku-1.svc.cluster.local svc.cluster.local\noptions ndots:5\n", "sudoku-1"),
        ("search team.svc.example.org\n", "team"),
        ("search example.org\n", ""),
        ("search svc.cluster.local\n", ""),
        ("", ""),
    ],
)
def test_the_namespace_is_the_first_label_of_the_search_domain(tmp_path, text, found):
    (tmp_path / "resolv.conf").write_text(text)

    assert namespace.detect(tmp_path / "resolv.conf") == found


def test_without_a_resolver_there_is_none(tmp_path):
    assert namespace.detect(tmp_path / "gone") == ""
