"""Suggests results for a question that has none, and says which part of the question they match."""

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


class Reason(Enum):
    WORDS = auto()  # match some of its words; filters are ignored
    FILTERS = auto()  # match some of its filters
    GOOD = auto()  # match nothing of it, but are recommended, pinned or found useful
    NEW = auto()  # the newest; there is nothing better


class Fallback(NamedTuple):
    """Suggested entries, the `reason` for them, and the part of the question that they match."""

    hits: Sequence[Hit]
    reason: Reason
    question: Question


def find_fallback(
    db: SyncReader, scope: Scope, within: Scope, question: Question, topics: Sequence[str], now: int, *,
    thesaurus: Thesaurus, count: int,
) -> Fallback:  # fmt: skip
    """Relaxes a question step by step until something matches.

    `scope` is all that the asker may see, `within` the part of the hub that the question names; `topics` as in
    `engine.find`.
    """

    def answers(searched: Scope, relaxed: Question) -> Sequence[Hit]:
        topics_ = topics if relaxed.topic else ()
        return engine.find(db, searched, relaxed, topics_, now, thesaurus=thesaurus).hits[:count]

    if hits := engine.closest(db, scope, question, now, thesaurus=thesaurus, limit=count):
        return Fallback(hits, Reason.WORDS, question)
    for names in _relaxed_filters(question):
        relaxed = with_filters(question, names)
        if hits := answers(within if relaxed.hub else scope, relaxed):
            return Fallback(hits, Reason.FILTERS, relaxed)
    if good := _only_good(db, answers(scope, Question(sort="useful"))):
        return Fallback(good, Reason.GOOD, Question())
    new = Question(sort="new", filters={"sort": "new"})
    return Fallback(answers(scope, new), Reason.NEW, Question())


def _only_good(db: SyncReader, hits: Sequence[Hit]) -> Sequence[Hit]:
    """The hits that are recommended, pinned or found useful."""
    rows = db.rows(
        f"SELECT id FROM knowledge_entries WHERE id IN {IDS} AND (recommended = 1 OR pinned = 1 OR votes > 0)",
        ids=as_list([hit.id for hit in hits]),
    )
    good = {row["id"] for row in rows}
    return [hit for hit in hits if hit.id in good]


def _relaxed_filters(question: Question) -> Iterator[Sequence[str]]:
    """Ever smaller sets of the filters: all of them if the question also has words, then all but one, then each alone;
    sets with the filters named first come first."""
    names = [name for name in question.filters if name != "sort"]
    most = len(names) if question.units else len(names) - 1
    for size in sorted({most, len(names) - 1, 1} & set(range(1, most + 1)), reverse=True):
        yield from combinations(names, size)
