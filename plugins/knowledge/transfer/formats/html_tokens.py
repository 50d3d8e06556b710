"""Tags and texts of an HTML file, in one pass: every character is looked at a fixed number of times, whatever it says.

Neither the standard library's parser nor lxml or selectolax can promise that (they need seconds to minutes for some
files of 100 kB), and bookmark files are no proper HTML anyway.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plugins.knowledge.transfer.formats.decoding import Lines

LONGEST_TAG = 1_000_000  # characters; icons stand in attributes
_CHUNK = 65_536  # characters that are read at once, or one line

_ENDS_OR_QUOTES = re.compile(r">|=\s*+([\"'])")
_IS_TAG = re.compile(r"<(?:/?[A-Za-z]|[!?])")
_MAY_BE_TAG = re.compile(r"<(?=/?(?:[A-Za-z]|\Z)|[!?])")  # at the end of what was read, who knows
_NAME = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*+)(?=[\s/>])")
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'<>/=])([^\s\"'<>/=]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]*+))",
)
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{8,}+;?")  # int() refuses thousands of digits


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` in lower case, after `</` with a slash before it; attributes by their names in lower case."""

    name: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endless:
    """A tag that does not end within `LONGEST_TAG` characters or before the end of the file; it was passed over."""

    line: int


def tokens(lines: Lines) -> Iterator[Tag | Endless | str]:
    """Texts (with entities still in them, in pieces of any length) and tags. Comments and declarations are left out."""
    page = _Page(lines)
    while page.filled(1):
        line = page.line
        if text := page.text():
            yield text
        elif page.begins("<!--"):
            page.pass_over("-->")
        elif not _IS_TAG.match(page.ahead(3)):
            yield page.take(1)
        elif (tag := page.tag()) is None:
            yield Endless(line)
        elif match := _NAME.match(tag):
            yield Tag(match[1] + match[2].lower(), line, _attributes(tag[match.end() :]))


class _Page:
    """What was read and not yet looked at. `line` is where it begins."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._text = ""
        self._at = 0
        self.line = lines.number + 1

    def filled(self, count: int) -> bool:
        """Whether there are so many characters; reads on if need be."""
        while len(self._text) - self._at < count:
            if not self._read_on():
                return False
        return True

    def ahead(self, count: int) -> str:
        self.filled(count)
        return self._text[self._at : self._at + count]

    def begins(self, mark: str) -> bool:
        return self.ahead(len(mark)) == mark

    def take(self, count: int) -> str:
        taken = self._text[self._at : self._at + count]
        self._at += len(taken)
        self.line += taken.count("\n")
        return taken

    def text(self) -> str:
        """What stands before the next tag, or before the end of what was read."""
        match = _MAY_BE_TAG.search(self._text, self._at)
        return self.take((match.start() if match else len(self._text)) - self._at)

    def pass_over(self, mark: str) -> None:
        """Goes behind the mark, or to the end."""
        while (end := self._text.find(mark, self._at)) < 0:
            self.take(len(self._text) - self._at - len(mark) + 1)
            if not self._read_on():
                self.take(len(mark))
                return
        self.take(end + len(mark) - self._at)

    def tag(self) -> str | None:
        """From `<` to the `>` that is in no quoted value; None if there is none."""
        looked_at, quote = 1, ""
        while True:
            start = self._at + looked_at
            if quote:
                end = self._text.find(quote, start)
                found, ends, opened = end >= 0, end + 1, ""
            else:
                match = _ENDS_OR_QUOTES.search(self._text, start)
                found, ends, opened = bool(match), match.end() if match else 0, (match[1] or "") if match else ""
            if found and not quote and not opened:
                return self.take(ends - self._at)
            if found:
                looked_at, quote = ends - self._at, opened
                continue
            unread = self._text.rstrip()  # an `=` at the end may be followed by its quote
            looked_at = len(self._text) - self._at
            if not quote and unread.endswith("="):
                looked_at = max(1, len(unread) - 1 - self._at)
            if len(self._text) - self._at > LONGEST_TAG or not self._read_on():
                self.take(len(self._text) - self._at)
                return None

    def _read_on(self) -> bool:
        parts: list[str] = []
        size = 0
        for line in self._lines:
            parts.append(line)
            size += len(line)
            if size >= _CHUNK:
                break
        self._text = self._text[self._at :] + "".join(parts)
        self._at = 0
        return bool(parts)


def unescaped(text: str) -> str:
    """The text with its entities read. Never raises."""
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        found.setdefault(match[1].lower(), unescaped(match[2] or match[3] or match[4] or ""))
    return found
