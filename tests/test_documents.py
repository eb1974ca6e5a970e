"""The documents: what they point at is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for folder, pattern in ((ROOT, "*.md"), (ROOT / "docs", "**/*.md"), (ROOT / "samples", "*.md"))
    for path in folder.glob(pattern)
)
_TEST = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED = sorted(set(_TEST.findall((ROOT / "SECURITY.md").read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda part: part)
def test_a_test_that_the_threat_table_names_exists(file: str, test: str) -> None:
    assert test in functions(ROOT / file)


def test_every_row_of_the_threat_table_names_a_test() -> None:
    lines = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()

    without = [line for line in lines if line.startswith("| ") and "shown by" not in line and not _TEST.search(line)]

    assert without == []
    assert len(NAMED) > 50


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    text = _CODE.sub("", document.read_text(encoding="utf-8"))

    broken = [link for link in _LINK.findall(text) if "://" not in link and not leads_somewhere(document, link)]

    assert broken == []


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(document: Path) -> set[str]:
    """Return the anchors that a reader of Markdown makes of the headings."""
    headings = _HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
