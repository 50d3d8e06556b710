"""What is nearest to a question that nothing answers? Something to read, and which part of the question it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import combinations
from typing import NamedTuple

from bot.api import SyncReader
from plugins.knowledge.index.thesaurus import Thesaurus
from plugins.knowledge.search import engine
from plugins.knowledge.search.engine import Hit
from plugins.knowledge.search.query_parser import Question, with_filters
from plugins.knowledge.store.access import Sight
from plugins.knowledge.views import load
from plugins.knowledge.views.load import Entry


class Why(Enum):
    WORDS = auto()  # they have some of its words, whatever its filters
    FILTERS = auto()  # they answer some of its filters
    GOOD = auto()  # nothing has anything of it: they are recommended, pinned or found useful
    NEW = auto()  # nor is anything of that: they were shared last


class Nearest(NamedTuple):
    """Entries, `why` them, and what they answer of the question."""

    entries: Sequence[Entry]
    why: Why
    question: Question

    @property
    def hits(self) -> Sequence[Hit]:
        return [Hit(entry.id, entry.resource, 0.0) for entry in self.entries]


def nearest(
    db: SyncReader, sight: Sight, within: Sight, question: Question, topics: Sequence[str], now: int, *,
    terms: Thesaurus, count: int,
) -> Nearest:  # fmt: skip
    """`sight` is all that may be seen here, `within` that of the hub the question names; `topics` as in search.find."""

    def loaded(hits: Sequence[Hit]) -> Sequence[Entry]:
        return load.load(db, sight, [hit.id for hit in hits[:count]])

    def found(seen: Sight, asked: Question) -> Sequence[Entry]:
        return loaded(engine.find(db, seen, asked, topics if asked.topic else (), now, terms=terms).hits)

    if hits := engine.closest(db, sight, question, now, terms=terms, limit=count):
        return Nearest(loaded(hits), Why.WORDS, question)
    for names in _fewer(question):
        asked = with_filters(question, names)
        if entries := found(within if asked.hub else sight, asked):
            return Nearest(entries, Why.FILTERS, asked)
    useful = found(sight, Question(sort="useful"))
    if good := [entry for entry in useful if entry.curated or entry.pinned or entry.votes]:
        return Nearest(good, Why.GOOD, Question())
    new = Question(sort="new", filters={"sort": "new"})
    return Nearest(found(sight, new), Why.NEW, Question())


def _fewer(question: Question) -> Iterator[Sequence[str]]:
    """Fewer and fewer of its filters: all if it has words, too; all but one, those it names first before others; then
    each alone."""
    names = [name for name in question.filters if name != "sort"]
    most = len(names) if question.units else len(names) - 1
    for size in sorted({most, len(names) - 1, 1} & set(range(1, most + 1)), reverse=True):
        yield from combinations(names, size)
