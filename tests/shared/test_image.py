"""Image references."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from shared import image
from shared.image import Reference

SHA256 = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("adder", Reference("docker.io", "adder")),
        ("adder:2", Reference("docker.io", "adder", "2")),
        ("user/adder:latest", Reference("docker.io", "user/adder", "latest")),
        ("docker.io/user/adder:1", Reference("docker.io", "user/adder", "1")),
        ("cicd.ai4eu-dev.eu:7444/tutorials/sudoku:gui-1.5", Reference("cicd.ai4eu-dev.eu:7444", "tutorials/sudoku", "gui-1.5")),
        ("localhost/a", Reference("localhost", "a")),
        ("localhost:5000/a/b/c", Reference("localhost:5000", "a/b/c")),
        ("[::1]:5000/a", Reference("[::1]:5000", "a")),
        ("HOST/a", Reference("HOST", "a")),
        ("a:1/b", Reference("a:1", "b")),
        ("a__b/c---d.e_f", Reference("docker.io", "a__b/c---d.e_f")),
        (f"a@{SHA256}", Reference("docker.io", "a", "", SHA256)),
        (f"h.example/a:1@{SHA256}", Reference("h.example", "a", "1", SHA256)),
        ("a@sha512:" + "f" * 128, Reference("docker.io", "a", "", "sha512:" + "f" * 128)),
        ("a:" + "T" * 128, Reference("docker.io", "a", "T" * 128)),
        ("a" * 255, Reference("docker.io", "a" * 255)),
    ],
)  # fmt: skip
def test_references_are_taken_apart(text: str, reference: Reference) -> None:
    assert image.parse(text) == reference


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no name"),
        (":1", "no name"),
        (f"@{SHA256}", "no name"),
        ("url of the docker image", "the path"),
        ("Adder:1", "the path"),
        ("h.example/Upper", "the path"),
        ("-a", "the path"),
        ("a-", "the path"),
        ("a..b", "the path"),
        ("a___b", "the path"),
        ("a//b", "the path"),
        ("/a", "the path"),
        ("a/", "the path"),
        ("ü", "the path"),
        ("a\n", "the path"),
        ("https://h.example/a:1", "the registry"),
        ("h_h.example/a", "the registry"),
        ("-h.example/a", "the registry"),
        ("h..example/a", "the registry"),
        ("h.example:port/a", "the registry"),
        ("h.example:123456/a", "the registry"),
        ("a.b__c/d", "the registry"),
        ("a:", "the tag"),
        ("a:1\n", "the tag"),
        ("a:-1", "the tag"),
        ("a:" + "t" * 129, "the tag"),
        ("a:1:2", "the path"),
        ("a@sha256:abc", "the digest"),
        ("a@", "the digest"),
        (f"a@{SHA256}@{SHA256}", "the digest"),
        ("a@md5:" + "0" * 32, "the digest"),
        ("a@" + SHA256.upper(), "the digest"),
        ("0a" * 32, "the id of an image"),
        ("a" * 256, "255"),
        ("h.example/" + "a" * 246, "255"),
        ("$(id)", "the path"),
        ("a; rm -rf /", "the path"),
        ("{{ .Values.image }}", "the path"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_part_that_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        image.parse(text)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("https://cicd.ai4eu-dev.eu:7444/csvdatabroker:v2", "cicd.ai4eu-dev.eu:7444/csvdatabroker:v2"),
        ("HTTP://h.example/a", "h.example/a"),
        ("docker://h.example/a", "h.example/a"),
        (" h.example/a:1\n", "h.example/a:1"),
        ("hub.docker.com/u/i:t", "docker.io/u/i:t"),
        ("https://hub.docker.com/r/u/i", "docker.io/u/i"),
        ("https://hub.docker.com/_/nginx", "docker.io/library/nginx"),
        ("hub.docker.com/repository/docker/u/i:t", "docker.io/u/i:t"),
    ],
)
def test_what_people_copy_from_elsewhere_is_mended(text: str, mended: str) -> None:
    assert image.mend(text) == mended
    assert image.parse(mended).path


@pytest.mark.parametrize(
    "text", ["h.example/a:1", "a", "file:///etc/passwd", "https:/h.example/a", "hub.docker.community/a"]
)
def test_nothing_else_is_changed(text: str) -> None:
    assert image.mend(text) == text


@pytest.mark.parametrize(
    ("text", "is_moving"),
    [("a", True), ("a:latest", True), ("a:1", False), (f"a@{SHA256}", False), (f"a:latest@{SHA256}", False)],
)
def test_a_reference_moves_without_a_tag_of_its_own_or_a_digest(text: str, is_moving: bool) -> None:  # noqa: FBT001
    assert image.parse(text).is_moving is is_moving


@given(st.text(alphabet="aA0.:/-_@[]%\n ü", max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_reference_has_no_character_that_means_something_elsewhere(text: str) -> None:
    with contextlib.suppress(ValueError):
        image.parse(text)
        assert text.isascii()
        assert not set(text) & set(" \n%")


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "a-" * 50_000, "a/" * 50_000 + "!", "." * 100_000, "A" * 100_000, "a.b" * 30_000 + "/!", "-" * 100_000],
    ids=range(7),
)  # fmt: skip
def test_long_text_is_refused_in_linear_time(text: str) -> None:
    with within(seconds=0.3), pytest.raises(ValueError, match=" "):
        image.parse(image.mend(text))
