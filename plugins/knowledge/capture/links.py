"""Extracts the links of a message, each with the words that belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from plugins.knowledge.capture import labels
from plugins.knowledge.capture.link_context import BULLET, MARK, LinkContext, link_contexts, mark, without_marks
from plugins.knowledge.capture.message_html import text_runs
from plugins.knowledge.text.tidy import one_line, tidy
from plugins.knowledge.urls.canonical import canonical, without_credentials

MOST_LINKS = 100  # kept per message; even a long list of sources has fewer
LONGEST_LINK = 2048  # characters; a longer one is left out
LONGEST_NOTE = 300
LONGEST_LABEL = 120
APART = " · "  # between a link's own words and those it shares with others
_SHORTEST_SHARED = 30  # characters; with less room, shared words are dropped

# An address in running text ends at white space, quotes, angle brackets, CJK punctuation, invisible characters, and the
# middle of a Markdown link.
_URL = re.compile(
    r"(?<![A-Za-z0-9])https?://(?:(?!\]\()[^\s<>\"`“”«»（）［］【】「」『』《》〈〉，、；！？\x00-\x1f\x7f"
    r"\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])++",
    re.IGNORECASE,
)
_ESCAPED_END = re.compile(r"&(?:lt|gt|quot|apos|nbsp|#0?39|#34|#x27);", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(r"(?<![^\s<(])(?=www\.[^\s./]{1,63}\.)", re.IGNORECASE)
_MATRIX_URI = re.compile(r"(?<!\w)matrix:(?:u|user|r|roomid|room|e|event)/\S{1,1024}+")
_MATRIX_ROUTE = re.compile(r"[^#]*+#/(?:room|user|group)/(?:[!#@+]|%2[13]|%40)", re.IGNORECASE)  # clients on the web
_MARKDOWN_LINK = re.compile(rf"\[([^\[\]\n]{{0,200}}+)\]\(\s{{0,9}}+({MARK}?)\)")
# Brackets, quotes and markup that enclose nothing but an address; then punctuation after one.
_WRAPPED = re.compile(
    rf"<\s?{MARK}?\s?>|\(\s?{MARK}?\s?\)|\[\s?{MARK}?\s?\]|（{MARK}?）|“{MARK}”|«\s?{MARK}\s?»|\"{MARK}\""
    rf"|[*_~|]{{1,4}}+{MARK}[*_~|]{{1,4}}+"
)
_SPACE_BEFORE_END = re.compile(rf"(?<=\w)[^\S\n]*+({MARK})([.,;:!?…]++)(?=\s|$)")
_END_AFTER_LINK = re.compile(rf"({MARK})[.,;:!?…]++(?=\s|$)")
_QUOTATION = re.compile(r"^>.*$", re.MULTILINE)
_BULLETED = re.compile(rf"\A\s*+{BULLET}")
_STRIPPED = " \n,;:|–—"  # from the ends of a note: separators of addresses
_OPENING = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"[()\[\]{}]")
_PUNCTUATION = ".,;:!?…*'’—–。([{"
_MARKUP = frozenset("_~|")  # ends an address that it also precedes: _https://example.org/_


@dataclass(frozen=True, slots=True)
class Link:
    """A link: the address as posted (without credentials), its canonical key, and its link text (`label`), if any.

    `note` holds the words of the message that belong to it (link_context.py), without addresses; `hashtags` the
    hashtags among them.
    """

    url: str
    canonical: str
    label: str | None = None
    note: str = ""
    hashtags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """The links of one message: in order, deduplicated by page. `label` is the message's sharing label (labels.py).

    It is never "red": such a message shares nothing.
    """

    links: tuple[Link, ...] = ()
    label: str | None = None


def shared_links(body: str, html: str | None = None) -> SharedLinks:
    """The links that a message with this plain and this formatted body shares.

    Empty if it says `!nolog` or `TLP:RED`. Quotations, code, mentions and Matrix's own links do not count.
    """
    links, text = _parse(body, html)
    words = without_marks(text)
    # Some apps show the plain text: what forbids keeping counts there, too, but for quotations.
    plain = _QUOTATION.sub("", body) if html else ""
    if not links or labels.exclusion_mark(words) or labels.exclusion_mark(plain):
        return SharedLinks()
    contexts = link_contexts(text)
    links_with_context = [
        replace(link, note=_note(contexts[mark(number)], mark(number)), hashtags=contexts[mark(number)].hashtags)
        for number, link in enumerate(links[:MOST_LINKS])
    ]
    return SharedLinks(tuple(links_with_context), labels.label(words))


def with_schemes(text: str) -> str:
    """Puts `https://` before addresses that begin with `www.`, which clients show as links."""
    return _WITHOUT_SCHEME.sub("https://", text)


def visible_text(body: str, html: str | None = None) -> str:
    """The words of a message as people see them, without addresses; line breaks stay, and the length is unlimited."""
    return without_marks(_parse(body, html)[1])


def _parse(body: str, html: str | None) -> tuple[list[Link], str]:
    """The links of a message, deduplicated by page, and its text with a mark for each link."""
    links: dict[str, Link] = {}
    marks: dict[str, str] = {}

    def mark_of(url: str, label: str | None = None) -> str:
        link = _link(url, label)
        if link is None:
            return ""
        links.setdefault(link.canonical, link)
        return marks.setdefault(link.canonical, mark(len(marks)))

    words: list[str] = []
    for run in text_runs(body, html):
        parts = _split_at_urls(without_marks(run.text))
        if run.href is None:
            words += [part if index % 2 == 0 else mark_of(part) for index, part in enumerate(parts)]
        else:
            url = run.href.strip().replace(" ", "%20")
            link_text = "".join(parts[::2])
            link = mark_of(url, _label(link_text, url))
            words += [link, link_text, link] if link_text.strip() else [link]
    text = _MATRIX_URI.sub("", "".join(words))
    text = _MARKDOWN_LINK.sub(r"\2\1\2", text)
    text = _WRAPPED.sub(_unwrapped, text)
    return list(links.values()), _END_AFTER_LINK.sub(r"\1", _SPACE_BEFORE_END.sub(r"\2\1", text))


def _unwrapped(wrapped: re.Match[str]) -> str:
    inside = "".join(re.findall(MARK, wrapped[0]))
    ends = wrapped.string[wrapped.end() : wrapped.end() + 1]
    return f" {inside}" if ends and ends in _PUNCTUATION else f" {inside} "


def _note(context: LinkContext, link: str) -> str:
    """The link's own words, then its shared words if there is room."""
    own = _surrounding_text(_BULLETED.sub("", "".join(context.own), count=1), link)
    shared = without_marks(" ".join(context.shared)).strip(_STRIPPED)
    if not own:
        return tidy(shared, LONGEST_NOTE)
    room = LONGEST_NOTE - len(own) - len(APART)
    shared = tidy(shared, room) if room >= _SHORTEST_SHARED else ""
    return f"{own}{APART}{shared}" if shared else own


def _surrounding_text(text: str, link: str) -> str:
    """The text around a link on one line, truncated at words; "" if it has no letters or digits."""
    position, reach = max(0, text.find(link)), LONGEST_NOTE * 8
    start, end = max(0, position - reach), position + reach
    whole = one_line(without_marks(text[start:end]))
    if len(whole) <= LONGEST_NOTE:
        return whole.strip(_STRIPPED) if any(map(str.isalnum, whole)) else ""
    before, after = (one_line(without_marks(part)) for part in (text[start:position], text[position:end]))
    room = max(LONGEST_NOTE // 2, LONGEST_NOTE - len(after) - 1)
    if len(before) > room:
        tail = before[1 - room :]
        before = "…" + tail[tail.find(" ", 0, room // 2) + 1 :]
    return f"{before} {tidy(after, LONGEST_NOTE - len(before) - 1)}".strip()


def _label(words: str, url: str) -> str | None:
    """The link text; None if it only repeats a part of the address."""
    label = tidy(words, LONGEST_LABEL)
    repeats = ("." in label or "/" in label) and label.rstrip("…").lower() in url.lower()
    return None if repeats else label or None


def _split_at_urls(text: str) -> list[str]:
    """Splits a text into alternating text and addresses, including addresses that are too long to keep."""
    parts: list[str] = []
    end = 0
    for match in _URL.finditer(text):
        url = match[0]
        if len(url) <= LONGEST_LINK:
            url = _trimmed(url, text[match.start() - 1 : match.start()])
        parts += [text[end : match.start()], url.replace("&amp;", "&")]  # some bridges HTML-escape the plain body
        end = match.start() + len(url)
    return [*parts, text[end:]]


def _trimmed(url: str, before: str) -> str:
    """Strips what belongs to the sentence: punctuation, escaped quotes, brackets opened before the address."""
    url = _ESCAPED_END.split(url, maxsplit=1)[0]
    if before == "|":  # a table cell, or a spoiler
        url = url.partition("|")[0]
    url = _balanced(url)
    return url.rstrip(_PUNCTUATION + before if before in _MARKUP else _PUNCTUATION)


def _balanced(url: str) -> str:
    """Cuts at the first closing bracket that the address did not open; …/A_(b) stays whole."""
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
    """Whether this is a link of Matrix itself (pill, permalink, media): to people, rooms or messages, not pages."""
    host, _, path = key.partition("://")[2].partition("/")
    return (
        host.removeprefix("www.") == "matrix.to" or path.startswith("_matrix/") or bool(_MATRIX_ROUTE.match("/" + path))
    )
