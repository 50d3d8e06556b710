"""HTML bookmarks, `<!DOCTYPE NETSCAPE-Bookmark-file-1>`: the format of browsers, Shaarli and linkding.

A round trip keeps the address, one title, one note, the topics (a comma in one becomes a space), the date of the first
share (in seconds), and `amber` (as `PRIVATE="1"`). White space around texts is lost; so is everything else. A link
without a title is written with one derived from its address, and such a title is ignored when read.

It also reads folders, as topics (except the browser's own, as its toolbar); `<DD>` as the note (if linkding marks notes
in it, those are the note and the rest is the description); dates in seconds, milliseconds or microseconds, as the only
share. A private link becomes `amber`: only the hub that imports it sees it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.text.html_tokens import Tag, UnclosedTag, tokens, unescaped
from plugins.knowledge.transfer.formats.dates import BadDate, parse_timestamp
from plugins.knowledge.transfer.formats.decoding import Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, Skipped, first_shared, shown_text
from plugins.knowledge.transfer.formats.validation import LONGEST_TEXT, excerpt, safe_address, validate
from plugins.knowledge.urls.display import title as title_of

DEEPEST = 20  # nested folders whose names become topics
_BROWSER_FOLDERS = ("personal_toolbar_folder", "unfiled_bookmarks_folder")
_LINKDING_NOTES = re.compile(r"\[linkding-notes\](.*)\[/linkding-notes\]", re.DOTALL)
_HEADER = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<!-- This is an automatically generated file.
     It will be read and overwritten.
     DO NOT EDIT! -->
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>{title}</TITLE>
<H1>{title}</H1>
<DL><p>
"""


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items; returns their number."""
    _put(stream, _HEADER.format(title=html.escape(meta.title)))
    count = 0
    for count, item in enumerate(items, start=1):  # noqa: B007 - counts what the iterable held
        _put(stream, _bookmark(item))
    _put(stream, "</DL><p>\n")
    return count


def _put(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("utf-8", "replace"))


def _bookmark(item: Item) -> str:
    attributes = {"HREF": item.url}
    if (date := first_shared(item)) is not None:
        attributes["ADD_DATE"] = str(date // 1000)
    attributes["PRIVATE"] = str(int(item.label == "amber"))
    if item.topics:
        attributes["TAGS"] = ",".join(topic.replace(",", " ") for topic in item.topics)
    inside = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    note = shown_text(item.note, item.language)
    below = f"<DD>{html.escape(note)}\n" if note else ""
    return (
        f"    <DT><A {inside}>{html.escape(shown_text(item.title, item.language) or title_of(item.url))}</A>\n{below}"
    )


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every bookmark; raises `ExchangeError` if the file has neither a link nor a list."""
    lines = Lines(stream)
    page = _Bookmarks()
    for token in tokens(lines):
        if isinstance(token, str):
            page.text(token)
        elif isinstance(token, UnclosedTag):
            yield Skipped(token.line, "", Text("A tag is not closed."))
        else:
            yield from page.tag(token)
    yield from page.finish()
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))
    if not page.is_bookmarks:
        raise ExchangeError(Text("There are no bookmarks in this file."))


class _Bookmarks:
    """The state of the parser: open folders, and the bookmark being read. Texts are capped at `LONGEST_TEXT`."""

    def __init__(self) -> None:
        self.is_bookmarks = False
        self._folders: list[str | None] = []  # None: a list without a name
        self._too_deep = 0  # lists below `DEEPEST`
        self._next_folder: str | None = None
        self._link: Tag | None = None
        self._title = self._note = ""
        self._is_browser_folder = False  # of the folder whose name is being read
        self._part = ""  # the element being read: h3, a, dd
        self._parts: list[str] = []
        self._size = 0

    def text(self, text: str) -> None:
        if self._part and self._size <= LONGEST_TEXT:
            self._parts.append(text)
            self._size += len(text)

    def tag(self, tag: Tag) -> Iterator[Item | Skipped]:
        name = tag.name
        if name == "a" and self._part != "dd" and "href" in tag.attributes:  # a link inside a note is part of the note
            yield from self.finish()
            self.is_bookmarks = True
            self._link = tag
            self._begin("a")
        elif name in ("dt", "h3", "dl", "/dl"):
            yield from self.finish()
            self._list(tag)
        elif name == "dd" and self._link:
            self._end()
            self._begin("dd")
        elif name in ("/a", "/h3", "/dd") and self._part == name[1:]:
            self._end()
        elif name in ("br", "p", "/p"):
            self.text("\n")

    def finish(self) -> Iterator[Item | Skipped]:
        """Yields the bookmark that was being read, if any."""
        self._end()
        link, self._link = self._link, None
        if link:
            yield from _item(link, self._title, self._note, [name for name in self._folders if name])
        self._title = self._note = ""

    def _list(self, tag: Tag) -> None:
        if tag.name == "h3":
            self._is_browser_folder = any(tag.attributes.get(name, "").lower() == "true" for name in _BROWSER_FOLDERS)
            self._begin("h3")
        elif tag.name == "dl":
            self.is_bookmarks = True
            if len(self._folders) < DEEPEST:
                self._folders.append(self._next_folder)
            else:
                self._too_deep += 1
            self._next_folder = None
        elif tag.name == "/dl" and self._too_deep:
            self._too_deep -= 1
        elif tag.name == "/dl" and self._folders:
            self._folders.pop()

    def _begin(self, part: str) -> None:
        self._part, self._parts, self._size = part, [], 0

    def _end(self) -> None:
        text = unescaped("".join(self._parts)).strip()
        if self._part == "a":
            self._title = " ".join(text.split())
        elif self._part == "dd":
            self._note = text
        elif self._part == "h3":
            self._next_folder = None if self._is_browser_folder else " ".join(text.split())
        self._begin("")


def _item(link: Tag, title: str, note: str, folders: list[str]) -> Iterator[Item | Skipped]:
    attributes = link.attributes
    description = None
    if match := _LINKDING_NOTES.search(note):
        description, note = note[: match.start()].strip() or None, match[1].strip()
    tags = [tag.strip() for tag in attributes.get("tags", "").split(",")]
    added = attributes.get("add_date") or attributes.get("time_added", "")
    try:
        date, bad_date = parse_timestamp(added), None
    except BadDate:
        date, bad_date = None, added
    raw = {
        "url": attributes["href"],
        "title": "" if title == " ".join(title_of(attributes["href"]).split()) else title,
        "note": note,
        "description": description,
        "topics": list(dict.fromkeys(topic for topic in [*folders, *tags] if topic)),
        "label": {"1": "amber", "0": "green"}.get(attributes.get("private", "")),
        "shares": [] if date is None else [{"sent_at": date}],
    }
    yield from validate(raw, link.line)
    if bad_date is not None:
        why = Text("Imported without the date “{date}”: unknown format", date=excerpt(bad_date))
        yield Skipped(link.line, safe_address(attributes["href"]), why)
