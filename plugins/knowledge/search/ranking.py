"""Scores matching entries. Pure: takes the words of an entry and the terms of a question, returns a number.

Each term scores by its best match, times its inverse document frequency within the scope. A match has the weight of
its column:

    title 10 · topics 6 · the sharers' words 4 · what the page says of itself 3 · the address 1.5

times that of its kind: exact 1 · stem 0.6 · concept (a synonym) 0.8 · prefix 0.7. If the best match is not exact but
the exact word stands somewhere too, it counts 15 % more. Short titles count a little more than long ones; a title with
the whole question counts 25 % more.

Small boosts follow: recommended +10 %, pinned +25 %, +8 % for each doubling of the votes (at most +30 %), recently
shared up to +15 %, with a half-life of one year.
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

COLUMN_WEIGHTS: Mapping[str, float] = {"title": 10, "topics": 6, "notes": 4, "about": 3, "address": 1.5}
EXACT, STEM, CONCEPT, PREFIX = 1.0, 0.6, 0.8, 0.7
ALSO_WRITTEN = 1.15
COMMON = 0.7  # factor for everyday words
LEVELS = {"1": 8.0, "2": 3.5}  # weights of stems and concepts: in title or topics, and elsewhere
STRONGEST_STEM = 10 * STEM
YEAR = 365 * 86_400_000

_NAMES, _WEIGHTS = tuple(COLUMN_WEIGHTS), tuple(COLUMN_WEIGHTS.values())
_columns = itemgetter(*COLUMN_WEIGHTS)
COLUMN_END = "\t"  # of a column
Needles = tuple[str, ...]
"""Words with a space on each side, to be searched as substrings of a column."""


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A unit with its weight (`idf`), and the needles that recognise it in the columns of an entry.

    `exact`: for each word its spellings, each a set of needles that must all occur. `forms`: for each word, itself and
    its stems. `stems`, `concepts`: needles by level. `entries`: the visible entries that have it, by the vocabulary.
    `density`: the part of the visible entries that have it; None if the vocabulary has no count. `few`: few visible
    entries have it; `rare`: few entries of any shelf have it; `open`: most entries that have it are visible.
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


def query_term(unit: Unit, entries: int, total: int) -> QueryTerm:
    """The term for a unit that `entries` of the `total` visible entries have."""
    idf = max(math.log(1 + (total - entries + 0.5) / (entries + 0.5)) if total >= entries else 0.1, 0.1)
    if unit.concepts and all(concept.startswith(LOOSE) for concept in unit.concepts):
        idf *= COMMON
    if unit.phrase:
        phrase = _needle(" ".join(parts[0] for parts in unit.words))
        return QueryTerm(unit, entries, idf, (((phrase,),),), ())
    words = [
        (unit.words[position], unit.stems[position] if position < len(unit.stems) else ())
        for position in unit.significant
    ]
    forms = [(parts[0], *stems) if len(parts) == 1 else (joined(parts),) for parts, stems in words]
    tokens = [token(concept) for concept in unit.concepts]
    return QueryTerm(
        unit=unit,
        entries=entries,
        idf=idf,
        exact=tuple(_ways(parts) for parts, _ in words),
        forms=tuple(tuple(map(_needle, (*alternatives, *unit.beginnings))) for alternatives in forms),
        stems=tuple(
            (level, tuple(tuple(_needle(level + word) for word in alternatives) for alternatives in forms))
            for level in LEVELS
        ),
        concepts=tuple((level, tuple(_needle(level + word) for word in tokens)) for level in LEVELS if tokens),
        beginning=f" {joined(unit.words[-1])}" if unit.prefix else "",
    )


def _ways(parts: tuple[str, ...]) -> tuple[Needles, ...]:
    if len(parts) == 1:
        return ((_needle(parts[0]),),)
    return ((_needle(joined(parts)),), tuple(map(_needle, parts)))


def _needle(word: str) -> str:
    return f" {word} "


class Score(NamedTuple):
    """`covered`: the part of the question that the entry has, by idf, from 0 to 1. `matched_in`: for each term the
    column of its best match, with `=` in front for a concept; "" for no match."""

    value: float
    covered: float
    matched_in: tuple[str, ...]


def score(row: Row, terms: Sequence[QueryTerm], now: int) -> Score:
    """Scores an entry. `row` has its columns of `entries` and `entry_words`."""
    # All columns in one text: a space around each word, and `COLUMN_END` between two columns.
    text, stems, concepts = f" {f' {COLUMN_END} '.join(_columns(row))} ", f" {row['stems']} ", f" {row['concepts']} "
    total = covered = whole = 0.0
    matched_in = []
    for term in terms:
        strength, column = _best_match(term, text, stems, concepts)
        whole += term.idf
        if strength:
            covered += term.idf
            total += strength * term.idf
        matched_in.append(column)
    if whole:
        total /= whole
    if total:
        total *= _title_factor(terms, text[: text.index(COLUMN_END)])
    return Score((total or 1.0) * _popularity_factor(row, now), covered / whole if whole else 1.0, tuple(matched_in))


def _best_match(term: QueryTerm, text: str, stems: str, concepts: str) -> tuple[float, str]:
    """The weight of the best match of a term, and its column."""
    best, column_name = 0.0, ""
    column = _first_exact_column(term, text)
    if column is not None:
        best, column_name = _WEIGHTS[column] * EXACT, _NAMES[column]
    if column == 0 or term.unit.phrase:
        return best, column_name
    if (
        term.beginning
        and (column := _first_column((term.beginning,), text)) is not None
        and _WEIGHTS[column] * PREFIX > best
    ):
        best, column_name = _WEIGHTS[column] * PREFIX, _NAMES[column]
    for level, tokens in term.concepts:
        strength = LEVELS[level] * CONCEPT
        if strength > best and _first_column(tokens, concepts) is not None:
            best, column_name = strength, "=title" if level == "1" else "=notes"
    if best < STRONGEST_STEM:
        strength, stem_column = _stem_match(term, text, stems)
        if strength > best:
            best, column_name = strength, stem_column
    if column is not None and best > _WEIGHTS[column]:
        best *= ALSO_WRITTEN
    return best, column_name


def _first_exact_column(term: QueryTerm, text: str) -> int | None:
    """The first column that has all words of the term, each in one of its spellings."""
    if len(term.exact) == 1 and len(term.exact[0]) == 1:  # one word, or a phrase
        return _first_column(term.exact[0][0], text)
    for column, words in enumerate(text.split(COLUMN_END)):
        if all(any(all(needle in words for needle in way) for way in ways) for ways in term.exact):
            return column
    return None


def _first_column(needles: Needles, text: str) -> int | None:
    """The first column that has one of the needles."""
    first = -1
    for needle in needles:
        position = text.find(needle) if first < 0 else text.find(needle, 0, first)
        if position >= 0:
            first = position
    return text.count(COLUMN_END, 0, first) if first >= 0 else None


def _stem_match(term: QueryTerm, text: str, stems: str) -> tuple[float, str]:
    """The weight of the match by stems: all words must occur in some form, and the weakest one counts."""
    weakest, weakest_column = math.inf, ""
    for number, forms in enumerate(term.forms):
        strength, column_name = 0.0, ""
        if (column := _first_column(forms, text)) is not None:
            strength, column_name = _WEIGHTS[column], _NAMES[column]
        for level, needles in term.stems:
            if LEVELS[level] > strength and _first_column(needles[number], stems) is not None:
                strength, column_name = LEVELS[level], "title" if level == "1" else "notes"
        if strength < weakest:
            weakest, weakest_column = strength, column_name
        if not strength:
            break
    return (weakest * STEM, weakest_column) if 0 < weakest < math.inf else (0.0, "")


def _title_factor(terms: Sequence[QueryTerm], title: str) -> float:
    factor = 1 / (1 + 0.02 * max(0, title.count(" ") - 6))
    if len(terms) > 1 or (terms and len(terms[0].unit.words) > 1):
        whole = " ".join(part for term in terms for parts in term.unit.words for part in parts)
        if f" {whole} " in title:
            factor *= 1.25
    return factor


def _popularity_factor(row: Row, now: int) -> float:
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
