"""Which links does a message share, and in whose words?"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from plugins.knowledge import marks
from plugins.knowledge.canonical import canonical, without_credentials
from plugins.knowledge.visible import pieces

MOST = 100  # links of one message that are kept: a long list of sources has fewer
LONGEST_LINK = 2048  # characters; a longer one is left out
LONGEST_NOTE = 300
LONGEST_LABEL = 120

# What ends an address in running text: white space, quotes, angle brackets, CJK punctuation, marks nobody sees, and
# the middle of a Markdown link.
_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9])https?://(?:(?!\]\()[^\s<>\"`“”«»（）［］【】「」『』《》〈〉，、；！？\x00-\x1f\x7f"
    r"\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])++",
    re.IGNORECASE,
)
_ESCAPED_END = re.compile(r"&(?:lt|gt|quot|apos|nbsp|#0?39|#34|#x27);", re.IGNORECASE)
_MATRIX_URI = re.compile(r"(?<!\w)matrix:(?:u|user|r|roomid|room|e|event)/\S{1,1024}+")
_MATRIX_ROUTE = re.compile(r"[^#]*+#/(?:room|user|group)/(?:[!#@+]|%2[13]|%40)", re.IGNORECASE)  # clients on the web
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{0,200}+)\]\(\s{0,9}+\)")  # what is left of one without its address
_EMPTY_BRACKETS = re.compile(r"<\s?>|\(\s?\)|\[\s?\]")
_OPENING = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"[()\[\]{}]")
_PUNCTUATION = ".,;:!?…*'’—–。([{"
_MARKUP = frozenset("_~|")  # ends an address if it stands right before it, too: _https://example.org/_


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it was posted (without credentials), its key, and the words that were made a link, if any."""

    url: str
    canonical: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What one message shares.

    `links` in order, each page once; `note`: the message without their addresses, if it has any; `hashtags` and
    `label` as in `marks`. The label is never "red": what is marked so shares nothing.
    """

    links: tuple[Link, ...] = ()
    note: str = ""
    hashtags: tuple[str, ...] = ()
    label: str | None = None


def shared(body: str, html: str | None = None) -> Shared:
    """What a message with this plain and this formatted body shares.

    Nothing if it says `!nolog` or `TLP:RED`. Quotations, code, mentions and Matrix's own links do not count.
    """
    found, words = _read(body, html)
    label = marks.label(words)
    if label == marks.RED or marks.no_log(words):
        return Shared()
    note = tidy(words, LONGEST_NOTE) if found else ""
    return Shared(tuple(found.values()), note, marks.hashtags(words), label)


def said(body: str, html: str | None = None) -> str:
    """The words of a message as a person sees them, without addresses; lines are kept, the length is not limited."""
    return _read(body, html)[1]


def _read(body: str, html: str | None) -> tuple[dict[str, Link], str]:
    """The links by their keys, and the words around them."""
    found: dict[str, Link] = {}
    words: list[str] = []
    for piece in pieces(body, html):
        rest, urls = _split(piece.text)
        words.append(rest)
        for url in urls if piece.href is None else [piece.href.replace(" ", "%20")]:
            link = _link(url, _label(rest, url) if piece.href else None)
            if link and len(found) < MOST:
                found.setdefault(link.canonical, link)
    text = _MATRIX_URI.sub("", "".join(words))
    return found, _EMPTY_BRACKETS.sub(" ", _MARKDOWN_LINK.sub(r"\1", text))


def _label(words: str, url: str) -> str | None:
    """The words that were made a link; None if they only repeat a part of its address."""
    label = tidy(words, LONGEST_LABEL)
    repeats = ("." in label or "/" in label) and label.rstrip("…").lower() in url.lower()
    return None if repeats else label or None


def tidy(text: str, longest: int) -> str:
    """Text as one line without invisible characters, cut at a word with `…` if it is longer."""
    text = " ".join(text[: longest * 8].split())
    if not text.isprintable():
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
        url = match[0]
        if len(url) <= LONGEST_LINK:
            url = _trimmed(url, text[match.start() - 1 : match.start()])
            urls.append(url.replace("&amp;", "&"))  # some bridges escape plain text
        rest.append(text[end : match.start()])
        end = match.start() + len(url)
    return "".join([*rest, text[end:]]), urls


def _trimmed(url: str, before: str) -> str:
    """Without what belongs to the sentence: punctuation, escaped quotes, brackets opened before the address."""
    url = _ESCAPED_END.split(url, maxsplit=1)[0]
    if before == "|":  # a cell of a table, or a spoiler
        url = url.partition("|")[0]
    url = _balanced(url)
    return url.rstrip(_PUNCTUATION + before if before in _MARKUP else _PUNCTUATION)


def _balanced(url: str) -> str:
    """Up to the first closing bracket that nothing in the address opened: …/A_(b) has none."""
    opened: list[str] = []
    for match in _BRACKET.finditer(url):
        opening = _OPENING.get(match[0])
        if opening is None:
            opened.append(match[0])
        elif opening in opened:
            opened.remove(opening)
        else:
            return url[: match.start()]
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
    return (
        host.removeprefix("www.") == "matrix.to" or path.startswith("_matrix/") or bool(_MATRIX_ROUTE.match("/" + path))
    )
