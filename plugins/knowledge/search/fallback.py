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
from plugins.knowledge.store.access import Scope
from plugins.knowledge.store.pages import IDS, as_list


class Why(Enum):
    WORDS = auto()  # they have some of its words, whatever its filters
    FILTERS = auto()  # they answer some of its filters
    GOOD = auto()  # nothing has anything of it: they are recommended, pinned or found useful
    NEW = auto()  # nor is anything of that: they were shared last


class Nearest(NamedTuple):
    """Entries, `why` them, and what they answer of the question."""

    hits: Sequence[Hit]
    why: Why
    question: Question


def nearest(
    db: SyncReader, scope: Scope, within: Scope, question: Question, topics: Sequence[str], now: int, *,
    terms: Thesaurus, count: int,
) -> Nearest:  # fmt: skip
    """`scope` is all that may be seen here, `within` that of the hub the question names; `topics` as in engine.find."""

    def answers(seen: Scope, asked: Question) -> Sequence[Hit]:
        return engine.find(db, seen, asked, topics if asked.topic else (), now, terms=terms).hits[:count]

    if hits := engine.closest(db, scope, question, now, terms=terms, limit=count):
        return Nearest(hits, Why.WORDS, question)
    for names in _fewer(question):
        asked = with_filters(question, names)
        if hits := answers(within if asked.hub else scope, asked):
            return Nearest(hits, Why.FILTERS, asked)
    if good := _good(db, answers(scope, Question(sort="useful"))):
        return Nearest(good, Why.GOOD, Question())
    new = Question(sort="new", filters={"sort": "new"})
    return Nearest(answers(scope, new), Why.NEW, Question())


def _good(db: SyncReader, hits: Sequence[Hit]) -> Sequence[Hit]:
    """Those that are recommended, pinned or found useful."""
    rows = db.rows(
        f"SELECT id FROM knowledge_entries WHERE id IN {IDS} AND (recommended = 1 OR pinned = 1 OR votes > 0)",
        ids=as_list([hit.id for hit in hits]),
    )
    good = {row["id"] for row in rows}
    return [hit for hit in hits if hit.id in good]


def _fewer(question: Question) -> Iterator[Sequence[str]]:
    """Fewer and fewer of its filters: all if it has words, too; all but one, those it names first before others; then
    each alone."""
    names = [name for name in question.filters if name != "sort"]
    most = len(names) if question.units else len(names) - 1
    for size in sorted({most, len(names) - 1, 1} & set(range(1, most + 1)), reverse=True):
        yield from combinations(names, size)
