"""Tags and texts of HTML, split as a browser's tokenizer splits them (HTML, 13.2.5), in linear time.

The standard library's parser, lxml and selectolax need seconds to minutes for some inputs of 100 kB. Here the pattern
of a tag fails only if the text ends before the tag. Then the unread part is doubled before the next try, so the cost of
all tries stays in proportion to the input.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from html import unescape
from html.entities import html5
from typing import NamedTuple

LONGEST_TAG = 1_000_000  # characters; icons stand in attributes
_CHUNK = 65_536  # characters that are read at once, or one text
_LONGEST_MARK = 32  # characters that tell what begins, or end a comment or raw text

_TEXT_OR_TAG = re.compile(
    r"""(?:[^<]++|<(?![A-Za-z/!?]|\Z))++
      | <(/?[A-Za-z][^\s/>]*+)
        ((?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+)|(?!\s*+=)))*+)>""",
    re.VERBOSE | re.ASCII,
)
_DECLARATION = re.compile(r"<(?:!--|[!?]|/(?![A-Za-z]|\Z))")
# In the attributes that a match above gives, so that every quote has its end.
_ATTRIBUTE = re.compile(r"""([^\s/][^\s/=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|(\S*+)))?+""", re.ASCII)
_NAMED_REFERENCE = re.compile(r"&([A-Za-z][A-Za-z0-9]*+[;=]?)")
# Far beyond the last character there is; `html.unescape` raises on numbers of more than 4,300 digits.
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{1000,}+;?")


class Tag(NamedTuple):
    """`name` in lower case, with the slash of an end tag; attributes by their names in lower case, entities read."""

    name: str
    line: int
    attributes: dict[str, str]


class Endless(NamedTuple):
    """A tag without an end, or with none within `LONGEST_TAG` characters, and the `text` from there on."""

    text: str
    line: int


def tokens(texts: Iterable[str], raw: Collection[str] = ()) -> Iterator[Tag | Endless | str]:
    """Tags, and the texts between them with entities unread, in pieces of any length.

    `texts` are the parts of one HTML document, whose lines count from 1. Comments and declarations are left out. The
    content of elements named in `raw` is text up to their end tag.
    """
    page = _Page(texts)
    while page.filled():
        line = page.line
        if match := _TEXT_OR_TAG.match(page.read, page.at):
            page.take(match.end())
            if match[1]:
                name = match[1].lower()
                yield Tag(name, line, _attributes(match[2]) if match[2] and name[0] != "/" else {})
                if name in raw:
                    yield from filter(None, page.before(rf"(?ai:</{name}(?=[\s/>]))"))
            else:
                yield match[0]
        elif match := _DECLARATION.match(page.read, page.at):
            end = "-->" if match[0] == "<!--" else ">"
            page.take(page.at + 2)  # `<!-->` is a whole comment
            deque(page.before(end), maxlen=0)
            page.take(page.at + len(end))
        elif len(page.read) - page.at > LONGEST_TAG or not page.read_on():
            rest = page.take(len(page.read))
            yield rest if rest in ("<", "</") else Endless(rest, line)


def unescaped(text: str) -> str:
    """The text with its entities read. Never raises."""
    return unescape(_ENDLESS_NUMBER.sub("\ufffd", text)) if "&" in text else text


class _Page:
    """What was `read`; from `at` on, in `line`, it was not yet taken."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self.read = ""
        self.at = 0
        self.line = 1

    def filled(self) -> bool:
        """Whether there is more; if so, enough to tell what begins there."""
        return len(self.read) - self.at >= _LONGEST_MARK or self.read_on() or self.at < len(self.read)

    def take(self, end: int) -> str:
        text = self.read[self.at : end]
        self.line += text.count("\n")
        self.at = end
        return text

    def before(self, mark: str) -> Iterator[str]:
        """The text before a pattern, or before the end, in pieces."""
        pattern = re.compile(mark)
        while not (match := pattern.search(self.read, self.at)):
            yield self.take(max(self.at, len(self.read) - _LONGEST_MARK))
            if not self.read_on():
                yield self.take(len(self.read))
                return
        yield self.take(match.start())

    def read_on(self) -> bool:
        """Reads as much again as was not taken, and no less than a chunk. False at the end."""
        parts = [self.read[self.at :]]
        missing = max(_CHUNK, len(parts[0]))
        for text in self._texts:
            parts.append(text)
            missing -= len(text)
            if missing <= 0:
                break
        self.read, self.at = "".join(parts), 0
        return len(parts) > 1


def _attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        if "&" in value:  # only a name with its semicolon stands for a character before more of a word, or before `=`
            value = unescaped(_NAMED_REFERENCE.sub(_unless_parameter, value))
        attributes.setdefault(name.lower(), value)
    return attributes


def _unless_parameter(reference: re.Match[str]) -> str:
    """`&section=2` in an address is a parameter, not the character `&sect`."""
    return reference[0] if reference[1] in html5 else f"&amp;{reference[1]}"
