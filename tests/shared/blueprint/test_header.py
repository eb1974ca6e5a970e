"""Name, version, probe and training clients."""

import pytest
from support.blueprints import document, found, node, parse, solution


def test_the_name_of_the_marketplace_wins_over_the_shortened_one_in_the_blueprint() -> None:
    made = solution(document(node("a"), name="news-training-pi"), name="news-training-pipeline")

    assert made.name == "news-training-pipeline"
    assert made.document["name"] == "news-training-pi"


def test_a_blueprint_without_a_name_takes_the_one_of_the_marketplace() -> None:
    parsed = parse({"version": "1", "nodes": [node("a")]}, name="Known")

    assert found(parsed) == []
    assert parsed.solution is not None
    assert (parsed.solution.name, parsed.solution.document["name"]) == ("Known", "Known")


def test_a_missing_name_and_version_are_tolerated_with_a_finding() -> None:
    parsed = parse({"nodes": [node("a")]})

    assert found(parsed) == [("warning", "name-missing", "$.name"), ("note", "version-missing", "$.version")]
    assert parsed.solution is not None
    assert (parsed.solution.name, parsed.solution.version) == ("pipeline", "")
    assert parsed.solution.document["name"] == "pipeline"


@pytest.mark.parametrize(("version", "text"), [(2, "2"), (1.5, "1.5")])
def test_a_version_may_be_a_number(version: float, text: str) -> None:
    parsed = parse(document(node("a"), version=version))

    assert found(parsed) == [("note", "version-is-number", "$.version")]
    assert parsed.solution is not None
    assert parsed.solution.version == text


def test_a_version_of_another_type_is_an_error() -> None:
    parsed = parse(document(node("a"), version=True))

    assert found(parsed) == [("error", "wrong-type", "$.version")]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, False),
        ({"probeIndicator": None}, False),
        ({"probeIndicator": []}, False),
        ({"probeIndicator": [{"value": "true"}]}, True),
        ({"probeIndicator": [{"value": " TRUE "}]}, True),
        ({"probeIndicator": [{"value": True}]}, True),
        ({"probeIndicator": [{"value": "false"}]}, False),
        ({"probeIndicator": [{"value": False}]}, False),
        ({"probeIndicator": [{"value": "false"}, {"value": "true"}]}, True),
        ({"probeIndicator": [{"value": "true"}, {"value": "false"}]}, False),
        ({"probeIndicator": [{}]}, False),
        ({"probeIndicator": {"value": "true"}}, True),
        ({"probeIndocator": [{"value": "true"}]}, True),
        ({"probeIndicator": [{"value": "false"}], "probeIndocator": [{"value": "true"}]}, False),
    ],
)
def test_the_probe_is_added_when_the_last_indicator_says_so(keys: dict[str, object], wanted: bool) -> None:  # noqa: FBT001
    assert solution(document(node("a"), **keys)).probe is wanted


@pytest.mark.parametrize("value", ["True or False", 1, ["true"], {"a": "true"}])
def test_an_unclear_indicator_is_a_warning_and_no_probe(value: object) -> None:
    parsed = parse(document(node("a"), probeIndicator=[{"value": value}]))

    assert found(parsed) == [("warning", "probe-unclear", "$.probeIndicator")]
    assert parsed.solution is not None
    assert parsed.solution.probe is False


def test_training_clients_are_a_warning_and_stay_in_the_document() -> None:
    clients = [{"container_name": "trainer", "image": "trainer:1"}]

    parsed = parse(document(node("a"), training_clients=clients))

    assert found(parsed) == [("warning", "training-clients-ignored", "$.training_clients")]
    assert parsed.solution is not None
    assert parsed.solution.document["training_clients"] == clients


@pytest.mark.parametrize("clients", [None, []])
def test_no_training_clients_are_no_finding(clients: object) -> None:
    assert found(parse(document(node("a"), training_clients=clients))) == []


@pytest.mark.parametrize(
    ("name", "code"), [("a" * 513, "text-too-long"), ("a\nb", "text-unshowable"), ("a\0", "text-unshowable")]
)
def test_a_name_of_the_marketplace_that_cannot_be_shown_is_an_error(name: str, code: str) -> None:
    parsed = parse(document(node("a")), name=name)

    assert found(parsed) == [("error", code, "name")]
    assert parsed.solution is not None
    assert parsed.solution.name.isprintable()
