"""Names: valid, stable, different for different texts, whatever an author or an attacker writes."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared import naming

RFC_1035 = re.compile(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?")

# Texts that get near each other: spellings of one word, names derived from it, and any Unicode, lone surrogates too.
close = st.text(alphabet="aAbB-_1w", max_size=4)
near = st.builds("{}{}".format, close, st.sampled_from(["", "webui", "webuiwebui", "WebUI"]))
anything = st.text(alphabet=st.characters(), max_size=80)
container_names = st.lists(st.one_of(near, anything, st.sampled_from(sorted(naming.RESERVED))), max_size=12)


@given(container_names)
@settings(max_examples=150, deadline=None)
@example(["a", "awebui", "awebuiwebui"])
@example(["Orchestrator", "orchestratorWebUI", "orchestrator"])
def test_every_name_is_a_label_and_no_name_or_derived_name_is_used_twice(originals: list[str]) -> None:
    names = set(naming.node_names(originals))

    claimed = [*names, *(f"{name}webui" for name in names), "orchestrator", "orchestratorwebui"]
    assert all(RFC_1035.fullmatch(name) for name in names)
    assert len(names) == len(set(originals))
    assert len(claimed) == len(set(claimed))


@given(container_names, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_name_depends_on_the_set_and_not_on_the_order(originals: list[str], chance: random.Random) -> None:
    shuffled = originals[:]
    chance.shuffle(shuffled)

    assert dict(zip(originals, naming.node_names(originals), strict=True)) == dict(
        zip(shuffled, naming.node_names(shuffled), strict=True)
    )


@given(container_names)
@settings(max_examples=100, deadline=None)
def test_naming_names_again_changes_nothing(originals: list[str]) -> None:
    names = naming.node_names(originals)

    assert naming.node_names(names) == names


@pytest.mark.parametrize(
    ("original", "name"),
    [
        pytest.param("sudoku-gui-stream1", "sudoku-gui-stream1", id="valid"),
        pytest.param("a", "a", id="one letter"),
        pytest.param("a" * 52, "a" * 52, id="as long as allowed"),
        pytest.param("foo-1cbec737", "foo-1cbec737", id="valid, looks hashed"),
        pytest.param("HelloWorld3", "helloworld3", id="upper case"),
        pytest.param("A-B", "a-b", id="upper case with a dash"),
        pytest.param("\u212aelvin", "kelvin", id="KELVIN SIGN, lower case k"),
        pytest.param("test_pipeline", "test-pipeline-2a742ad2", id="underscore"),
        pytest.param("Sudoku Tutorial", "sudoku-tutorial-0a9b93f8", id="space"),
        pytest.param("a" * 53, "a" * 43 + "-abe346a7", id="one too long"),
        pytest.param("A" * 10_000, "a" * 43 + "-85757d9e", id="ten thousand characters"),
        pytest.param("a" * 42 + "-" + "b" * 10, "a" * 42 + "-f12e1b1b", id="cut at a dash"),
        pytest.param("", "node-e3b0c442", id="empty"),
        pytest.param("123", "node-123-a665a459", id="all digits"),
        pytest.param("-x", "x-a4209624", id="leading dash"),
        pytest.param("x-", "x-c8b60efc", id="trailing dash"),
        pytest.param("\U0001f600", "node-f0443a34", id="emoji"),
        pytest.param("\ud83d", "node-7586f70f", id="half of a surrogate pair"),
        pytest.param("Größe", "gr-e-aedc3f80", id="accents"),
        pytest.param("x\n---\nkind: Pod", "x-kind-pod-85ea7983", id="YAML injection"),
        pytest.param("../../etc/passwd", "etc-passwd-3754d6cb", id="path traversal"),
        pytest.param("orchestrator", "orchestrator-11376b7e", id="reserved"),
        pytest.param("Orchestrator", "orchestrator-0a4b2042", id="reserved in lower case"),
        pytest.param("orchestratorwebui", "orchestratorwebui-e3dc1921", id="derived from the reserved one"),
    ],
)
def test_a_node_alone_is_named(original: str, name: str) -> None:
    assert naming.node_names([original]) == (name,)


def test_names_come_in_the_order_of_the_nodes() -> None:
    assert naming.node_names(["b", "A", "c"]) == ("b", "a", "c")


def test_no_nodes_have_no_names() -> None:
    assert naming.node_names([]) == ()


def test_equal_container_names_get_the_same_name() -> None:
    assert naming.node_names(["A_b", "x", "A_b"]) == ("a-b-08eb65ad", "x", "a-b-08eb65ad")


def test_an_underscore_and_a_dash_stay_apart() -> None:
    assert naming.node_names(["A_b", "a-b"]) == ("a-b-08eb65ad", "a-b")


def test_a_valid_name_goes_before_the_same_name_in_upper_case() -> None:
    assert naming.node_names(["Foo", "foo"]) == ("foo-1cbec737", "foo")


def test_names_that_differ_only_in_case_are_all_hashed() -> None:
    assert naming.node_names(["Bar", "BAR"]) == ("bar-95d64cac", "bar-81f5f551")


def test_a_name_that_equals_the_web_ui_of_a_shorter_one_is_hashed() -> None:
    assert naming.node_names(["awebui", "a", "awebuiwebui"]) == ("awebui-d395f579", "a", "awebuiwebui")


def test_a_name_whose_web_ui_is_a_valid_name_is_hashed() -> None:
    assert naming.node_names(["A", "awebui"]) == ("a-559aead0", "awebui")


def test_a_hash_that_somebody_has_chosen_as_a_name_is_hashed_again() -> None:
    assert naming.node_names(["foo-1cbec737", "Foo", "foo"]) == ("foo-1cbec737", "foo-3a4da7dd", "foo")


def test_a_web_ui_that_equals_a_chosen_name_is_hashed_again() -> None:
    assert naming.node_names(["foo-1cbec737webui", "Foo", "foo"])[1] == "foo-3a4da7dd"


def test_two_texts_with_equal_hashes_get_different_names() -> None:
    assert naming.node_names(["x\u98b9\u4e02", "x\u5133\u4e02"]) == ("x-421e553a", "x-aed53c6d")


def test_five_hundred_hostile_names_take_less_than_a_second() -> None:
    hostile = [chr(0x4E00 + number) * 4000 for number in range(500)]

    start = time.perf_counter()
    names = naming.node_names(hostile)

    assert len(set(names)) == 500
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("name", "solution_id", "expected"),
    [
        pytest.param("Sudoku Tutorial", "123", "sudoku-tutorial-a665a459", id="with an id"),
        pytest.param("Sudoku Tutorial", None, "sudoku-tutorial-0a9b93f8", id="without an id"),
        pytest.param("sudoku", "123", "sudoku-a665a459", id="hashed though valid"),
        pytest.param("", None, "solution-e3b0c442", id="empty"),
        pytest.param("2nd try", "123", "solution-2nd-try-a665a459", id="leading digit"),
        pytest.param("n" * 99, "123", "n" * 43 + "-a665a459", id="too long"),
    ],
)
def test_an_instance_is_the_slug_of_the_name_and_the_hash_of_the_id(
    name: str, solution_id: str | None, expected: str
) -> None:
    assert naming.instance(name, solution_id) == expected


@given(anything, st.none() | anything)
@settings(deadline=None)
def test_an_instance_can_begin_an_object_name(name: str, solution_id: str | None) -> None:
    assert RFC_1035.fullmatch(naming.instance(name, solution_id))


@given(anything, st.integers(10, 63))
@settings(deadline=None)
def test_a_label_is_valid_within_its_limit_and_stays_when_made_again(text: str, limit: int) -> None:
    label = naming.label(text, limit=limit)

    assert naming.is_label(label, limit)
    assert naming.label(label, limit=limit) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [("shared-folder", "shared-folder"), ("Shared Folder", "shared-folder-c871809d"), ("", "x-e3b0c442")],
)
def test_a_label_stays_or_is_hashed(text: str, label: str) -> None:
    assert naming.label(text) == label


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", None, id="empty: left out"),
        pytest.param("A.b_c-9", "A.b_c-9", id="valid"),
        pytest.param("9f4b4eb1-0a4e", "9f4b4eb1-0a4e", id="an id"),
        pytest.param("x" * 63, "x" * 63, id="as long as allowed"),
        pytest.param("x" * 64, "x" * 54 + "-7ce10097", id="one too long"),
        pytest.param("id.", "id-ec3f9f0d", id="trailing dot"),
        pytest.param("a@b.org", "a-b.org-5b26064b", id="mail address"),
        pytest.param("--", "x-d8156bae", id="only dashes"),
        pytest.param("valid\n", "valid-009d9629", id="trailing line break"),
        pytest.param("\u0661", "x-628f6d71", id="a digit that is not ASCII"),
    ],
)
def test_a_label_value_stays_or_is_hashed_or_is_left_out(text: str, value: str | None) -> None:
    assert naming.label_value(text) == value


@given(anything.filter(bool))
@settings(deadline=None)
def test_every_text_has_a_label_value(text: str) -> None:
    assert re.fullmatch(r"(?=.{1,63}\Z)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", naming.label_value(text) or "")


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("a", True),
        ("a-1", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("", False),
        ("1a", False),
        ("-a", False),
        ("a-", False),
        ("A", False),
        ("a_b", False),
        ("a.b", False),
        ("a\n", False),
        ("\u00e4", False),
    ],
)
def test_a_label_follows_rfc_1035(text: str, *, valid: bool) -> None:
    assert naming.is_label(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("SHARED_FOLDER_PATH", True),
        ("my.env-name", True),
        ("_", True),
        (".hidden", True),
        ("-x", True),
        ("", False),
        ("1ST", False),
        ("A B", False),
        ("A=B", False),
        (".", False),
        ("..", False),
        ("..x", False),
        ("A\n", False),
        ("\u00c4", False),
    ],
)
def test_an_environment_name_is_one_for_every_supported_kubernetes(text: str, *, valid: bool) -> None:
    assert naming.is_environment_name(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("blueprint.json", True),
        ("1.proto", True),
        (".x", True),
        ("k" * 253, True),
        ("k" * 254, False),
        ("", False),
        (".", False),
        ("..", False),
        ("..data", False),
        ("a/b", False),
        ("a b", False),
        ("a\n", False),
    ],
)
def test_a_config_key_is_one_for_kubernetes(text: str, *, valid: bool) -> None:
    assert naming.is_config_key(text) is valid
