"""What of a user's text may stand in a workflow. Engines read `{{` everywhere, and offer no way to write it as itself.

So such text travels in ConfigMaps, which no engine reads, or not at all: what has to stand inline is refused in words.
"""

from __future__ import annotations

LIVE = "{{"


def is_live(text: str) -> bool:
    """Tell whether a workflow engine would take a part of the text for its own syntax."""
    return LIVE in text


def refuse_live(text: str, where: str) -> None:
    """Refuse such a text: ValueError, whose message says where it stands and shows nothing of it."""
    if is_live(text):
        raise ValueError(f"{where}: expected no '{{{{', which workflow engines take for their own syntax")
