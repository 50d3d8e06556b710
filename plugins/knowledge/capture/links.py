"""Which links does a message share, and in whose words?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from plugins.knowledge.capture import labels
from plugins.knowledge.capture.link_context import BULLET, MARK, Beside, beside, mark, without_marks
from plugins.knowledge.capture.message_html import pieces
from plugins.knowledge.text.tidy import one_line, tidy
from plugins.knowledge.urls.canonical import canonical, without_credentials

MOST = 100  # links of one message that are kept: a long list of sources has fewer
LONGEST_LINK = 2048  # characters; a longer one is left out
LONGEST_NOTE = 300
LONGEST_LABEL = 120
APART = " · "  # stands between a link's own words and those it shares with others
_LEAST_SHARED = 30  # characters; less room is left empty

# What ends an address in running text: white space, quotes, angle brackets, CJK punctuation, marks nobody sees, and
# the middle of a Markdown link.
_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9])https?://(?:(?!\]\()[^\s<>\"`“”«»（）［］【】「」『』《》〈〉，、；！？\x00-\x1f\x7f"
    r"\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])++",
    re.IGNORECASE,
)
_ESCAPED_END = re.compile(r"&(?:lt|gt|quot|apos|nbsp|#0?39|#34|#x27);", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(r"(?<![^\s<(])(?=www\.[^\s./]{1,63}\.)", re.IGNORECASE)
_MATRIX_URI = re.compile(r"(?<!\w)matrix:(?:u|user|r|roomid|room|e|event)/\S{1,1024}+")
_MATRIX_ROUTE = re.compile(r"[^#]*+#/(?:room|user|group)/(?:[!#@+]|%2[13]|%40)", re.IGNORECASE)  # clients on the web
_MARKDOWN_LINK = re.compile(rf"\[([^\[\]\n]{{0,200}}+)\]\(\s{{0,9}}+({MARK}?)\)")
# What stood round an address alone: brackets, quotes, markup; and what ended its sentence.
_WRAPPED = re.compile(
    rf"<\s?{MARK}?\s?>|\(\s?{MARK}?\s?\)|\[\s?{MARK}?\s?\]|（{MARK}?）|“{MARK}”|«\s?{MARK}\s?»|\"{MARK}\""
    rf"|[*_~|]{{1,4}}+{MARK}[*_~|]{{1,4}}+"
)
_SPACE_BEFORE_END = re.compile(rf"(?<=\w)[^\S\n]*+({MARK})([.,;:!?…]++)(?=\s|$)")
_END_OF_NOTHING = re.compile(rf"({MARK})[.,;:!?…]++(?=\s|$)")
_BULLETED = re.compile(rf"\A\s*+{BULLET}")
_EDGES = " \n,;:|–—"  # of a note, what stood between its words and an address or other words
_OPENING = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"[()\[\]{}]")
_PUNCTUATION = ".,;:!?…*'’—–。([{"
_MARKUP = frozenset("_~|")  # ends an address if it stands right before it, too: _https://example.org/_


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it was posted (without credentials), its key, and the words that were made a link, if any.

    `note`: the words of the message that belong to it (link_context.py), without addresses; `hashtags` those among
    them.
    """

    url: str
    canonical: str
    label: str | None = None
    note: str = ""
    hashtags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """What one message shares: `links` in order, each page once; `label` as in `marks`, of all of them. It is never
    "red": what is marked so shares nothing."""

    links: tuple[Link, ...] = ()
    label: str | None = None


def shared(body: str, html: str | None = None) -> Shared:
    """What a message with this plain and this formatted body shares.

    Nothing if it says `!nolog` or `TLP:RED`. Quotations, code, mentions and Matrix's own links do not count.
    """
    found, text = _read(body, html)
    words = without_marks(text)
    if not found or labels.kept_out(words):
        return Shared()
    near = beside(text)
    links = [
        replace(link, note=_note(near[mark(number)], mark(number)), hashtags=near[mark(number)].hashtags)
        for number, link in enumerate(found[:MOST])
    ]
    return Shared(tuple(links), labels.label(words))


def with_schemes(text: str) -> str:
    """The text with `https://` before what begins with `www.`, as apps make links of."""
    return _WITHOUT_SCHEME.sub("https://", text)


def said(body: str, html: str | None = None) -> str:
    """The words of a message as a person sees them, without addresses; lines are kept, the length is not limited."""
    return without_marks(_read(body, html)[1])


def _read(body: str, html: str | None) -> tuple[list[Link], str]:
    """Its links, each page once, and its words, with the marks of the links where they stand."""
    found: dict[str, Link] = {}
    marked: dict[str, str] = {}

    def marked_as(url: str, label: str | None = None) -> str:
        link = _link(url, label)
        if link is None:
            return ""
        found.setdefault(link.canonical, link)
        return marked.setdefault(link.canonical, mark(len(marked)))

    words: list[str] = []
    for piece in pieces(body, html):
        parts = _split(without_marks(piece.text))
        if piece.href is None:
            words += [part if place % 2 == 0 else marked_as(part) for place, part in enumerate(parts)]
        else:
            url = piece.href.strip().replace(" ", "%20")
            rest = "".join(parts[::2])
            link = marked_as(url, _label(rest, url))
            words += [link, rest, link] if rest.strip() else [link]
    text = _MATRIX_URI.sub("", "".join(words))
    text = _MARKDOWN_LINK.sub(r"\2\1\2", text)
    text = _WRAPPED.sub(_unwrapped, text)
    return list(found.values()), _END_OF_NOTHING.sub(r"\1", _SPACE_BEFORE_END.sub(r"\2\1", text))


def _unwrapped(wrapped: re.Match[str]) -> str:
    inside = "".join(re.findall(MARK, wrapped[0]))
    ends = wrapped.string[wrapped.end() : wrapped.end() + 1]
    return f" {inside}" if ends and ends in _PUNCTUATION else f" {inside} "


def _note(words: Beside, link: str) -> str:
    """What is a link's own, then what others share with it where there is room."""
    own = _around(_BULLETED.sub("", "".join(words.own), count=1), link)
    shared = without_marks(" ".join(words.shared)).strip(_EDGES)
    if not own:
        return tidy(shared, LONGEST_NOTE)
    room = LONGEST_NOTE - len(own) - len(APART)
    shared = tidy(shared, room) if room >= _LEAST_SHARED else ""
    return f"{own}{APART}{shared}" if shared else own


def _around(text: str, link: str) -> str:
    """What stands before and after a link, as one line that is cut at words; "" if that says nothing."""
    place, most = max(0, text.find(link)), LONGEST_NOTE * 8
    start, end = max(0, place - most), place + most
    whole = one_line(without_marks(text[start:end]))
    if len(whole) <= LONGEST_NOTE:
        return whole.strip(_EDGES) if any(map(str.isalnum, whole)) else ""
    before, after = (one_line(without_marks(part)) for part in (text[start:place], text[place:end]))
    room = max(LONGEST_NOTE // 2, LONGEST_NOTE - len(after) - 1)
    if len(before) > room:
        tail = before[1 - room :]
        before = "…" + tail[tail.find(" ", 0, room // 2) + 1 :]
    return f"{before} {tidy(after, LONGEST_NOTE - len(before) - 1)}".strip()


def _label(words: str, url: str) -> str | None:
    """The words that were made a link; None if they only repeat a part of its address."""
    label = tidy(words, LONGEST_LABEL)
    repeats = ("." in label or "/" in label) and label.rstrip("…").lower() in url.lower()
    return None if repeats else label or None


def _split(text: str) -> list[str]:
    """What is between the addresses of a text and the addresses, by turns; also those that are too long."""
    parts: list[str] = []
    end = 0
    for match in _IN_TEXT.finditer(text):
        url = match[0]
        if len(url) <= LONGEST_LINK:
            url = _trimmed(url, text[match.start() - 1 : match.start()])
        parts += [text[end : match.start()], url.replace("&amp;", "&")]  # some bridges escape plain text
        end = match.start() + len(url)
    return [*parts, text[end:]]


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
