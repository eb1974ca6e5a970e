"""Draws the page of a deployment for the README: the page's own picture of a sample's graph, with figures of a moment.

`python -m slipway.playground_picture` writes `docs/images/playground.svg` anew; a test says when that was forgotten.
"""

from __future__ import annotations

import re
from pathlib import Path

from shared import blueprint
from shared.graph.live import Flow, Lamp, Light, Live
from shared.graph.style import STYLE
from shared.graph.writing import safe
from shared.graph_picture import svg
from shared.solution import Solution
from shared.solution_folder import from_files

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "samples" / "sensor-stream"
TARGET = ROOT / "docs" / "images" / "playground.svg"
WIDTH, HEIGHT = 1080, 350
CELLS = (
    ("Pipeline", "running"),
    ("Messages per second", "398/s"),
    ("Messages", "12,740"),
    ("Age", "3 min"),
    ("Revision", "1"),
)
BUTTONS = ("Stop…", "Sleep…", "Restart…", "Reset…", "Update…", "Delete…")
LOG = (
    "reading_sent   number=4212 value=18.73",
    "reading_sent   number=4213 value=18.55",
    "alarm_raised   number=4214 value=31.08",
    "reading_sent   number=4215 value=18.64",
    "reading_sent   number=4216 value=18.02",
    "reading_sent   number=4217 value=18.27",
)

_PAGE = """\
svg{font:14px "Segoe UI","Helvetica Neue",Arial,sans-serif}
text{fill:#12303f}
.title{font-size:30px;font-weight:700}
.small{font-size:11.5px;fill:#526a77}
.log{font:11.5px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.paper{fill:#eef3f1}.sheet{fill:#fbfcfa;stroke:#24465a;stroke-width:1.5}.rule{fill:none;stroke:#c5d3d6}
.good{font-weight:600;fill:#28623a}
@media (prefers-color-scheme:dark){
text{fill:#eaf4fa}.small{fill:#9ab4c4}.paper{fill:#0a1824}.sheet{fill:#0e2030;stroke:#7da6be}.rule{stroke:#2a4a60}.good{fill:#8fd19c}
}
"""


def picture() -> str:
    """Return the picture as SVG text; the same every time."""
    graph = re.sub(r"^<svg ", '<svg x="32" y="98" ', svg(_solution(), standalone=False, live=_live()).strip())
    inside = [
        _headline(),
        f'<rect class="sheet" x="24" y="84" width="{WIDTH - 400}" height="242"/>',
        graph,
        *_cells(),
        *_log(),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>The page of a deployment that runs</title><style>{STYLE}{_PAGE}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>{"".join(inside)}</svg>\n'
    )


def _solution() -> Solution:
    files = {path.relative_to(SAMPLE).as_posix(): path.read_bytes() for path in sorted(SAMPLE.glob("microservice/*"))}
    found = blueprint.parse(from_files({"blueprint.json": (SAMPLE / "blueprint.json").read_bytes(), **files})).solution
    if found is None:
        raise ValueError("expected a sample that can be read")
    return found


def _live() -> Live:
    solution = _solution()
    lamps = {node.name: Lamp(Light.GOOD, "ready") for node in solution.nodes}
    flows = (Flow("200/s", is_moving=True), Flow("198/s", "12 waiting", is_moving=True))
    return Live(lamps, dict(zip(solution.edges, flows, strict=True)))


def _headline() -> str:
    texts = [
        _text(24, 56, "sensor-stream", "title"),
        _text(238, 55, "● ready", "good"),
        _text(310, 55, "● running", "good"),
    ]
    right = WIDTH - 24 - 92 * len(BUTTONS)
    for number, word in enumerate(BUTTONS):
        x = right + 92 * number + 8
        texts.append(f'<rect class="rule" x="{x}" y="32" width="84" height="34"/>' + _text(x + 14, 54, word))
    return "".join(texts)


def _cells() -> list[str]:
    wide = (WIDTH - 400 - 32) / len(CELLS)
    return [
        f'<rect class="rule" x="{40 + wide * number:g}" y="260" width="{wide:g}" height="52"/>'
        + _text(52 + wide * number, 279, name, "small")
        + _text(52 + wide * number, 300, value)
        for number, (name, value) in enumerate(CELLS)
    ]


def _log() -> list[str]:
    left = WIDTH - 352
    lines = [_text(left + 14, 132 + 21 * number, line, "log") for number, line in enumerate(LOG)]
    frame = f'<rect class="rule" x="{left}" y="108" width="328" height="218"/>'
    return [_text(left, 96, "Log of sensor", "small"), frame, *lines]


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{safe(words)}</text>'


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
