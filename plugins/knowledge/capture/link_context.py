"""Which words of a message belong to which of its links?

With one link, all words are its own. With several:

- A message is taken apart into paragraphs; those with several links into the items of a list, then into lines, then
  into what stands between the links of a line. A part with one link is that link's own.
- Words between parts with links go with the links that follow, as titles and headings do: up to the next such words. If
  what is taken apart begins with a link, they go with the links before them. So do the last ones, after which no link
  comes.
- Words that go with one link are its own, too; those that go with several are shared by them.
- A line is taken apart only if each of its links has something to say; else they all have the whole line.

Hashtags belong to the link of their paragraph if it has one; else to the links of their line; on a line without a link
to all.

In the text each link is a mark (`mark`): one where its address stood, one on each side of words that were made a link.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from plugins.knowledge.capture import labels
from plugins.knowledge.text.folding import EMPTY, fold, written

# One character for each link, from a plane of Unicode that is for private use: there are fewer links in 64 KiB.
MARK = "[\U000f0000-\U000ffffd]"
BULLET = r"[^\S\n]{0,9}+(?:[-*+•·‣◦▪–—]|[0-9]{1,3}+[.)])(?:[^\S\n]++|$)"
_MARKS = re.compile(MARK)
_BETWEEN = re.compile(f"({MARK})")
_PARAGRAPH = re.compile(r"\n[^\S\n]*+\n\s*+")
_CUTS = (_PARAGRAPH, re.compile(rf"\n(?={BULLET})"), re.compile(r"\n"))
_SHORT = 3  # letters of words that do not say what a link is about


@dataclass(slots=True)
class Beside:
    """The words of one link, with marks in them."""

    own: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    hashtags: tuple[str, ...] = ()


def mark(number: int) -> str:
    """The mark of a link, counted from 0."""
    return chr(0xF0000 + number)


def without_marks(text: str) -> str:
    return _MARKS.sub("", text)


def beside(text: str) -> Mapping[str, Beside]:
    """What stands beside each link of a text, by its mark."""
    found: dict[str, Beside] = defaultdict(Beside)
    _deal(text, found, _CUTS)
    for link, words in _hashtags(text).items():
        found[link].hashtags = tuple(dict.fromkeys(words))[: labels.MOST_HASHTAGS]
    return found


def _deal(text: str, found: Mapping[str, Beside], cuts: Sequence[re.Pattern[str]]) -> None:
    links = _links(text)
    if len(links) > 1 and cuts:
        for group in _groups(list(_cut(text, cuts[0]))):
            _share(group, found, cuts[1:])
        return
    if len(links) > 1:
        groups = _groups(list(_between(text)))
        if all(_says_something(group) for group in groups):
            for group in groups:
                _share(group, found, ())
            return
    for link in links:
        found[link].own.append(text)


def _share(group: Sequence[str], found: Mapping[str, Beside], cuts: Sequence[re.Pattern[str]]) -> None:
    """Deals out what goes together."""
    whole = "".join(group)
    links = _links(whole)
    if len(links) == 1:
        found[links[0]].own.append(whole)
        return
    if words := "".join(part for part in group if not _MARKS.search(part)):
        for link in links:
            found[link].shared.append(words)
    for part in group:
        _deal(part, found, cuts)


def _groups(parts: Sequence[str]) -> list[Sequence[str]]:
    """Words with the links they go with; parts without words go with any."""
    parts = _filled(parts)
    linked = [bool(_MARKS.search(part)) for part in parts]
    starts = [place for place in range(1, len(parts)) if linked[place - 1] != linked[place] == linked[0]]
    if starts and not any(linked[starts[-1] :]):
        starts.pop()  # the last words
    return [parts[start:end] for start, end in zip([0, *starts], [*starts, len(parts)], strict=True)]


def _filled(parts: Sequence[str]) -> list[str]:
    """Without parts that have neither a link nor a word, such as the commas between links."""
    return [part for part in parts if _MARKS.search(part) or any(map(str.isalnum, part))]


def _cut(text: str, cut: re.Pattern[str]) -> Iterator[str]:
    """The parts of a text; what is cut at stays with the part before."""
    start = 0
    for match in cut.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


def _between(line: str) -> Iterator[str]:
    """The links of a line, each with the words that were made this link, and the words between them."""
    words, *rest = _BETWEEN.split(line)
    yield words
    linked = ""
    for place in range(0, len(rest), 2):
        linked += rest[place]
        if rest[place + 2 : place + 3] == [rest[place]]:
            linked += rest[place + 1]
        else:
            yield linked
            yield rest[place + 1]
            linked = ""


def _says_something(group: Sequence[str]) -> bool:
    words = written(without_marks("".join(group)))
    return any(len(word) > _SHORT and fold(word) not in EMPTY for word in words)


def _hashtags(text: str) -> Mapping[str, list[str]]:
    links = _links(text)
    if len(links) == 1:
        return {links[0]: [*labels.hashtags(without_marks(text))]}
    found: dict[str, list[str]] = {link: [] for link in links}
    for_all: list[str] = []
    for paragraph in _cut(text, _PARAGRAPH):
        for line in [paragraph] if len(_links(paragraph)) == 1 else paragraph.split("\n"):
            tags = labels.hashtags(without_marks(line))
            of_line = _links(line)
            for link in of_line:
                found[link] += tags
            if not of_line:
                for_all += tags
    for of_link in found.values():
        of_link += dict.fromkeys(for_all)
    return found


def _links(text: str) -> list[str]:
    return list(dict.fromkeys(_MARKS.findall(text)))
