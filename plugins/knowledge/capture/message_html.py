"""Extracts the visible text and links of a message, in order, without quotations and code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.knowledge.text.html_tokens import Tag, UnclosedTag, tokens, unescaped

LONGEST = 65_536  # characters that are read of a body; a Matrix event has no more bytes


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text; `href` is set if it is the text of a link."""

    text: str
    href: str | None = None


def text_runs(body: str, html: str | None) -> list[TextRun]:
    """The visible text of a message: of the formatted body if there is one, else of the plain body."""
    return list(_html_runs(html[:LONGEST]) if html and html.strip() else _plain_runs(body[:LONGEST]))


# Code as CommonMark 0.31 has it (4.5, 6.1), but never inside a word: many keyboards write l`intégrité.
_FENCE = re.compile(r" {0,3}+(?P<fence>`{3,}+|~{3,}+)(?P<info>.*)")
_INLINE = re.compile(r"(?<![\w`])(`{1,3}+)([^`]{1,2000}+)\1(?![\w`])")
_SPAN = "```"
_QUOTED = re.compile(r" {0,3}+>")


def _plain_runs(body: str) -> Iterator[TextRun]:
    fence = ""
    in_span = False
    kept = []
    lines = body.split("\n")
    last = max((number for number, line in enumerate(lines) if _SPAN in line), default=-1)
    for number, line in enumerate(lines):
        match = None if in_span else _FENCE.match(line)
        if fence:
            if match and match["fence"].startswith(fence) and not match["info"].strip():
                fence = ""
        elif match and not ("`" in match["fence"] and "`" in match["info"]):
            fence = match["fence"]
        elif in_span or not _QUOTED.match(line):
            kept.append(line)
            if line.count(_SPAN) % 2:  # a code span that ends on a later line
                in_span = not in_span and number < last
    yield TextRun(_INLINE.sub(" ", "\n".join(kept)))


# Quotations and code are not the sharer's own words, and clients do not show the content of the others. Details and
# spoilers do count: readers can open them.
_RAW_TEXT = frozenset(("script", "style", "textarea"))
_SKIPPED = frozenset(("blockquote", "code", "mx-reply", "pre", *_RAW_TEXT))
_SEPARATORS = {"br": "\n", "img": " ", "td": " ", "th": " "}  # replacements; all other tags separate paragraphs
_INLINE_TAGS = {"b", "del", "em", "font", "i", "ins", "s", "span", "strike", "strong", "sub", "sup", "u", "wbr"}


def _html_runs(html: str) -> Iterator[TextRun]:
    skipped: Counter[str] = Counter()
    href: str | None = None
    texts: list[str] = []
    after_break = False  # after <br>, the source often has a line break, too
    for token in tokens([html], raw=_RAW_TEXT):
        if isinstance(token, Tag):
            name = token.name.removeprefix("/")
            if name in _SKIPPED:
                skipped[name] = max(0, skipped[name] + (1 if token.name == name else -1))
            elif any(skipped.values()):
                continue
            elif name == "a":
                if texts or href:
                    yield TextRun("".join(texts), href)
                texts, href = [], token.attributes.get("href")
            else:
                texts.append("" if name in _INLINE_TAGS else _SEPARATORS.get(name, "\n\n"))
            after_break = name == "br"
        elif not any(skipped.values()):
            text = token.text if isinstance(token, UnclosedTag) else token  # an unclosed tag is shown as text
            texts.append(unescaped(text.removeprefix("\n") if after_break else text))
            after_break = False
    if texts or href:
        yield TextRun("".join(texts), href)
