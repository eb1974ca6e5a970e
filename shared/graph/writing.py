"""Text and lengths in a picture: how wide foreign text will be, how it is cut, and how it is made safe in XML."""

from __future__ import annotations

import unicodedata
from html import escape

NAME_WIDTH = 196.0  # a longer name takes a second line


def wrapped(name: str) -> tuple[str, ...]:
    """Break a long name after a hyphen or a dot, in two lines at most."""
    if name_width(name) <= NAME_WIDTH:
        return (shortened(name),)
    breaks = [at + 1 for at, sign in enumerate(name) if sign in "-._ " and 0 < at < len(name) - 1]
    middle = min(breaks, key=lambda at: abs(2 * at - len(name)), default=len(name) // 2)
    return (shortened(name[:middle]), shortened(name[middle:]))


def shortened(text: str, most: int = 30) -> str:
    """Cut text after `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def columns(text: str) -> int:
    """Count fixed-width places: wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def name_width(text: str) -> float:
    """Estimate a line of a name at 12.5 px and semi-bold, in the widest of the usual fonts (DejaVu Sans)."""
    narrow, slim, broad = (len(text) - len(text.translate(signs)) for signs in (_NARROW, _SLIM, _BROAD))
    return 8.6 * columns(text) - 3.8 * narrow - 2.5 * slim + 4.0 * broad


_NARROW = str.maketrans("", "", "ijl.,:;'|")
_SLIM = str.maketrans("", "", "ftrI-")
_BROAD = str.maketrans("", "", "mwMW@%")


def safe(foreign: str) -> str:
    """Make foreign text safe in XML: escaped, and no control or direction characters, which XML or a reader trips over."""
    if foreign.replace("\n", "").isprintable():
        return escape(foreign)
    kept = "".join("\ufffd" if unicodedata.category(sign) in _UNSHOWN and sign != "\n" else sign for sign in foreign)
    return escape(kept)


_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})


def length(number: float) -> str:
    """Write a length with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")
