"""Cleans up text that people wrote: one line, no control or invisible characters."""

from __future__ import annotations

import unicodedata


def tidy(text: str, longest: int) -> str:
    """The text as one line without invisible characters, truncated at a word with `…` if it is longer than
    `longest`."""
    text = one_line(text[: longest * 8])
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    return cut[: max(cut.rfind(" "), longest // 2)].rstrip() + "…"


def one_line(text: str) -> str:
    """The text as one line without invisible characters."""
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
        text = " ".join(text.split())
    return text
