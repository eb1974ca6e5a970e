"""Writes the tables of settings and options into the documents, so that these say what the code says.

A table stands between `<!-- settings: SERVICE -->` or `<!-- options: DEPLOYER -->` and `<!-- end -->`.
The graphs of samples that documents show are drawn here, too.
`python -m slipway.reference` writes all of them anew; a test says when that was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orchestrator.settings
import playground.deployer.settings
import playground.runtime.kubernetes.settings
import playground.server.settings
import services.catalog.settings
from shared import blueprint, deployer, graph_picture, settings
from shared.persistence.select import PersistenceSettings
from shared.web.deployer_service import DeployerSettings
from slipway import option_tables, source
from slipway.terminal import say

ROOT = Path(__file__).parent.parent
_BEGIN = re.compile(r"<!-- (?:settings|options): ")
_TABLE = re.compile(r"(<!-- (settings|options): ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class CommandLine:
    """What `slipway build` and `slipway check` read."""

    images: deployer.Images = settings.section(deployer.Images)  # noqa: RUF009 - `section` declares a field
    persistence: PersistenceSettings = settings.section(PersistenceSettings)  # noqa: RUF009 - the same


SETTINGS: Mapping[str, type[object]] = {
    "deployers": DeployerSettings,
    "catalog": services.catalog.settings.Settings,
    "orchestrator": orchestrator.settings.Settings,
    "playground-deployer": playground.deployer.settings.Settings,
    "playground": playground.server.settings.Settings,
    "playground-kubernetes": playground.runtime.kubernetes.settings.Settings,
    "command-line": CommandLine,
}


PICTURED = ("calculator", "code-breaker")
"""Samples whose graphs documents show."""


def documents() -> list[Path]:
    """Return the files that may hold tables."""
    return [*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """Return a document with every table as the code has it.

    Raises:
        ValueError: a table has no end.
        LookupError: a marker names nothing that we know.
    """
    found, expected = len(_TABLE.findall(text)), len(_BEGIN.findall(text))
    if found != expected:
        raise ValueError(f"expected <!-- end --> behind each of {expected} markers, found it behind {found}")
    return _TABLE.sub(lambda marker: f"{marker[1]}{_tables[marker[2]](marker[3])}{marker[4]}", text)


def pictures() -> dict[Path, str]:
    """Return the pictures of the documents by file."""
    drawn = {}
    for name in PICTURED:
        solution = blueprint.parse(source.read(str(ROOT / "samples" / name))).solution
        if solution is not None:
            drawn[ROOT / "docs" / "pictures" / f"{name}.svg"] = graph_picture.svg(solution)
    return drawn


def main() -> None:
    """Write what has changed, and say which documents these are."""
    for document in documents():
        old = document.read_text(encoding="utf-8")
        new = filled(old)
        if new != old:
            document.write_text(new, encoding="utf-8")
            say(f"{document.relative_to(ROOT)}: written anew")

    for file, picture in pictures().items():
        file.write_text(picture, encoding="utf-8")


_tables: Mapping[str, Callable[[str], str]] = {
    "settings": lambda service: settings.table(SETTINGS[service]),
    "options": lambda name: option_tables.tables(deployer.named(name).schema),
}


if __name__ == "__main__":
    main()
