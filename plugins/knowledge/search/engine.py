"""Which entries answer a question, best first? What is meant (interpret.py) is looked for (candidates.py), and what
is found is ranked (ranking.py)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from bot.api import Row, SyncReader
from plugins.knowledge.index import facets
from plugins.knowledge.index.thesaurus import Thesaurus
from plugins.knowledge.search import candidates, ranking
from plugins.knowledge.search.fts_query import match
from plugins.knowledge.search.interpret import doubtful, weigh
from plugins.knowledge.search.query_parser import Question, put_right, spoken
from plugins.knowledge.search.ranking import Score, Wanted
from plugins.knowledge.store.access import Scope
from plugins.knowledge.store.pages import digest
from plugins.knowledge.store.tlp import AMBER, GREEN

ALIKE = 0.2  # of an entry's words, by rarity, that one like it must have
ENOUGH = 0.5  # of a question, by rarity, that an entry must have to be shown as matching in part
EQUAL = 1  # places of a value that count where results are compared with those of other hubs
MOST_LISTED = 200  # of what is asked for without words


class Hit(NamedTuple):
    """An entry that answers: its id and page, how well, where each unit of the question was found, and whether it has
    all of it."""

    id: int
    page: str
    score: float
    places: tuple[str, ...] = ()
    full: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question. `question` is what was searched in the end; `corrected` the words it was put right in:
    as written → as searched; `doubtful` words that are searched as they are, → what may be meant instead. `complete`:
    there is no other; else there may be."""

    question: Question
    hits: Sequence[Hit]
    corrected: Mapping[str, str]
    complete: bool = True
    doubtful: Mapping[str, str] = field(default_factory=dict)


def find(
    db: SyncReader,
    scope: Scope,
    question: Question,
    topics: Sequence[str],
    now: int,
    *,
    terms: Thesaurus,
    limit: int = 10,
    most: int = candidates.POOL,
) -> Found:
    """Best first, those that have all that is asked before those that have some.

    `topics` are the ids the question's topic may mean. `limit`: where so many have all of it, those that have some are
    not looked for. `most`: so many of each kind are weighed (candidates.py); the more, the longer it takes.
    """
    if not scope.shelves:
        return Found(question, (), {})
    conditions = candidates.Conditions(scope, candidates.facets_of(db, question, topics, now), question, most)
    if question.key:
        return Found(question, _page(db, scope, question.key), {})
    if not question.units:
        hits, complete = _listed(db, conditions, question, now)
        return Found(question, hits, {}, complete)
    meant = weigh(db, scope, question.units, terms)
    weighed, corrected = meant.wanted, meant.corrected
    if corrected:  # words put right may be terms together
        weighed = weigh(db, scope, put_right(question, corrected, terms), terms).wanted
    units = tuple(one.unit for one in weighed)
    question = replace(question, units=units)
    hits, complete = list[Hit](), True
    if all(one.entries for one in weighed):
        rows, complete = candidates.candidates(db, conditions, weighed, meant.good, now)
        hits = _ranked(scope, rows, weighed, question.sort, now)
    if len(hits) < limit and len(units) > 1:
        seen = {hit.page for hit in hits}
        some, these_too = candidates.in_part(db, conditions, weighed)
        complete = complete and these_too
        partly = [
            hit._replace(full=False)
            for hit in _ranked(scope, some, weighed, question.sort, now, ENOUGH)
            if hit.page not in seen
        ]
        hits += partly
    doubted = {} if corrected else doubtful(db, scope, meant, terms)
    return Found(question, hits, corrected, complete, doubted)


def _ranked(
    scope: Scope, rows: Sequence[Row], weighed: Sequence[Wanted], sort: str | None, now: int, covered: float = 0.0
) -> list[Hit]:
    own = {shelf.id for shelf in scope.own}
    scored = []
    for row in rows:
        found = ranking.score(row, weighed, now)
        if found.covered >= covered or _has_most(found):
            scored.append((_order(row, found, sort, row["shelf"] in own), row, found))
    scored.sort(key=itemgetter(0), reverse=True)
    # One page is one result, whoever else shared it: the best of its entries.
    best: dict[int, Hit] = {}
    for _, row, found in scored:
        if row["page"] not in best:
            best[row["page"]] = Hit(row["id"], row["page"], found.value, found.places)
    return list(best.values())


def _has_most(score: Score) -> bool:
    """More than half of what was asked, whatever its weight."""
    return 2 * sum(map(bool, score.places)) > len(score.places)


def _order(row: Row, score: Score, sort: str | None, own: bool) -> tuple[float, ...]:
    """Of two that are equally good, but for some days, that of the asker's own hub comes first."""
    if sort == "new":
        return (row["shared_at"] or 0, own, score.value, row["id"])
    if sort == "useful":
        return (row["votes"], row["pinned"], row["recommended"], round(score.value, EQUAL), own, score.value, row["id"])
    value = score.value * (0.3 + 0.7 * score.covered)
    return (round(value, EQUAL), own, value, row["shared_at"] or 0, row["id"])


def _page(db: SyncReader, scope: Scope, key: str) -> Sequence[Hit]:
    """The entries of one page."""
    rows = db.rows(
        f"""SELECT e.id, p.key AS page FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
        WHERE p.key = :key AND {Scope.WHERE} ORDER BY NOT {Scope.OWN}, e.id""",
        key=digest(key),
        **scope.params,
    )
    return _once(rows)


def _listed(
    db: SyncReader, conditions: candidates.Conditions, question: Question, now: int
) -> tuple[Sequence[Hit], bool]:
    """What filters alone ask for, the newest first; whether that is all."""
    most = max(MOST_LISTED, conditions.most)
    if set(question.filters) == {"sort"} and question.sort == "new":
        recent = _recent(db, conditions.scope, most)
        each = Counter(row["shelf"] for row in recent)
        return _once(recent), len(recent) < most and max(each.values(), default=0) < _of_one(conditions.scope, most)
    sort = question.sort or "new"
    wanted = conditions.facets_for(())
    ids = candidates.newest(db, conditions, match(wanted, (), question.without), most=most)
    complete = len(ids) < most
    if not complete:
        first = [facets.GOOD] if sort == "useful" else candidates.of_first(sort, now)
        ids += candidates.newest(db, conditions, match([*wanted, first], (), question.without), most=most)
    return _ranked(conditions.scope, candidates.words_of(db, ids), (), sort, now), complete


def _recent(db: SyncReader, scope: Scope, most: int, since: int = 0) -> Sequence[Row]:
    """What was shared last, whenever it was shared first: read from each shelf's own order."""
    return _of_each_shelf(db, scope, "e.shared_at >= :since", "e.shared_at DESC, e.id DESC", most, since)


def _of_one(scope: Scope, most: int) -> int:
    """How many are taken of one shelf, if `most` are taken of all."""
    return most // min(4, max(1, len(scope.shelves)))


def _of_each_shelf(db: SyncReader, scope: Scope, which: str, order: str, most: int, since: int) -> Sequence[Row]:
    """The first entries of all shelves in an order that each shelf has an index for; not too many of one shelf."""
    return db.rows(
        f"""SELECT e.id, e.shelf, p.key AS page, e.votes, e.shared_at FROM json_each(:shelves) s
        CROSS JOIN knowledge_entries e ON e.id IN
        (SELECT e.id FROM knowledge_entries e WHERE e.shelf = s.value ->> 0 AND e.label <= s.value ->> 1
        AND e.hidden = 0
        AND {which} ORDER BY {order} LIMIT :each)
        CROSS JOIN knowledge_pages p ON p.id = e.id ORDER BY {order} LIMIT :most""",
        shelves=json.dumps([(shelf.id, AMBER if shelf in scope.own else GREEN) for shelf in scope.shelves]),
        each=_of_one(scope, most),
        most=most,
        since=since,
    )


def _once(rows: Sequence[Row]) -> list[Hit]:
    """Entries in their order; of those of one page the first."""
    found: dict[str, Hit] = {}
    for row in rows:
        found.setdefault(row["page"], Hit(row["id"], row["page"], 0.0))
    return list(found.values())


def similar(db: SyncReader, scope: Scope, entry: int, text: str, now: int, *, terms: Thesaurus) -> Sequence[Hit]:
    """Entries that speak of the same things as this one, whose title and topics are `text`."""
    weighed = weigh(db, scope, spoken(text, terms), terms).wanted
    some, _ = candidates.in_part(db, candidates.Conditions(scope), weighed)
    hits = _ranked(scope, some, weighed, None, now, ALIKE)
    own = db.value("SELECT key FROM knowledge_pages WHERE id = :entry", entry=entry)
    return [hit for hit in hits if hit.page != own]


def closest(
    db: SyncReader, scope: Scope, question: Question, now: int, *, terms: Thesaurus, limit: int
) -> Sequence[Hit]:
    """For a question nothing answers: entries that have any of its words, whatever its filters were."""
    if not question.units or not scope.shelves:
        return ()
    words = [spoken(unit.shown, terms) if unit.phrase else [unit] for unit in question.units]
    weighed = weigh(db, scope, list(dict.fromkeys(chain.from_iterable(words))), terms).wanted
    some, _ = candidates.in_part(db, candidates.Conditions(scope), weighed)
    return _ranked(scope, some, weighed, None, now)[:limit]


def most_useful(db: SyncReader, scope: Scope, since: int, limit: int) -> Sequence[Hit]:
    """What was shared since then that most people found useful; then, of what was shared last, what was shared most
    often. Of equals those of the own hub come first."""
    voted = "e.votes > 0 AND e.shared_at >= :since"
    rows = [
        *_of_each_shelf(db, scope, voted, "e.votes DESC, e.shared_at DESC", MOST_LISTED, since),
        *_recent(db, scope, MOST_LISTED, since),
    ]
    shared = db.rows(
        """SELECT p.entry, count(*) AS times FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
        WHERE p.entry IN (SELECT value FROM json_each(:ids)) AND s.sent_at >= :since GROUP BY p.entry""",
        ids=json.dumps([row["id"] for row in rows]),
        since=since,
    )
    times = {row["entry"]: row["times"] for row in shared}
    own = {shelf.id for shelf in scope.own}
    rows.sort(
        key=lambda row: (row["votes"], times.get(row["id"], 0), row["shelf"] in own, row["shared_at"]), reverse=True
    )
    return _once(rows)[:limit]


def askable(db: SyncReader, scope: Scope, topics: Sequence[str]) -> Sequence[str]:
    """People who shared on these topics and said that they may be asked; in the order of their names."""
    rows = db.rows(
        f"""SELECT DISTINCT u.user_id FROM knowledge_entries e JOIN knowledge_entry_topics t ON t.entry = e.id
        JOIN knowledge_pages p ON p.entry = e.id JOIN knowledge_shares s ON s.page = p.id
        JOIN knowledge_people u ON u.id = s.sender JOIN knowledge_choices c ON c.person = u.id
        WHERE {Scope.WHERE} AND t.topic IN (SELECT value FROM json_each(:topics)) AND c.askable = 1
        ORDER BY u.user_id LIMIT 30""",
        topics=json.dumps(list(topics)),
        **scope.params,
    )
    return [row["user_id"] for row in rows]
