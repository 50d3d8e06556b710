"""What does a person see of a message? Its words and links in order, without quotations and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

LONGEST = 65_536  # characters of a body that are read: a Matrix event has no more bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `href` is where it leads if it is the text of a link."""

    text: str
    href: str | None = None


def pieces(body: str, html: str | None) -> list[Piece]:
    """What is seen of a message with this plain body and this formatted one, if it has one."""
    return list(_formatted(html[:LONGEST]) if html and html.strip() else _plain(body[:LONGEST]))


# Code as CommonMark 0.31 has it (4.5, 6.1), but never inside a word: many keyboards write l`intégrité.
_FENCE = re.compile(r" {0,3}+(?P<fence>`{3,}+|~{3,}+)(?P<info>.*)")
_INLINE = re.compile(r"(?<![\w`])(`{1,3}+)([^`]{1,2000}+)\1(?![\w`])")
_SPAN = "```"
_QUOTED = re.compile(r" {0,3}+>")


def _plain(body: str) -> Iterator[Piece]:
    fence = ""
    in_span = False
    lines = []
    said = body.split("\n")
    last = max((place for place, line in enumerate(said) if _SPAN in line), default=-1)
    for place, line in enumerate(said):
        found = None if in_span else _FENCE.match(line)
        if fence:
            if found and found["fence"].startswith(fence) and not found["info"].strip():
                fence = ""
        elif found and not ("`" in found["fence"] and "`" in found["info"]):
            fence = found["fence"]
        elif in_span or not _QUOTED.match(line):
            lines.append(line)
            if line.count(_SPAN) % 2:  # it begins behind words, and ends in a later line
                in_span = not in_span and place < last
    yield Piece(_INLINE.sub(" ", "\n".join(lines)))


_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]{0,30}+)
        (?P<attributes>(?:[^<>"']{1,4096}+|"[^"]{0,4096}+"|'[^']{0,4096}+'){0,64}+)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s=>"'/]++)(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s>"']++)))?"""
)
# Far beyond the last character there is; `html.unescape` raises on numbers of more than 4,300 digits.
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{1000,}+;?")
# What is quoted or code is not the sharer's word, and the content of the others is shown by no client. Details and
# spoilers do count: a reader opens them.
_UNSEEN = frozenset(("blockquote", "code", "mx-reply", "pre", "script", "style", "textarea"))
_APART = {"br": "\n", "img": " ", "td": " ", "th": " "}  # what stands for them; other tags part paragraphs
_INLINE_TAGS = {"b", "del", "em", "font", "i", "ins", "s", "span", "strike", "strong", "sub", "sup", "u", "wbr"}


def _formatted(html: str) -> Iterator[Piece]:
    """Pieces of a `formatted_body`. Tags are read one by one with bounded patterns: the standard library's parser
    needs quadratic time on hostile input."""
    hidden = dict.fromkeys(_UNSEEN, 0)
    href: str | None = None
    seen: list[str] = []
    broken = False  # after <br>, where the source often goes on in a new line
    for text, tag in _tokens(html):
        name = tag["name"].lower() if tag else ""
        ends = bool(tag and tag["end"])
        if name in hidden:
            hidden[name] = max(0, hidden[name] + (-1 if ends else 1))
        elif any(hidden.values()):
            continue
        elif name == "a":
            if seen or href:
                yield Piece("".join(seen), href)
            seen, href = [], None if ends else _href(tag)
        elif name:
            seen.append("" if name in _INLINE_TAGS else _APART.get(name, "\n\n"))
        else:
            seen.append(_unescaped(text.removeprefix("\n") if broken else text))
        broken = name == "br"
    if seen or href:
        yield Piece("".join(seen), href)


def _tokens(html: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Texts and tags in order; comments are left out, and what only looks like a tag is text."""
    position = 0
    while position < len(html):
        start = html.find("<", position)
        if start < 0:
            start = len(html)
        if start > position:
            yield html[position:start], None
        if html.startswith("<!--", start):
            end = html.find("-->", start + 2)  # `<!-->` is a whole comment (HTML, 13.2.5.43)
            position = len(html) if end < 0 else end + 3
        elif tag := _TAG.match(html, start):
            yield "", tag
            position = tag.end()
        else:
            yield html[start : start + 1], None
            position = start + 1


def _unescaped(text: str) -> str:
    return unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def _href(tag: re.Match[str] | None) -> str | None:
    for attribute in _ATTRIBUTE.finditer(tag["attributes"] if tag else ""):
        if attribute["name"].lower() == "href":
            value = attribute["double"] or attribute["single"] or attribute["bare"] or ""
            return _unescaped(value).strip()
    return None
