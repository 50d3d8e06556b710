"""Which of the entries that match is best? Pure: the words of an entry and of a question in, a number out.

For each thing that is asked, the best place it stands counts, times how rare it is on the shelves that may be seen:

    title 10 · topics 6 · the sharers' words 4 · what the page says of itself 3 · the address 1.5

as it is written 1 · another form of the word (stem) 0.6 · the same idea in other words (concept) 0.8 · its beginning
0.7. What stands best in one of these other ways and is also written somewhere as it is asked counts 15 % more. Short
titles count a little more than long ones; the whole question as it stands in the title a quarter more.

Then gently: recommended +10 %, pinned +25 %, found useful +8 % for each doubling of the people (at most +30 %), shared
lately up to +15 %, half of it gone after a year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from bot.api import Row
from plugins.knowledge.index.thesaurus import LOOSE, token
from plugins.knowledge.search.query_parser import Unit
from plugins.knowledge.text.folding import joined

PLACES: Mapping[str, float] = {"title": 10, "topics": 6, "notes": 4, "about": 3, "address": 1.5}
EXACT, STEM, CONCEPT, PREFIX = 1.0, 0.6, 0.8, 0.7
ALSO_WRITTEN = 1.15
COMMON = 0.7  # how much everyday words count beside others
LEVELS = {"1": 8.0, "2": 3.5}  # of stems and concepts: in title or topics, and elsewhere
STRONGEST_STEM = 10 * STEM
YEAR = 365 * 86_400_000

_NAMES, _WEIGHTS = tuple(PLACES), tuple(PLACES.values())
_columns = itemgetter(*PLACES)
END = "\t"  # of a column
Needles = tuple[str, ...]
"""Words with a space on each side: how they stand in a text."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unit, how rare it is (`idf`), and what it is recognised by in the columns of an entry.

    `exact`: for each of its words the ways to write it, each way being all of some needles. `forms`: for each of its
    words, itself and its other forms; `stems` and `concepts` by level. `entries`: how many have it, as far as counts
    tell; 0 if none has. `density`: which part of what may be seen has it; None if nothing is counted. `few`: hardly any
    that may be seen has it, as far as counts tell; `rare`: nor any other; `open`: most of what has it may be seen.
    """

    unit: Unit
    entries: int
    idf: float
    exact: tuple[tuple[Needles, ...], ...]
    forms: tuple[Needles, ...]
    stems: tuple[tuple[str, tuple[Needles, ...]], ...] = ()
    concepts: tuple[tuple[str, Needles], ...] = ()
    beginning: str = ""
    density: float | None = None
    few: bool = False
    rare: bool = False
    open: bool = False


def wanted(unit: Unit, entries: int, of: int) -> Wanted:
    """`entries` of the `of` that may be seen have it."""
    idf = max(math.log(1 + (of - entries + 0.5) / (entries + 0.5)) if of >= entries else 0.1, 0.1)
    if unit.concepts and all(concept.startswith(LOOSE) for concept in unit.concepts):
        idf *= COMMON
    if unit.phrase:
        phrase = _needle(" ".join(parts[0] for parts in unit.words))
        return Wanted(unit, entries, idf, (((phrase,),),), ())
    words = [(unit.words[place], unit.stems[place] if place < len(unit.stems) else ()) for place in unit.telling]
    forms = [(parts[0], *stems) if len(parts) == 1 else (joined(parts),) for parts, stems in words]
    tokens = [token(concept) for concept in unit.concepts]
    return Wanted(
        unit=unit,
        entries=entries,
        idf=idf,
        exact=tuple(_ways(parts) for parts, _ in words),
        forms=tuple(tuple(map(_needle, (*some, *unit.beginnings))) for some in forms),
        stems=tuple((level, tuple(tuple(_needle(level + one) for one in some) for some in forms)) for level in LEVELS),
        concepts=tuple((level, tuple(_needle(level + one) for one in tokens)) for level in LEVELS if tokens),
        beginning=f" {joined(unit.words[-1])}" if unit.prefix else "",
    )


def _ways(parts: tuple[str, ...]) -> tuple[Needles, ...]:
    if len(parts) == 1:
        return ((_needle(parts[0]),),)
    return ((_needle(joined(parts)),), tuple(map(_needle, parts)))


def _needle(word: str) -> str:
    return f" {word} "


class Score(NamedTuple):
    """`covered` is the share of the question (by rarity) the entry has, from 0 to 1; `places` where each unit was
    found best: a column, `=` before it for a concept; "" for nowhere."""

    value: float
    covered: float
    places: tuple[str, ...]


def score(row: Row, asked: Sequence[Wanted], now: int) -> Score:
    """How good an entry is. `row` has its columns of `entries` and of `entry_words`."""
    # All places in one text: with a space at the beginning and the end of each, and `END` between two.
    text, stems, concepts = f" {f' {END} '.join(_columns(row))} ", f" {row['stems']} ", f" {row['concepts']} "
    total = covered = whole = 0.0
    places = []
    for one in asked:
        strength, place = _found(one, text, stems, concepts)
        whole += one.idf
        if strength:
            covered += one.idf
            total += strength * one.idf
        places.append(place)
    if whole:
        total /= whole
    if total:
        total *= _title(asked, text[: text.index(END)])
    return Score((total or 1.0) * _gently(row, now), covered / whole if whole else 1.0, tuple(places))


def _found(one: Wanted, text: str, stems: str, concepts: str) -> tuple[float, str]:
    """How strongly an entry has a unit, and where it stands best."""
    best, place = 0.0, ""
    column = _written(one, text)
    if column is not None:
        best, place = _WEIGHTS[column] * EXACT, _NAMES[column]
    if column == 0 or one.unit.phrase:
        return best, place
    if one.beginning and (column := _first((one.beginning,), text)) is not None and _WEIGHTS[column] * PREFIX > best:
        best, place = _WEIGHTS[column] * PREFIX, _NAMES[column]
    for level, tokens in one.concepts:
        strength = LEVELS[level] * CONCEPT
        if strength > best and _first(tokens, concepts) is not None:
            best, place = strength, "=title" if level == "1" else "=notes"
    if best < STRONGEST_STEM:
        strength, where = _by_stems(one, text, stems)
        if strength > best:
            best, place = strength, where
    if column is not None and best > _WEIGHTS[column]:
        best *= ALSO_WRITTEN
    return best, place


def _written(one: Wanted, text: str) -> int | None:
    """The first column in which all of its words stand, each in one of the ways to write it."""
    if len(one.exact) == 1 and len(one.exact[0]) == 1:  # one word, or a phrase
        return _first(one.exact[0][0], text)
    for column, words in enumerate(text.split(END)):
        if all(any(all(needle in words for needle in way) for way in ways) for ways in one.exact):
            return column
    return None


def _first(needles: Needles, text: str) -> int | None:
    """The first column that has one of them."""
    found = -1
    for needle in needles:
        at = text.find(needle) if found < 0 else text.find(needle, 0, found)
        if at >= 0:
            found = at
    return text.count(END, 0, found) if found >= 0 else None


def _by_stems(one: Wanted, text: str, stems: str) -> tuple[float, str]:
    """The weakest of its words counts: all must be there in some form."""
    weakest, place = math.inf, ""
    for number, forms in enumerate(one.forms):
        strength, where = 0.0, ""
        if (column := _first(forms, text)) is not None:
            strength, where = _WEIGHTS[column], _NAMES[column]
        for level, needles in one.stems:
            if LEVELS[level] > strength and _first(needles[number], stems) is not None:
                strength, where = LEVELS[level], "title" if level == "1" else "notes"
        if strength < weakest:
            weakest, place = strength, where
        if not strength:
            break
    return (weakest * STEM, place) if 0 < weakest < math.inf else (0.0, "")


def _title(asked: Sequence[Wanted], title: str) -> float:
    factor = 1 / (1 + 0.02 * max(0, title.count(" ") - 6))
    if len(asked) > 1 or (asked and len(asked[0].unit.words) > 1):
        whole = " ".join(part for one in asked for parts in one.unit.words for part in parts)
        if f" {whole} " in title:
            factor *= 1.25
    return factor


def _gently(row: Row, now: int) -> float:
    factor = 1.0
    if row["recommended"]:
        factor *= 1.10
    if row["pinned"]:
        factor *= 1.25
    if row["votes"]:
        factor *= min(1.30, 1 + 0.08 * math.log2(1 + row["votes"]))
    if row["shared_at"]:
        factor *= 1 + 0.15 * 0.5 ** (max(0, now - row["shared_at"]) / YEAR)
    return factor
