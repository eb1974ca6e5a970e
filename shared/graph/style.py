"""The colours of graph pictures, light and dark, as one constant stylesheet.

Written out without custom properties, so that viewers other than browsers show the pictures in colour too.
"""

from __future__ import annotations

from string import Template
from typing import Final

_LIGHT: Final = {
    "paper": "#fbfcfa", "card": "#ffffff", "head": "#e8eff1", "ink": "#24465a", "text": "#12303f", "soft": "#2b4a5b",
    "muted": "#566d7a", "line": "#3f6377", "stream": "#087783", "start": "#b8470c", "inner": "#fbf3e2", "inner_ink": "#7a5a16",
    "folder": "#edf4ea", "folder_ink": "#46693e", "good": "#2f7d49", "busy": "#a86a00", "bad": "#b3261e", "still": "#8aa0ac",
}  # fmt: skip
_DARK: Final = {
    "paper": "#0e2030", "card": "#152e41", "head": "#1d3c53", "ink": "#86aec5", "text": "#eaf4fa", "soft": "#c6dcea",
    "muted": "#9ab4c4", "line": "#94b9ce", "stream": "#4fd0dc", "start": "#ff9a5a", "inner": "#332c1b", "inner_ink": "#d9b25a",
    "folder": "#183125", "folder_ink": "#8cc08a", "good": "#6cc788", "busy": "#e9bd62", "bad": "#ff8c7c", "still": "#5f7d90",
}  # fmt: skip

_SHAPES = """\
.graph{font:12.5px "Segoe UI","Helvetica Neue",Helvetica,Arial,"Liberation Sans","Nimbus Sans",sans-serif}
.graph .g-name{font-weight:600}
.graph .g-note,.graph .g-legend text{font-size:11px}
.graph .g-operation,.graph .g-path{font:11.5px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.graph .g-card,.graph .g-port,.graph .g-folder{stroke-width:1.3}
.graph .g-head{stroke:none}
.graph .g-rule{stroke-width:1;stroke-opacity:.3}
.graph .g-probe .g-card{stroke-dasharray:5 3}
.graph .g-halo{fill:none;stroke-width:6;stroke-dasharray:0 12 76 12}
.graph .g-line{fill:none;stroke-width:1.6}
.graph .g-stream .g-line{stroke-width:2.2;stroke-dasharray:7 4}
.graph .g-edge:hover .g-line{stroke-width:3}
.graph .g-word{font-size:11.5px}
.graph .g-more{text-anchor:end;font-variant-numeric:tabular-nums}
.graph .g-figure{font-size:11.5px;font-weight:600;text-anchor:middle;font-variant-numeric:tabular-nums;stroke-width:4;stroke-linejoin:round;paint-order:stroke}
.graph .g-lamp{stroke-width:1.6}
.graph .g-still .g-lamp{fill:none}
"""
_COLOURS = Template("""\
.graph .g-canvas{fill:$paper}
.graph .g-halo{stroke:$paper}
.graph .g-card{fill:$card;stroke:$ink}
.graph .g-head{fill:$head}
.graph .g-rule{stroke:$ink}
.graph .g-inner .g-card{fill:$inner;stroke:$inner_ink}
.graph .g-inner .g-head{fill:none}
.graph .g-name{fill:$text}
.graph .g-note,.graph .g-legend text{fill:$muted}
.graph .g-operation{fill:$soft}
.graph .g-port{fill:$card;stroke:$ink}
.graph .g-port.g-flowing{fill:$stream;stroke:$stream}
.graph .g-start{fill:$start}
.graph .g-line{stroke:$line}
.graph .g-tip{fill:$line}
.graph .g-stream .g-line{stroke:$stream}
.graph .g-stream .g-tip{fill:$stream}
.graph .g-edge:hover .g-line{stroke:$start}
.graph .g-edge:hover .g-tip{fill:$start}
.graph .g-word{fill:$soft}
.graph .g-figure{fill:$text;stroke:$paper}
.graph .g-queue{fill:$start}
.graph .g-good .g-lamp{fill:$good;stroke:$good}
.graph .g-busy .g-lamp{fill:$card;stroke:$busy}
.graph .g-bad .g-lamp{fill:$bad;stroke:$bad}
.graph .g-bad .g-word{fill:$bad}
.graph .g-still .g-lamp{stroke:$still}
.graph .g-folder{fill:$folder;stroke:$folder_ink}
.graph .g-path{fill:$text}
""")

STYLE: Final = (
    f"{_SHAPES}{_COLOURS.substitute(_LIGHT)}@media (prefers-color-scheme:dark){{\n{_COLOURS.substitute(_DARK)}}}\n"
)
"""Rules for everything that `shared.graph_picture` draws; all below the class `graph`."""
