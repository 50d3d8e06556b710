"""Bookmarks as HTML, `<!DOCTYPE NETSCAPE-Bookmark-file-1>`: what browsers, Shaarli and linkding export and import.

Written and read again survive: the address, one title, one note, the topics (a comma in one becomes a space), the date
of the first share (in seconds), and `amber` (as `PRIVATE="1"`). White space round texts is lost; so is everything else.
A link without a title is called by what its address says, and a title that says no more is not read as one.

Read are, besides: folders, as topics (not the browser's own, as its toolbar); `<DD>` as the note, where linkding marks
its notes they are the note and the rest the description; dates in seconds, milliseconds or microseconds, as the only
share. A link that is private there is `amber` here: shown in the hub it is imported into, and nowhere else.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from bot.api import Text
from plugins.knowledge.text.html_tokens import Endless, Tag, tokens, unescaped
from plugins.knowledge.transfer.formats.dates import BadDate, stamp
from plugins.knowledge.transfer.formats.decoding import Lines
from plugins.knowledge.transfer.formats.item import ExchangeError, Item, Meta, Skipped, first_shared, shown
from plugins.knowledge.transfer.formats.validation import LONGEST_TEXT, admitted, beginning, told
from plugins.knowledge.urls.display import title as title_of

DEEPEST = 20  # folders in folders whose names are topics
_BROWSERS_OWN = ("personal_toolbar_folder", "unfiled_bookmarks_folder")
_LINKDING_NOTES = re.compile(r"\[linkding-notes\](.*)\[/linkding-notes\]", re.DOTALL)
_BEGINS = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<!-- This is an automatically generated file.
     It will be read and overwritten.
     DO NOT EDIT! -->
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>{title}</TITLE>
<H1>{title}</H1>
<DL><p>
"""


def write(items: Iterable[Item], stream: BinaryIO, meta: Meta) -> int:
    """Writes all items and says how many there were."""
    _put(stream, _BEGINS.format(title=html.escape(meta.title)))
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
    note = shown(item.note, item.language)
    below = f"<DD>{html.escape(note)}\n" if note else ""
    return f"    <DT><A {inside}>{html.escape(shown(item.title, item.language) or title_of(item.url))}</A>\n{below}"


def read(stream: BinaryIO) -> Iterator[Item | Skipped]:
    """Yields every bookmark; raises `ExchangeError` if there is not one link nor list in the file."""
    lines = Lines(stream)
    page = _Bookmarks()
    for token in tokens(lines):
        if isinstance(token, str):
            page.text(token)
        elif isinstance(token, Endless):
            yield Skipped(token.line, "", Text("A tag does not end."))
        else:
            yield from page.tag(token)
    yield from page.finished()
    for number in lines.too_long:
        yield Skipped(number, "", Text("The line is too long."))
    if not page.is_bookmarks:
        raise ExchangeError(Text("There are no bookmarks in this file."))


class _Bookmarks:
    """What the file has said so far. Texts are kept while something waits for them, up to what an item may hold."""

    def __init__(self) -> None:
        self.is_bookmarks = False
        self._folders: list[str | None] = []  # None: a list without a name of its own
        self._deeper = 0  # lists below `DEEPEST`
        self._next_folder: str | None = None
        self._link: Tag | None = None
        self._title = self._note = ""
        self._own = False  # the folder whose name is being read is the browser's
        self._part = ""  # what the text belongs to: h3, a, dd
        self._parts: list[str] = []
        self._size = 0

    def text(self, text: str) -> None:
        if self._part and self._size <= LONGEST_TEXT:
            self._parts.append(text)
            self._size += len(text)

    def tag(self, tag: Tag) -> Iterator[Item | Skipped]:
        name = tag.name
        if name == "a" and self._part != "dd" and "href" in tag.attributes:  # one in a note belongs to the note
            yield from self.finished()
            self.is_bookmarks = True
            self._link = tag
            self._begin("a")
        elif name in ("dt", "h3", "dl", "/dl"):
            yield from self.finished()
            self._list(tag)
        elif name == "dd" and self._link:
            self._end()
            self._begin("dd")
        elif name in ("/a", "/h3", "/dd") and self._part == name[1:]:
            self._end()
        elif name in ("br", "p", "/p"):
            self.text("\n")

    def finished(self) -> Iterator[Item | Skipped]:
        """The bookmark that was being read, if any."""
        self._end()
        link, self._link = self._link, None
        if link:
            yield from _item(link, self._title, self._note, [name for name in self._folders if name])
        self._title = self._note = ""

    def _list(self, tag: Tag) -> None:
        if tag.name == "h3":
            self._own = any(tag.attributes.get(name, "").lower() == "true" for name in _BROWSERS_OWN)
            self._begin("h3")
        elif tag.name == "dl":
            self.is_bookmarks = True
            if len(self._folders) < DEEPEST:
                self._folders.append(self._next_folder)
            else:
                self._deeper += 1
            self._next_folder = None
        elif tag.name == "/dl" and self._deeper:
            self._deeper -= 1
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
            self._next_folder = None if self._own else " ".join(text.split())
        self._begin("")


def _item(link: Tag, title: str, note: str, folders: list[str]) -> Iterator[Item | Skipped]:
    said = link.attributes
    description = None
    if match := _LINKDING_NOTES.search(note):
        description, note = note[: match.start()].strip() or None, match[1].strip()
    tags = [tag.strip() for tag in said.get("tags", "").split(",")]
    try:
        date, bad_date = stamp(said.get("add_date", "")), None
    except BadDate:
        date, bad_date = None, said["add_date"]
    raw = {
        "url": said["href"],
        "title": "" if title == " ".join(title_of(said["href"]).split()) else title,
        "note": note,
        "description": description,
        "topics": list(dict.fromkeys(topic for topic in [*folders, *tags] if topic)),
        "label": {"1": "amber", "0": "green"}.get(said.get("private", "")),
        "shares": [] if date is None else [{"sent_at": date}],
    }
    yield from admitted(raw, link.line)
    if bad_date is not None:
        why = Text("Read without its date, which is not understood: {date}", date=beginning(bad_date))
        yield Skipped(link.line, told(said["href"]), why)
