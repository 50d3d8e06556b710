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
from plugins.knowledge.store.access import AMBER, GREEN, Sight
from plugins.knowledge.store.ids import digest

ALIKE = 0.2  # of an entry's words, by rarity, that one like it must have
ENOUGH = 0.5  # of a question, by rarity, that an entry must have to be shown as matching in part
EQUAL = 1  # places of a value that count where results are compared with those of other hubs
MOST_LISTED = 200  # of what is asked for without words


class Hit(NamedTuple):
    """An entry that answers: its id and page, how well, where each unit of the question was found, and whether it has
    all of it."""

    id: int
    resource: int
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
    sight: Sight,
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
    if not sight.shelves:
        return Found(question, (), {})
    conditions = candidates.Conditions(sight, candidates.facets_of(db, question, topics, now), question, most)
    if question.key:
        return Found(question, _page(db, sight, question.key), {})
    if not question.units:
        hits, complete = _listed(db, conditions, question, now)
        return Found(question, hits, {}, complete)
    meant = weigh(db, sight, question.units, terms)
    weighed, corrected = meant.wanted, meant.corrected
    if corrected:  # words put right may be terms together
        weighed = weigh(db, sight, put_right(question, corrected, terms), terms).wanted
    units = tuple(one.unit for one in weighed)
    question = replace(question, units=units)
    hits, complete = list[Hit](), True
    if all(one.entries for one in weighed):
        rows, complete = candidates.candidates(db, conditions, weighed, meant.good, now)
        hits = _ranked(sight, rows, weighed, question.sort, now)
    if len(hits) < limit and len(units) > 1:
        seen = {hit.resource for hit in hits}
        some, these_too = candidates.in_part(db, conditions, weighed)
        complete = complete and these_too
        partly = [
            hit._replace(full=False)
            for hit in _ranked(sight, some, weighed, question.sort, now, ENOUGH)
            if hit.resource not in seen
        ]
        hits += partly
    doubted = {} if corrected else doubtful(db, sight, meant, terms)
    return Found(question, hits, corrected, complete, doubted)


def _ranked(
    sight: Sight, rows: Sequence[Row], weighed: Sequence[Wanted], sort: str | None, now: int, covered: float = 0.0
) -> list[Hit]:
    own = {shelf.id for shelf in sight.own}
    scored = []
    for row in rows:
        found = ranking.score(row, weighed, now)
        if found.covered >= covered or _has_most(found):
            scored.append((_order(row, found, sort, row["shelf"] in own), row, found))
    scored.sort(key=itemgetter(0), reverse=True)
    # One page is one result, whoever else shared it: the best of its entries.
    best: dict[int, Hit] = {}
    for _, row, found in scored:
        if row["resource"] not in best:
            best[row["resource"]] = Hit(row["id"], row["resource"], found.value, found.places)
    return list(best.values())


def _has_most(score: Score) -> bool:
    """More than half of what was asked, whatever its weight."""
    return 2 * sum(map(bool, score.places)) > len(score.places)


def _order(row: Row, score: Score, sort: str | None, own: bool) -> tuple[float, ...]:
    """Of two that are equally good, but for some days, that of the asker's own hub comes first."""
    if sort == "new":
        return (row["shared_at"] or 0, own, score.value, row["id"])
    if sort == "useful":
        return (row["votes"], row["pinned"], row["curated"], round(score.value, EQUAL), own, score.value, row["id"])
    value = score.value * (0.3 + 0.7 * score.covered)
    return (round(value, EQUAL), own, value, row["shared_at"] or 0, row["id"])


def _page(db: SyncReader, sight: Sight, key: str) -> Sequence[Hit]:
    """The entries of one page."""
    rows = db.rows(
        f"""SELECT e.id, e.resource FROM entries e WHERE {Sight.WHERE} AND e.id IN
        (SELECT id FROM entries WHERE resource = (SELECT id FROM resources WHERE key = :key) UNION
        SELECT entry FROM merged WHERE resource = (SELECT id FROM resources WHERE key = :key))
        ORDER BY NOT {Sight.OWN}, e.id""",
        key=digest(key),
        **sight.params,
    )
    return _once(rows)


def _listed(
    db: SyncReader, conditions: candidates.Conditions, question: Question, now: int
) -> tuple[Sequence[Hit], bool]:
    """What filters alone ask for, the newest first; whether that is all."""
    most = max(MOST_LISTED, conditions.most)
    if set(question.filters) == {"sort"} and question.sort == "new":
        recent = _recent(db, conditions.sight, most)
        each = Counter(row["shelf"] for row in recent)
        return _once(recent), len(recent) < most and max(each.values(), default=0) < _of_one(conditions.sight, most)
    sort = question.sort or "new"
    wanted = conditions.facets_for(())
    ids = candidates.newest(db, conditions, match(wanted, (), question.without), most=most)
    complete = len(ids) < most
    if not complete:
        first = [facets.GOOD] if sort == "useful" else candidates.of_first(sort, now)
        ids += candidates.newest(db, conditions, match([*wanted, first], (), question.without), most=most)
    return _ranked(conditions.sight, candidates.words_of(db, ids), (), sort, now), complete


def _recent(db: SyncReader, sight: Sight, most: int, since: int = 0) -> Sequence[Row]:
    """What was shared last, whenever it was shared first: read from each shelf's own order."""
    return _of_each_shelf(db, sight, "e.shared_at >= :since", "e.shared_at DESC, e.id DESC", most, since)


def _of_one(sight: Sight, most: int) -> int:
    """How many are taken of one shelf, if `most` are taken of all."""
    return most // min(4, max(1, len(sight.shelves)))


def _of_each_shelf(db: SyncReader, sight: Sight, which: str, order: str, most: int, since: int) -> Sequence[Row]:
    """The first entries of all shelves in an order that each shelf has an index for; not too many of one shelf."""
    return db.rows(
        f"""SELECT e.id, e.shelf, e.resource, e.votes, e.shared_at FROM json_each(:shelves) s
        CROSS JOIN entries e ON e.id IN
        (SELECT e.id FROM entries e WHERE e.shelf = s.value ->> 0 AND e.label <= s.value ->> 1 AND e.hidden = 0
        AND {which} ORDER BY {order} LIMIT :each) ORDER BY {order} LIMIT :most""",
        shelves=json.dumps([(shelf.id, AMBER if shelf in sight.own else GREEN) for shelf in sight.shelves]),
        each=_of_one(sight, most),
        most=most,
        since=since,
    )


def _once(rows: Sequence[Row]) -> list[Hit]:
    """Entries in their order; of those of one page the first."""
    found: dict[int, Hit] = {}
    for row in rows:
        found.setdefault(row["resource"], Hit(row["id"], row["resource"], 0.0))
    return list(found.values())


def similar(db: SyncReader, sight: Sight, entry: int, text: str, now: int, *, terms: Thesaurus) -> Sequence[Hit]:
    """Entries that speak of the same things as this one, whose title and topics are `text`."""
    weighed = weigh(db, sight, spoken(text, terms), terms).wanted
    some, _ = candidates.in_part(db, candidates.Conditions(sight), weighed)
    hits = _ranked(sight, some, weighed, None, now, ALIKE)
    own = db.value("SELECT resource FROM entries WHERE id = :entry", entry=entry)
    return [hit for hit in hits if hit.resource != own]


def closest(
    db: SyncReader, sight: Sight, question: Question, now: int, *, terms: Thesaurus, limit: int
) -> Sequence[Hit]:
    """For a question nothing answers: entries that have any of its words, whatever its filters were."""
    if not question.units or not sight.shelves:
        return ()
    words = [spoken(unit.shown, terms) if unit.phrase else [unit] for unit in question.units]
    weighed = weigh(db, sight, list(dict.fromkeys(chain.from_iterable(words))), terms).wanted
    some, _ = candidates.in_part(db, candidates.Conditions(sight), weighed)
    return _ranked(sight, some, weighed, None, now)[:limit]


def most_useful(db: SyncReader, sight: Sight, since: int, limit: int) -> Sequence[Hit]:
    """What was shared since then that most people found useful; then, of what was shared last, what was shared most
    often. Of equals those of the own hub come first."""
    voted = "e.votes > 0 AND e.shared_at >= :since"
    rows = [
        *_of_each_shelf(db, sight, voted, "e.votes DESC, e.shared_at DESC", MOST_LISTED, since),
        *_recent(db, sight, MOST_LISTED, since),
    ]
    shared = db.rows(
        """SELECT entry, count(*) AS times FROM shares WHERE entry IN (SELECT value FROM json_each(:ids))
        AND sent_at >= :since GROUP BY entry""",
        ids=json.dumps([row["id"] for row in rows]),
        since=since,
    )
    times = {row["entry"]: row["times"] for row in shared}
    own = {shelf.id for shelf in sight.own}
    rows.sort(
        key=lambda row: (row["votes"], times.get(row["id"], 0), row["shelf"] in own, row["shared_at"]), reverse=True
    )
    return _once(rows)[:limit]


def askable(db: SyncReader, sight: Sight, topics: Sequence[str]) -> Sequence[str]:
    """People who shared on these topics and said that they may be asked; in the order of their names."""
    rows = db.rows(
        f"""SELECT DISTINCT u.user FROM entries e JOIN entry_topics t ON t.entry = e.id
        JOIN shares s ON s.entry = e.id JOIN sharers u ON u.id = s.sender JOIN choices c ON c.sharer = u.id
        WHERE {Sight.WHERE} AND t.topic IN (SELECT value FROM json_each(:topics)) AND c.askable = 1
        ORDER BY u.user LIMIT 30""",
        topics=json.dumps(list(topics)),
        **sight.params,
    )
    return [row["user"] for row in rows]
