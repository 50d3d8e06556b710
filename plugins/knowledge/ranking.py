"""Which of the entries that match is best? Pure: the words of an entry and of a question in, a number out.

For each thing that is asked, the best place it stands counts, times how rare it is on the shelves that may be seen:

    title 10 · topics 6 · the sharers' words 4 · what the page says of itself 3 · the address 1.5

as it is written 1 · another form of the word (stem) 0.6 · the same idea in other words (concept) 0.8 · its beginning
0.7. Short titles count a little more than long ones; the whole question as it stands in the title a quarter more.

Then gently: recommended +10 %, pinned +25 %, found useful +8 % for each doubling of the people (at most +30 %), shared
lately up to +15 %, half of it gone after a year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row
from plugins.knowledge.asking import Unit
from plugins.knowledge.making import SEEN
from plugins.knowledge.text import joined
from plugins.knowledge.thesaurus import token

PLACES: Mapping[str, float] = {"title": 10, "topics": 6, "notes": 4, "about": 3, "address": 1.5}
EXACT, STEM, CONCEPT, PREFIX = 1.0, 0.6, 0.8, 0.7
LEVELS = {"1": 8.0, "2": 3.5}  # of stems and concepts: in title or topics, and elsewhere
YEAR = 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unit, how rare it is (`idf`), and what it may be recognised by."""

    unit: Unit
    idf: float
    concepts: frozenset[str]


def wanted(unit: Unit, entries: int, of: int) -> Wanted:
    """`entries` of the `of` that may be seen have it."""
    idf = math.log(1 + (of - entries + 0.5) / (entries + 0.5)) if of >= entries else 0.1
    return Wanted(unit, max(idf, 0.1), frozenset(map(token, unit.concepts)))


@dataclass(frozen=True, slots=True)
class Score:
    """`covered` is the share of the question (by rarity) the entry has, from 0 to 1; `places` where each unit was
    found best: a column, `=` before it for a concept; "" for nowhere."""

    value: float
    covered: float
    places: tuple[str, ...]


def score(row: Row, asked: Sequence[Wanted], now: int) -> Score:
    """How good an entry is. `row` has the columns of `entry_words` and `entries`."""
    columns = {name: row[name].split() for name in SEEN}
    texts = {name: set(words) for name, words in columns.items()}
    stems, concepts = set(row["stems"].split()), set(row["concepts"].split())
    total = covered = whole = 0.0
    places = []
    for one in asked:
        strength, place = _found(one, row, texts, stems, concepts)
        whole += one.idf
        if strength:
            covered += one.idf
            total += strength * one.idf
        places.append(place)
    if whole:
        total /= whole
    if total:
        total *= _title(asked, row["title"], len(columns["title"]))
    return Score((total or 1.0) * _gently(row, now), covered / whole if whole else 1.0, tuple(places))


def _found(
    wanted: Wanted, row: Row, texts: Mapping[str, set[str]], stems: set[str], concepts: set[str]
) -> tuple[float, str]:
    """How strongly an entry has a unit, and where."""
    unit = wanted.unit
    best, place = 0.0, ""
    if unit.phrase:
        phrase = f" {' '.join(parts[0] for parts in unit.words)} "
        for name, weight in PLACES.items():
            if weight > best and phrase in f" {row[name]} ":
                best, place = weight, name
        return best, place
    telling = unit.telling
    for name, weight in PLACES.items():
        if weight > best and all(_has(texts[name], unit.words[number]) for number in telling):
            best, place = weight * EXACT, name
        elif unit.prefix and weight * PREFIX > best:
            start = joined(unit.words[-1])
            if any(word.startswith(start) for word in texts[name]):
                best, place = weight * PREFIX, name
    for level, weight in LEVELS.items():
        if weight * CONCEPT > best and any(level + concept in concepts for concept in wanted.concepts):
            best, place = weight * CONCEPT, "=title" if level == "1" else "=notes"
    if not best or place not in ("title", "topics"):
        strength, where = _by_stems(unit, telling, texts, stems)
        if strength > best:
            best, place = strength, where
    return best, place


def _by_stems(unit: Unit, telling: Sequence[int], texts: Mapping[str, set[str]], stems: set[str]) -> tuple[float, str]:
    """The weakest of its words counts: all must be there in some form."""
    weakest, place = math.inf, ""
    for number in telling:
        if len(unit.words[number]) > 1:
            forms: tuple[str, ...] = (joined(unit.words[number]),)
        else:
            forms = (unit.words[number][0], *(unit.stems[number] if number < len(unit.stems) else ()))
        strength, where = 0.0, ""
        for name, weight in PLACES.items():
            if weight > strength and not texts[name].isdisjoint(forms):
                strength, where = weight, name
        for level, weight in LEVELS.items():
            if weight > strength and any(level + form in stems for form in forms):
                strength, where = weight, "title" if level == "1" else "notes"
        if strength < weakest:
            weakest, place = strength, where
    return (weakest * STEM, place) if 0 < weakest < math.inf else (0.0, "")


def _has(words: set[str], parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return parts[0] in words
    return joined(parts) in words or all(part in words for part in parts)


def _title(asked: Sequence[Wanted], title: str, length: int) -> float:
    factor = 1 / (1 + 0.02 * max(0, length - 5))
    if len(asked) > 1 or (asked and len(asked[0].unit.words) > 1):
        whole = " ".join(part for one in asked for parts in one.unit.words for part in parts)
        if f" {whole} " in f" {title} ":
            factor *= 1.25
    return factor


def _gently(row: Row, now: int) -> float:
    factor = 1.0
    if row["curated"]:
        factor *= 1.10
    if row["pinned"]:
        factor *= 1.25
    if row["votes"]:
        factor *= min(1.30, 1 + 0.08 * math.log2(1 + row["votes"]))
    if row["shared_at"]:
        factor *= 1 + 0.15 * 0.5 ** (max(0, now - row["shared_at"]) / YEAR)
    return factor
