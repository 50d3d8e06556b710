"""Which links does a message share, and in whose words?"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from plugins.knowledge.canonical import canonical, without_credentials
from plugins.knowledge.visible import pieces

MOST = 20  # links of one message that are kept
LONGEST_LINK = 2048  # characters; a longer one is left out
LONGEST_NOTE = 300
LONGEST_LABEL = 120

# What ends an address in running text: white space, quotes, angle brackets, and marks nobody sees.
_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9])https?://[^\s<>\"`“”«»\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]++",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{0,200}+)\]\(\s{0,9}+\)")  # what is left of one without its address
_EMPTY_BRACKETS = re.compile(r"<\s?>|\(\s?\)|\[\s?\]")
_NO_LOG = re.compile(r"(?<!\S)!nolog(?!\w)", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "}": "{", "’": "‘"}
_PUNCTUATION = ".,;:!?…”»*'"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it was posted (without credentials), its key, and the words that were made a link, if any."""

    url: str
    canonical: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """The links of one message, each page once, in order; `note` is the message without their addresses."""

    links: tuple[Link, ...] = ()
    note: str = ""


def shared(body: str, html: str | None = None) -> Shared:
    """What a message with this plain and this formatted body shares.

    Nothing if it says `!nolog`. Quotations, code, mentions and Matrix's own links do not count.
    """
    found: dict[str, Link] = {}
    words: list[str] = []
    for piece in pieces(body, html):
        if _NO_LOG.search(piece.text):
            return Shared()
        rest, urls = _split(piece.text)
        words.append(rest)
        label = tidy(rest, LONGEST_LABEL) or None
        for url in urls if piece.href is None else [piece.href]:
            link = _link(url, label if piece.href else None)
            if link and len(found) < MOST:
                found.setdefault(link.canonical, link)
    text = _EMPTY_BRACKETS.sub(" ", _MARKDOWN_LINK.sub(r"\1", "".join(words)))
    return Shared(tuple(found.values()), tidy(text, LONGEST_NOTE) if found else "")


def tidy(text: str, longest: int) -> str:
    """Text as one line without invisible characters, cut at a word with `…` if it is longer."""
    text = "".join(" " if char.isspace() else char for char in text[: longest * 8])
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    return cut[: max(cut.rfind(" "), longest // 2)].rstrip() + "…"


def _split(text: str) -> tuple[str, list[str]]:
    """The text without the addresses in it, and the addresses."""
    rest: list[str] = []
    urls: list[str] = []
    end = 0
    for match in _IN_TEXT.finditer(text):
        url = _trimmed(match[0])
        urls.append(url)
        rest.append(text[end : match.start()])
        end = match.start() + len(url)
    return "".join([*rest, text[end:]]), urls


def _trimmed(url: str) -> str:
    """Without what belongs to the sentence: punctuation, and brackets that were opened before the address."""
    if len(url) > LONGEST_LINK:
        return url
    while url:
        last = url[-1]
        opening = _CLOSING.get(last)
        if last in _PUNCTUATION or (opening and url.count(last) > url.count(opening)):
            url = url[:-1]
        else:
            break
    return url


def _link(url: str, label: str | None) -> Link | None:
    if len(url) > LONGEST_LINK:
        return None
    key = canonical(url)
    if key is None or _is_matrix(key):
        return None
    return Link(without_credentials(url), key, label)


def _is_matrix(key: str) -> bool:
    """Pills, permalinks and media of Matrix itself point at people, rooms and messages, not at resources."""
    host, _, path = key.partition("://")[2].partition("/")
    return host == "matrix.to" or path.startswith("_matrix/")
