"""What a person types: taken when Kubernetes takes it, refused before anything is called."""

from __future__ import annotations

import pytest

from shared.finishing.names import UsageError, checked_namespace, checked_node, checked_secret

HOSTILE = ("", "-x", "--all", "a;rm", "$(id)", "a b", "a\n", "a\nb", "A", "ä", "a/b", "../a", "a.", "x" * 254)


@pytest.mark.parametrize("value", ["a", "a-1", "0", "x" * 63])
def test_a_label_is_a_namespace(value: str):
    assert checked_namespace(value) == value


@pytest.mark.parametrize("value", [*HOSTILE, "a.b", "x" * 64])
def test_everything_else_is_none(value: str):
    with pytest.raises(UsageError, match="expected a namespace"):
        checked_namespace(value)


@pytest.mark.parametrize("value", ["a", "my.registry-1", "0.a", "x" * 253])
def test_a_subdomain_names_a_secret(value: str):
    assert checked_secret(value) == value


@pytest.mark.parametrize("value", [*HOSTILE, "a..b", ".a"])
def test_everything_else_names_no_secret(value: str):
    with pytest.raises(UsageError, match="expected a secret name"):
        checked_secret(value)


@pytest.mark.parametrize("value", [*HOSTILE, "0a", "a.b", "x" * 64])
def test_a_node_is_a_label_that_begins_with_a_letter(value: str):
    assert checked_node("node-1") == "node-1"
    with pytest.raises(UsageError, match="expected a node"):
        checked_node(value)
