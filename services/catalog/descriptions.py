"""Makes a stranger's HTML safe to show: text with simple marks and links, nothing that runs, loads or looks like us."""

from __future__ import annotations

import nh3

MOST_CHARACTERS = 100_000  # more is cut before it is read

TAGS = {
    *("p", "br", "hr", "b", "strong", "i", "em", "u", "s", "sub", "sup", "small", "code", "pre", "kbd", "blockquote"),
    *("ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "a"),
    *("table", "thead", "tbody", "tr", "th", "td", "caption"),
}
ATTRIBUTES = {"a": {"href", "title"}, "th": {"colspan", "rowspan"}, "td": {"colspan", "rowspan"}}
SCHEMES = {"http", "https", "mailto"}


def sanitised(html: str) -> str:
    """Return HTML that may be written into a page."""
    return nh3.clean(
        html[:MOST_CHARACTERS],
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer",
        strip_comments=True,
    )
