"""Assigns the words of a message to its links.

A single link gets all the words. With several links:

- The message is split into paragraphs; a part that still has several links is split into list items, then lines, then
  the text between the links of a line. A part with one link belongs to that link.
- Text between such parts belongs to the links after it, as a heading does, up to the next such text. If the text that
  is split begins with a link, it belongs to the links before it instead. So does trailing text with no link after it.
- Text that belongs to one link is its own; text that belongs to several is shared by them.
- A line is split only if every link on it gets meaningful words; else each link gets the whole line.

A hashtag belongs to the link of its paragraph if there is exactly one; else to the links of its line; on a line without
a link, to all links.

The text holds a mark (`mark`) for each link: one in place of a bare address, or one on each side of a link text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from plugins.knowledge.capture import labels
from plugins.knowledge.text.folding import STOP_WORDS, fold, raw_words

# One character per link, from a private-use plane of Unicode: large enough for all links in 64 KiB.
MARK = "[\U000f0000-\U000ffffd]"
BULLET = r"[^\S\n]{0,9}+(?:[-*+•·‣◦▪–—]|[0-9]{1,3}+[.)])(?:[^\S\n]++|$)"
_MARKS = re.compile(MARK)
_BETWEEN = re.compile(f"({MARK})")
_PARAGRAPH = re.compile(r"\n[^\S\n]*+\n\s*+")
_SEPARATORS = (_PARAGRAPH, re.compile(rf"\n(?={BULLET})"), re.compile(r"\n"))
_LONGEST_FILLER = 3  # letters; shorter words do not say what a link is about


@dataclass(slots=True)
class LinkContext:
    """The words of one link, still with marks: its own, and those it shares with other links."""

    own: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    hashtags: tuple[str, ...] = ()


def mark(number: int) -> str:
    """The mark of a link, counted from 0."""
    return chr(0xF0000 + number)


def without_marks(text: str) -> str:
    return _MARKS.sub("", text)


def link_contexts(text: str) -> Mapping[str, LinkContext]:
    """The context of each link of a text, by its mark."""
    contexts: dict[str, LinkContext] = defaultdict(LinkContext)
    _assign(text, contexts, _SEPARATORS)
    for link, hashtags in _hashtags(text).items():
        contexts[link].hashtags = tuple(dict.fromkeys(hashtags))[: labels.MOST_HASHTAGS]
    return contexts


def _assign(text: str, contexts: Mapping[str, LinkContext], separators: Sequence[re.Pattern[str]]) -> None:
    links = _links(text)
    if len(links) > 1 and separators:
        for group in _grouped(list(_split_at(text, separators[0]))):
            _assign_group(group, contexts, separators[1:])
        return
    if len(links) > 1:
        groups = _grouped(list(_split_between_links(text)))
        if all(_has_content(group) for group in groups):
            for group in groups:
                _assign_group(group, contexts, ())
            return
    for link in links:
        contexts[link].own.append(text)


def _assign_group(
    group: Sequence[str], contexts: Mapping[str, LinkContext], separators: Sequence[re.Pattern[str]]
) -> None:
    """Assigns the parts of a group to its links."""
    whole = "".join(group)
    links = _links(whole)
    if len(links) == 1:
        contexts[links[0]].own.append(whole)
        return
    if words := "".join(part for part in group if not _MARKS.search(part)):
        for link in links:
            contexts[link].shared.append(words)
    for part in group:
        _assign(part, contexts, separators)


def _grouped(parts: Sequence[str]) -> list[Sequence[str]]:
    """Groups text with the links it belongs to."""
    parts = _without_empty(parts)
    linked = [bool(_MARKS.search(part)) for part in parts]
    starts = [index for index in range(1, len(parts)) if linked[index - 1] != linked[index] == linked[0]]
    if starts and not any(linked[starts[-1] :]):
        starts.pop()  # trailing text
    return [parts[start:end] for start, end in zip([0, *starts], [*starts, len(parts)], strict=True)]


def _without_empty(parts: Sequence[str]) -> list[str]:
    """Drops parts with neither a link nor a word, such as commas between links."""
    return [part for part in parts if _MARKS.search(part) or any(map(str.isalnum, part))]


def _split_at(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    """Splits a text; each separator stays at the end of the part before it."""
    start = 0
    for match in separator.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


def _split_between_links(line: str) -> Iterator[str]:
    """Splits a line into its links, each with its link text, and the text between them."""
    words, *rest = _BETWEEN.split(line)
    yield words
    linked = ""
    for index in range(0, len(rest), 2):
        linked += rest[index]
        if rest[index + 2 : index + 3] == [rest[index]]:
            linked += rest[index + 1]
        else:
            yield linked
            yield rest[index + 1]
            linked = ""


def _has_content(group: Sequence[str]) -> bool:
    words = raw_words(without_marks("".join(group)))
    return any(len(word) > _LONGEST_FILLER and fold(word) not in STOP_WORDS for word in words)


def _hashtags(text: str) -> Mapping[str, list[str]]:
    links = _links(text)
    if len(links) == 1:
        return {links[0]: [*labels.hashtags(without_marks(text))]}
    by_link: dict[str, list[str]] = {link: [] for link in links}
    unassigned: list[str] = []
    for paragraph in _split_at(text, _PARAGRAPH):
        for line in [paragraph] if len(_links(paragraph)) == 1 else paragraph.split("\n"):
            tagged = labels.hashtags(without_marks(line))
            line_links = _links(line)
            for link in line_links:
                by_link[link] += tagged
            if not line_links:
                unassigned += tagged
    for link_hashtags in by_link.values():
        link_hashtags += dict.fromkeys(unassigned)
    return by_link


def _links(text: str) -> list[str]:
    return list(dict.fromkeys(_MARKS.findall(text)))
