"""A tolerant HTML tokenizer: splits tags and text like a browser (HTML, 13.2.5), in linear time.

The standard library's parser, lxml and selectolax need seconds to minutes for some inputs of 100 kB. Here the pattern
of a tag only fails if the buffer ends before the tag. Then the buffer is doubled before the next attempt, so the cost
of all attempts is proportional to the input.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from html import unescape
from html.entities import html5
from typing import NamedTuple

LONGEST_TAG = 1_000_000  # characters; attributes may contain whole images
_CHUNK = 65_536  # characters that are read at once, unless a text is longer
_LONGEST_MARK = 32  # characters; any marker that begins or ends a token is shorter

_TEXT_OR_TAG = re.compile(
    r"""(?:[^<]++|<(?![A-Za-z/!?]|\Z))++
      | <(/?[A-Za-z][^\s/>]*+)
        ((?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+)|(?!\s*+=)))*+)>""",
    re.VERBOSE | re.ASCII,
)
_DECLARATION = re.compile(r"<(?:!--|[!?]|/(?![A-Za-z]|\Z))")
# Applied to the attributes of a match above, in which every quote is closed.
_ATTRIBUTE = re.compile(r"""([^\s/][^\s/=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|(\S*+)))?+""", re.ASCII)
_NAMED_REFERENCE = re.compile(r"&([A-Za-z][A-Za-z0-9]*+[;=]?)")
# No such character exists; `html.unescape` raises on numbers of more than 4,300 digits.
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{1000,}+;?")


class Tag(NamedTuple):
    """`name` in lower case, with the slash of an end tag; attributes by lower-case name, with entities decoded."""

    name: str
    line: int
    attributes: dict[str, str]


class UnclosedTag(NamedTuple):
    """A tag that is not closed, or not within `LONGEST_TAG` characters, and all the `text` from there on."""

    text: str
    line: int


def tokens(texts: Iterable[str], raw: Collection[str] = ()) -> Iterator[Tag | UnclosedTag | str]:
    """Splits HTML into tags and the text between them, in pieces of any length. Entities in text are not decoded.

    `texts`: the parts of one document; its lines count from 1. Comments and declarations are dropped. The content of
    elements named in `raw` is text up to their end tag.
    """
    buffer = _Buffer(texts)
    while buffer.filled():
        line = buffer.line
        if match := _TEXT_OR_TAG.match(buffer.read, buffer.at):
            buffer.take(match.end())
            if match[1]:
                name = match[1].lower()
                yield Tag(name, line, _attributes(match[2]) if match[2] and name[0] != "/" else {})
                if name in raw:
                    yield from filter(None, buffer.before(rf"(?ai:</{name}(?=[\s/>]))"))
            else:
                yield match[0]
        elif match := _DECLARATION.match(buffer.read, buffer.at):
            end = "-->" if match[0] == "<!--" else ">"
            buffer.take(buffer.at + 2)  # `<!-->` is a complete comment
            deque(buffer.before(end), maxlen=0)
            buffer.take(buffer.at + len(end))
        elif len(buffer.read) - buffer.at > LONGEST_TAG or not buffer.read_on():
            rest = buffer.take(len(buffer.read))
            yield rest if rest in ("<", "</") else UnclosedTag(rest, line)


def unescaped(text: str) -> str:
    """Decodes the entities of a text. Never raises."""
    return unescape(_ENDLESS_NUMBER.sub("\ufffd", text)) if "&" in text else text


class _Buffer:
    """The part of the document that was `read`. Position `at`, in `line`, is the first that was not consumed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self.read = ""
        self.at = 0
        self.line = 1

    def filled(self) -> bool:
        """Whether there is more input; reads enough to recognise the next token."""
        return len(self.read) - self.at >= _LONGEST_MARK or self.read_on() or self.at < len(self.read)

    def take(self, end: int) -> str:
        text = self.read[self.at : end]
        self.line += text.count("\n")
        self.at = end
        return text

    def before(self, mark: str) -> Iterator[str]:
        """Consumes the text before a pattern, or up to the end, in pieces."""
        pattern = re.compile(mark)
        while not (match := pattern.search(self.read, self.at)):
            yield self.take(max(self.at, len(self.read) - _LONGEST_MARK))
            if not self.read_on():
                yield self.take(len(self.read))
                return
        yield self.take(match.start())

    def read_on(self) -> bool:
        """Doubles the part that was not consumed, by a chunk at least. False at the end of input."""
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
        if "&" in value:  # a reference without a semicolon counts as text before a letter, a digit or `=`
            value = unescaped(_NAMED_REFERENCE.sub(_unless_parameter, value))
        attributes.setdefault(name.lower(), value)
    return attributes


def _unless_parameter(reference: re.Match[str]) -> str:
    """Escapes `&section` of `&section=2`, which is a parameter of an address and not the character `&sect`."""
    return reference[0] if reference[1] in html5 else f"&amp;{reference[1]}"
