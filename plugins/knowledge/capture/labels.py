"""Which marks does a sharer set in their words: `#hashtags`, a sharing label, `!nolog`?

The labels are those of the Traffic Light Protocol 2.0 (FIRST): who may see what is marked is told by `CLEAR`, `GREEN`,
`AMBER` and `RED`. `WHITE` is the older name of `CLEAR`, and `AMBER+STRICT` is kept as amber.
"""

from __future__ import annotations

import re
import unicodedata

from plugins.knowledge.text.folding import LONGEST_WORD, fold

MOST_HASHTAGS = 10  # of one message
RED = "red"  # what is marked so is never stored
NO_LOG = "!nolog"

_NO_LOG = re.compile(r"(?<![\w!])!nolog(?!\w)", re.IGNORECASE)
# Not after what makes it part of an address or a word (C#, &#39;), nor a room's alias (#gifts:example.org).
_HASHTAG = re.compile(
    r"(?<![\w#&/])#(?P<word>[^\W_]{1,64}+(?:[-_][^\W_]{1,64}+){0,9}+)(?![\w#])(?![^\s:]{0,255}+:[\w\[])"
)
_LETTER = re.compile(r"[^\W\d_]")
_FOLDED = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# Also as people translate it, though the standard wants it in English: to overlook a label is worse.
_COLOURS = {
    "red": RED, "rojo": RED, "rouge": RED, "vermelho": RED,
    "amber": "amber", "ambar": "amber", "ambre": "amber", "orange": "amber",
    "green": "green", "verde": "green", "vert": "green",
    "clear": "clear", "white": "clear", "blanco": "clear", "blanc": "clear", "branco": "clear",
}  # fmt: skip
_STRICTEST = (RED, "amber", "green", "clear")
_LABEL = re.compile(r"(?<![^\W_])tlp(?P<mark>[\s:*_.-]{1,6}+)(?P<colour>[^\W\d_]{3,8}+)(?:\+strict)?+", re.IGNORECASE)


def no_log(words: str) -> bool:
    """Did the sharer ask not to be logged?"""
    return bool(_NO_LOG.search(_visible(words)))


def kept_out(words: str) -> str | None:
    """The mark by which somebody wants words kept nowhere, and what they share."""
    if label(words) == RED:
        return "TLP:RED"
    return NO_LOG if no_log(words) else None


def hashtags(words: str) -> tuple[str, ...]:
    """The hashtags in order, folded as `text.fold` does, each once, without `#`: `#Ética #gift_policy` → etica,
    gift-policy. Those without a letter (`#12`) are numbers of something."""
    found: dict[str, None] = {}
    for match in _HASHTAG.finditer(unicodedata.normalize("NFC", words)):
        word = fold(match["word"]).replace("_", "-")
        if _LETTER.search(word) and is_word(word):
            found[word] = None
            if len(found) == MOST_HASHTAGS:
                break
    return tuple(found)


def without(words: str) -> str:
    """The words without sharing labels, hashtags as words."""
    unlabelled = _LABEL.sub(lambda found: "" if fold(found["colour"]) in _COLOURS else found[0], words)
    return _HASHTAG.sub(r"\g<word>", unlabelled.replace("[]", "").replace("()", "")).strip()


def is_word(topic: str) -> bool:
    """Can this (folded) be a topic: letters and digits, perhaps with hyphens between them?"""
    return len(topic) <= LONGEST_WORD and bool(_FOLDED.fullmatch(topic))


def label(words: str) -> str | None:
    """The sharing label: "clear", "green", "amber" or "red"; the strictest of several, None without one.

    `TLP:AMBER`, and any other way to put the colour behind `TLP` (`TLP green`, `TLP-RED` in a file's name). Only
    "clear" needs the colon: it opens something, so it has to be meant.
    """
    found = {
        colour
        for match in _LABEL.finditer(unicodedata.normalize("NFKC", _visible(words)))
        if (colour := _COLOURS.get(fold(match["colour"]))) and (colour != "clear" or ":" in match["mark"])
    }
    return next((colour for colour in _STRICTEST if colour in found), None)


def _visible(words: str) -> str:
    """Without characters nobody sees: none of them may stand inside a mark."""
    return words if words.isascii() else "".join(char for char in words if unicodedata.category(char) != "Cf")
