"""What is meant by each thing that is asked, and how much does it count? Words nothing has are taken as beginnings, or
put right (spelling.py); what few entries have counts more."""

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
from plugins.knowledge.search.query_parser import Unit, phrase, single
from plugins.knowledge.search.ranking import Wanted
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import compounds, joined

MISSING = 0.6  # how much a word counts that no entry has in any form: nothing can have all that is asked then
MOST_BEGINNINGS = 24  # words a beginning stands for
RARE = 3  # entries: a word that so few have may be misspelt in them
SHORTEST_BEGINNING = 4  # letters of a word that is in no entry and may be one not finished


class Meant(NamedTuple):
    """The units of a question with how rare they are; `corrected`: words that were put right → as what; `good`: how
    many entries that may be seen are good ones (index/facets.py); `counts`: of words as they were asked."""

    wanted: Sequence[Wanted]
    corrected: Mapping[str, str]
    good: int
    counts: Mapping[str, Count]


def weigh(db: SyncReader, scope: Scope, units: Sequence[Unit], terms: Thesaurus) -> Meant:
    """Words no entry has are taken as beginnings, else as misspelt; ideas no entry speaks of as the broader ones."""
    words = {"=", f"={facets.GOOD}"}
    for unit in units:
        words |= _forms(unit) | _ideas(unit.broader)
    counts = vocabulary.counts(db, words, scope)
    none = Count(0, 0)
    of = counts.get("=", none)
    corrected: dict[str, str] = {}
    elsewhere: set[Unit] = set()  # of which entries may have another form, or the same idea
    weighed = []
    for asked in units:
        unit, found = asked, _of(counts, _forms(asked))
        if not _most(found) and _most(wide := _of(counts, _ideas(asked.broader))):
            unit, found = replace(asked, concepts=asked.broader), wide
        entries = _most(found)
        if len(unit.words) == 1 and (unit.prefix or not entries):
            last = joined(unit.words[0])
            if beginnings := _beginnings(db, scope, unit, last):
                # The words themselves instead of `last*`, for which FTS5 would read every word that begins so.
                unit = replace(unit, beginnings=tuple(beginnings), prefix=False)
                found = [*found, *beginnings.values()]
                entries = max(entries, of.seen // 10, 1)
            elif unit.concepts or _in_another_form(db, scope, unit):
                elsewhere.add(asked)
            elif meant := spelling.meant(db, last, scope, terms.traces):
                corrected[unit.shown] = meant
                unit = single(meant, terms)
                found = list(vocabulary.counts(db, _forms(unit), scope).values())
                entries = _most(found)
        elif unit.phrase and (right := _put_right(db, scope, unit, counts, terms)):
            corrected[unit.shown] = right
            unit = phrase(right)
            found = list(vocabulary.counts(db, _forms(unit), scope).values())
            entries = _most(found)
        elif not entries:
            elsewhere.add(asked)  # words of a term that stand apart are counted nowhere
        weighed.append(_counted(ranking.wanted(unit, entries, of.seen), found, of))
    # How much a word counts that no entry has as it is, its rarity cannot tell: no more than the others.
    most = max((one.idf for one in weighed if one.entries), default=math.inf)
    there = [bool(one.entries or asked in elsewhere) for one, asked in zip(weighed, units, strict=True)]
    wanted = [
        replace(one, idf=min(one.idf, most) * (1 if is_there else MISSING), entries=one.entries or int(is_there))
        for one, is_there in zip(weighed, there, strict=True)
    ]
    return Meant(wanted, corrected, counts.get(f"={facets.GOOD}", none).seen, counts)


def doubtful(db: SyncReader, scope: Scope, meant: Meant, terms: Thesaurus) -> Mapping[str, str]:
    """Words that hardly any entry has, as written → words that far more have (spelling.py), folded."""
    written: dict[str, str] = {}
    for one in meant.wanted:
        unit = one.unit
        # Of others it is known without looking further that they are not rare, or mean something.
        if unit.phrase or (len(unit.words) == 1 and one.entries <= RARE and not (unit.concepts or unit.beginnings)):
            raw = [part.raw for parts in compounds(unit.shown) for part in parts]
            written |= {parts[0]: said for parts, said in zip(unit.words, raw, strict=False) if len(parts) == 1}
    rare = [word for word in written if word in meant.counts and 0 < meant.counts[word].seen <= RARE]
    found = {written[word]: spelling.likelier(db, word, scope, terms.traces) for word in rare}
    return {said: likelier for said, likelier in found.items() if likelier}


def _put_right(db: SyncReader, scope: Scope, unit: Unit, counts: Mapping[str, Count], terms: Thesaurus) -> str | None:
    """A phrase with the words put right that no entry has; None if there are none, or they mean nothing else."""
    words = [part.raw for parts in compounds(unit.shown) for part in parts]
    right = list(words)
    for place in unit.telling:
        word = unit.words[place][0]
        if not (word in counts and counts[word].seen):
            right[place] = spelling.meant(db, word, scope, terms.traces) or right[place]
    return " ".join(right) if right != words else None


def _counted(one: Wanted, found: Sequence[Count], of: Count) -> Wanted:
    """With what is known of all its forms together."""
    if not found:
        return one
    seen, everywhere = sum(count.seen for count in found), sum(count.everywhere for count in found)
    return replace(
        one,
        density=seen / max(of.seen, 1),
        few=seen <= candidates.FEW,
        rare=everywhere <= candidates.FEW,
        open=everywhere <= 2 * seen and of.everywhere <= 2 * of.seen,
    )


def _in_another_form(db: SyncReader, scope: Scope, unit: Unit) -> bool:
    """Whether any entry has another form of the word: then it is no slip."""
    return bool(candidates.newest(db, candidates.Conditions(scope), match([facets.of_scope(scope)], [unit]), most=1))


def _beginnings(db: SyncReader, scope: Scope, unit: Unit, word: str) -> Mapping[str, Count]:
    if unit.prefix or len(word) >= SHORTEST_BEGINNING:
        return vocabulary.beginning(db, word, scope, MOST_BEGINNINGS)
    return {}


def _of(counts: Mapping[str, Count], forms: Iterable[str]) -> list[Count]:
    return [counts[form] for form in forms if form in counts]


def _most(found: Iterable[Count]) -> int:
    return max((count.seen for count in found), default=0)


def _forms(unit: Unit) -> set[str]:
    """What of a unit `vocabulary` may know."""
    found = _ideas(unit.concepts)
    if unit.phrase or len(unit.telling) == 1:
        for place in unit.telling:
            found.add(joined(unit.words[place]))
            found.update(unit.stems[place] if place < len(unit.stems) else ())
    return found


def _ideas(concepts: Sequence[str]) -> set[str]:
    return {f"={token(concept)}" for concept in concepts}
