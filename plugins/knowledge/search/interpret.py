"""Interprets the units of a question against the vocabulary of the scope.

Expands words that no entry has (prefixes, broader concepts), corrects misspelt ones (spelling.py), and weights each
term by inverse document frequency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bot.api import SyncReader
from plugins.knowledge.index import facets, vocabulary
from plugins.knowledge.index.thesaurus import Thesaurus, token
from plugins.knowledge.index.vocabulary import Count
from plugins.knowledge.search import candidates, ranking, spelling
from plugins.knowledge.search.fts_query import match
from plugins.knowledge.search.query_parser import Unit, phrase_unit, word_unit
from plugins.knowledge.search.ranking import QueryTerm
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import compounds, joined

MISSING_WEIGHT = 0.6  # factor for terms that no entry has in any form; there are no full matches then
MOST_BEGINNINGS = 24  # words that a prefix is expanded to
RARE = 3  # entries; a word that no more have may be a misspelling in them
SHORTEST_BEGINNING = 4  # letters; a shorter word that no entry has is not taken as a prefix


class Interpretation(NamedTuple):
    """The weighted terms of a question. `corrected`: misspelt words → corrections. `good_count`: visible entries that
    are good (index/facets.py). `counts`: the entries that have each word as written."""

    terms: Sequence[QueryTerm]
    corrected: Mapping[str, str]
    good_count: int
    counts: Mapping[str, Count]


def interpret(db: SyncReader, scope: Scope, units: Sequence[Unit], thesaurus: Thesaurus) -> Interpretation:
    """Weights units as query terms.

    A word that no entry has is expanded as a prefix, else corrected as a misspelling. Concepts that no entry has are
    replaced by broader ones.
    """
    words = {"=", f"={facets.GOOD}"}
    for unit in units:
        words |= _vocabulary_keys(unit) | _concept_keys(unit.broader)
    counts = vocabulary.counts(db, words, scope)
    no_count = Count(0, 0)
    totals = counts.get("=", no_count)
    corrected: dict[str, str] = {}
    uncounted: set[Unit] = set()  # entries may have other forms or concepts of these
    terms = []
    for original in units:
        unit, form_counts = original, _counts_of(counts, _vocabulary_keys(original))
        if not _highest(form_counts) and _highest(
            broader_counts := _counts_of(counts, _concept_keys(original.broader))
        ):
            unit, form_counts = replace(original, concepts=original.broader), broader_counts
        entries = _highest(form_counts)
        if len(unit.words) == 1 and (unit.prefix or not entries):
            word = joined(unit.words[0])
            if beginnings := _beginnings(db, scope, unit, word):
                # The words themselves instead of `word*`, for which FTS5 would read the list of every word with that
                # prefix.
                unit = replace(unit, beginnings=tuple(beginnings), prefix=False)
                form_counts = [*form_counts, *beginnings.values()]
                entries = max(entries, totals.visible // 10, 1)
            elif unit.concepts or _has_another_form(db, scope, unit):
                uncounted.add(original)
            elif correction := spelling.correct(db, word, scope, thesaurus.trace_index):
                corrected[unit.text] = correction
                unit = word_unit(correction, thesaurus)
                form_counts = list(vocabulary.counts(db, _vocabulary_keys(unit), scope).values())
                entries = _highest(form_counts)
        elif unit.phrase and (corrected_phrase := _correct_phrase(db, scope, unit, counts, thesaurus)):
            corrected[unit.text] = corrected_phrase
            unit = phrase_unit(corrected_phrase)
            form_counts = list(vocabulary.counts(db, _vocabulary_keys(unit), scope).values())
            entries = _highest(form_counts)
        elif not entries:
            uncounted.add(original)  # terms of several words are not in the vocabulary
        terms.append(_with_counts(ranking.query_term(unit, entries, totals.visible), form_counts, totals))
    # The count of 0 says nothing about the rarity of a word: it weighs no more than the rarest of the others.
    highest_idf = max((term.idf for term in terms if term.entries), default=math.inf)
    occurs = [bool(term.entries or original in uncounted) for term, original in zip(terms, units, strict=True)]
    weighted = [
        replace(
            term,
            idf=min(term.idf, highest_idf) * (1 if it_occurs else MISSING_WEIGHT),
            entries=term.entries or int(it_occurs),
        )
        for term, it_occurs in zip(terms, occurs, strict=True)
    ]
    return Interpretation(weighted, corrected, counts.get(f"={facets.GOOD}", no_count).visible, counts)


def suggest_corrections(
    db: SyncReader, scope: Scope, interpretation: Interpretation, thesaurus: Thesaurus
) -> Mapping[str, str]:
    """Rare words, as written → similar words that are far more frequent (spelling.py), folded."""
    as_written: dict[str, str] = {}
    for term in interpretation.terms:
        unit = term.unit
        # Other units are certainly frequent, or known to the thesaurus.
        if unit.phrase or (len(unit.words) == 1 and term.entries <= RARE and not (unit.concepts or unit.beginnings)):
            raw_words = [part.raw for parts in compounds(unit.text) for part in parts]
            as_written |= {
                parts[0]: word for parts, word in zip(unit.words, raw_words, strict=False) if len(parts) == 1
            }
    rare = [
        word for word in as_written if word in interpretation.counts and 0 < interpretation.counts[word].visible <= RARE
    ]
    suggestions = {as_written[word]: spelling.likelier_word(db, word, scope, thesaurus.trace_index) for word in rare}
    return {word: suggestion for word, suggestion in suggestions.items() if suggestion}


def _correct_phrase(
    db: SyncReader, scope: Scope, unit: Unit, counts: Mapping[str, Count], thesaurus: Thesaurus
) -> str | None:
    """A phrase with the words corrected that no entry has; None if nothing could be corrected."""
    words = [part.raw for parts in compounds(unit.text) for part in parts]
    corrected = list(words)
    for position in unit.significant:
        word = unit.words[position][0]
        if not (word in counts and counts[word].visible):
            corrected[position] = spelling.correct(db, word, scope, thesaurus.trace_index) or corrected[position]
    return " ".join(corrected) if corrected != words else None


def _with_counts(term: QueryTerm, form_counts: Sequence[Count], totals: Count) -> QueryTerm:
    """The term with the frequency of all its forms together."""
    if not form_counts:
        return term
    visible, total = sum(count.visible for count in form_counts), sum(count.total for count in form_counts)
    return replace(
        term,
        density=visible / max(totals.visible, 1),
        few=visible <= candidates.FEW_MATCHES,
        rare=total <= candidates.FEW_MATCHES,
        open=total <= 2 * visible and totals.total <= 2 * totals.visible,
    )


def _has_another_form(db: SyncReader, scope: Scope, unit: Unit) -> bool:
    """Whether any entry has another form of the word, which then is no misspelling."""
    return bool(candidates.newest(db, candidates.Conditions(scope), match([facets.of_scope(scope)], [unit]), most=1))


def _beginnings(db: SyncReader, scope: Scope, unit: Unit, word: str) -> Mapping[str, Count]:
    if unit.prefix or len(word) >= SHORTEST_BEGINNING:
        return vocabulary.words_starting_with(db, word, scope, MOST_BEGINNINGS)
    return {}


def _counts_of(counts: Mapping[str, Count], forms: Iterable[str]) -> list[Count]:
    return [counts[form] for form in forms if form in counts]


def _highest(counts: Iterable[Count]) -> int:
    return max((count.visible for count in counts), default=0)


def _vocabulary_keys(unit: Unit) -> set[str]:
    """The keys in the vocabulary that count entries with this unit."""
    keys = _concept_keys(unit.concepts)
    if unit.phrase or len(unit.significant) == 1:
        for position in unit.significant:
            keys.add(joined(unit.words[position]))
            keys.update(unit.stems[position] if position < len(unit.stems) else ())
    return keys


def _concept_keys(concepts: Sequence[str]) -> set[str]:
    return {f"={token(concept)}" for concept in concepts}
