"""Parses marks in people's words: `#hashtags`, sharing labels (TLP), `!nolog`.

The labels are those of the Traffic Light Protocol 2.0 (FIRST): `CLEAR`, `GREEN`, `AMBER` and `RED` say who may see
something. `WHITE` is the older name of `CLEAR`; `AMBER+STRICT` is treated as amber.
"""

from __future__ import annotations

import re
import unicodedata

from plugins.knowledge.text.folding import LONGEST_WORD, fold

MOST_HASHTAGS = 10  # of one message
RED = "red"  # never stored
NO_LOG = "!nolog"

_NO_LOG = re.compile(r"(?<![\w!])!nolog(?!\w)", re.IGNORECASE)
# Not part of an address or a word (C#, &#39;), and not a room alias (#gifts:example.org).
_HASHTAG = re.compile(
    r"(?<![\w#&/])#(?P<word>[^\W_]{1,64}+(?:[-_][^\W_]{1,64}+){0,9}+)(?![\w#])(?![^\s:]{0,255}+:[\w\[])"
)
_LETTER = re.compile(r"[^\W\d_]")
_TOPIC = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# Translations count, though the standard wants English: overlooking a label is worse.
_COLOURS = {
    "red": RED, "rojo": RED, "rouge": RED, "vermelho": RED,
    "amber": "amber", "ambar": "amber", "ambre": "amber", "orange": "amber",
    "green": "green", "verde": "green", "vert": "green",
    "clear": "clear", "white": "clear", "blanco": "clear", "blanc": "clear", "branco": "clear",
}  # fmt: skip
_STRICTEST = (RED, "amber", "green", "clear")
_LABEL = re.compile(
    r"(?<![^\W_])tlp(?P<mark>[\s:*_.\-–—=/\])]{1,6}+)(?P<colour>[^\W\d_]{3,8}+)(?:\+strict)?+", re.IGNORECASE
)


def has_no_log(words: str) -> bool:
    """Whether the words say `!nolog`: the sharer asks not to be logged."""
    return bool(_NO_LOG.search(_without_invisible(words)))


def exclusion_mark(words: str) -> str | None:
    """The mark that forbids keeping these words and their links: `TLP:RED` or `!nolog`; None without one."""
    if label(words) == RED:
        return "TLP:RED"
    return NO_LOG if has_no_log(words) else None


def hashtags(words: str) -> tuple[str, ...]:
    """The distinct hashtags in order, folded (`text.folding.fold`) and without `#`: `#Ética #gift_policy` → etica,
    gift-policy. Those without a letter do not count: `#12` refers to an issue or a page."""
    tags: dict[str, None] = {}
    for match in _HASHTAG.finditer(unicodedata.normalize("NFC", words)):
        word = fold(match["word"]).replace("_", "-")
        if _LETTER.search(word) and is_topic(word):
            tags[word] = None
            if len(tags) == MOST_HASHTAGS:
                break
    return tuple(tags)


def strip_labels(words: str) -> str:
    """Removes sharing labels, and the `#` of hashtags."""
    unlabelled = _LABEL.sub(lambda match: "" if fold(match["colour"]) in _COLOURS else match[0], words)
    return _HASHTAG.sub(r"\g<word>", unlabelled.replace("[]", "").replace("()", "")).strip()


def is_topic(topic: str) -> bool:
    """Whether this folded text is a valid topic: letters and digits, optionally joined by hyphens."""
    return len(topic) <= LONGEST_WORD and bool(_TOPIC.fullmatch(topic))


def label(words: str) -> str | None:
    """The sharing label: "clear", "green", "amber" or "red"; the strictest of several, None without one.

    Recognises `TLP:AMBER` and variants (`TLP green`, `TLP-RED` in a file name). Only "clear" requires the colon: it
    makes something public, so it must be deliberate.
    """
    colours = {
        colour
        for match in _LABEL.finditer(unicodedata.normalize("NFKC", _without_invisible(words)))
        if (colour := _COLOURS.get(fold(match["colour"]))) and (colour != "clear" or ":" in match["mark"])
    }
    return next((colour for colour in _STRICTEST if colour in colours), None)


def _without_invisible(words: str) -> str:
    """Removes invisible format characters, which could otherwise split a mark."""
    return words if words.isascii() else "".join(char for char in words if unicodedata.category(char) != "Cf")
