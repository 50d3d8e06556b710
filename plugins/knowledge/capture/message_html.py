"""What does a person see of a message? Its words and links in order, without quotations and code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.knowledge.text.html_tokens import Endless, Tag, tokens, unescaped

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


# What is quoted or code is not the sharer's word, and the content of the others is shown by no client. Details and
# spoilers do count: a reader opens them.
_RAW = frozenset(("script", "style", "textarea"))
_UNSEEN = frozenset(("blockquote", "code", "mx-reply", "pre", *_RAW))
_APART = {"br": "\n", "img": " ", "td": " ", "th": " "}  # what stands for them; other tags part paragraphs
_INLINE_TAGS = {"b", "del", "em", "font", "i", "ins", "s", "span", "strike", "strong", "sub", "sup", "u", "wbr"}


def _formatted(html: str) -> Iterator[Piece]:
    hidden: Counter[str] = Counter()
    href: str | None = None
    seen: list[str] = []
    broken = False  # after <br>, where the source often goes on in a new line
    for token in tokens([html], raw=_RAW):
        if isinstance(token, Tag):
            name = token.name.removeprefix("/")
            if name in _UNSEEN:
                hidden[name] = max(0, hidden[name] + (1 if token.name == name else -1))
            elif any(hidden.values()):
                continue
            elif name == "a":
                if seen or href:
                    yield Piece("".join(seen), href)
                seen, href = [], token.attributes.get("href")
            else:
                seen.append("" if name in _INLINE_TAGS else _APART.get(name, "\n\n"))
            broken = name == "br"
        elif not any(hidden.values()):
            text = token.text if isinstance(token, Endless) else token  # what only looks like a tag is text, too
            seen.append(unescaped(text.removeprefix("\n") if broken else text))
            broken = False
    if seen or href:
        yield Piece("".join(seen), href)
