"""Finds the entries that answer a question, best first: interprets its words (interpret.py), retrieves candidates
(candidates.py) and ranks them (ranking.py)."""

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
from plugins.knowledge.search.interpret import interpret, suggest_corrections
from plugins.knowledge.search.query_parser import Question, apply_corrections, text_units
from plugins.knowledge.search.ranking import QueryTerm, Score
from plugins.knowledge.store.access import Scope
from plugins.knowledge.store.pages import digest
from plugins.knowledge.store.tlp import AMBER, GREEN

MIN_SIMILARITY = 0.2  # of an entry's words, by rarity, that a similar entry must have
MIN_COVERAGE = 0.5  # of a question, by rarity, that an entry must have to be listed as a partial match
SCORE_DIGITS = 1  # decimal places of a score that count before the own hub is preferred
MOST_LISTED = 200  # results of a question without words


class Hit(NamedTuple):
    """A matching entry: its id, the key of its page, its score, the column in which each unit of the question matched
    best, and whether all of them did."""

    id: int
    page: str
    score: float
    matched_in: tuple[str, ...] = ()
    full: bool = True


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits, and how the question was understood.

    `question`: as it was searched in the end. `corrected`: misspelt words, as written → as searched. `complete`: there
    are no further matches. `suggestions`: words searched as written → more frequent ones that may be meant instead.
    """

    question: Question
    hits: Sequence[Hit]
    corrected: Mapping[str, str]
    complete: bool = True
    suggestions: Mapping[str, str] = field(default_factory=dict)


def find(
    db: SyncReader,
    scope: Scope,
    question: Question,
    topics: Sequence[str],
    now: int,
    *,
    thesaurus: Thesaurus,
    limit: int = 10,
    most: int = candidates.POOL,
) -> SearchResult:
    """Ranks full matches before partial ones, each best first.

    `topics`: the ids that the question's topic filter may mean. `limit`: with this many full matches, partial ones are
    not retrieved. `most`: candidates of each kind (candidates.py); the more, the longer it takes.
    """
    if not scope.shelves:
        return SearchResult(question, (), {})
    conditions = candidates.Conditions(scope, candidates.filter_facets(db, question, topics, now), question, most)
    if question.key:
        return SearchResult(question, _entries_of_page(db, scope, question.key), {})
    if not question.units:
        hits, complete = _list_by_filters(db, conditions, question, now)
        return SearchResult(question, hits, {}, complete)
    interpretation = interpret(db, scope, question.units, thesaurus)
    terms, corrected = interpretation.terms, interpretation.corrected
    if corrected:  # corrected words may form a term of the thesaurus together
        terms = interpret(db, scope, apply_corrections(question, corrected, thesaurus), thesaurus).terms
    units = tuple(term.unit for term in terms)
    question = replace(question, units=units)
    hits, complete = list[Hit](), True
    if all(term.entries for term in terms):
        rows, complete = candidates.full_matches(db, conditions, terms, interpretation.good_count, now)
        hits = _rank(scope, rows, terms, question.sort, now)
    if len(hits) < limit and len(units) > 1:
        full_pages = {hit.page for hit in hits}
        partial_rows, is_all_partial = candidates.partial_matches(db, conditions, terms)
        complete = complete and is_all_partial
        partial_hits = [
            hit._replace(full=False)
            for hit in _rank(scope, partial_rows, terms, question.sort, now, MIN_COVERAGE)
            if hit.page not in full_pages
        ]
        hits += partial_hits
    suggestions = {} if corrected else suggest_corrections(db, scope, interpretation, thesaurus)
    return SearchResult(question, hits, corrected, complete, suggestions)


def _rank(
    scope: Scope, rows: Sequence[Row], terms: Sequence[QueryTerm], sort: str | None, now: int, min_coverage: float = 0.0
) -> list[Hit]:
    own_shelves = {shelf.id for shelf in scope.own}
    scored = []
    for row in rows:
        score = ranking.score(row, terms, now)
        if score.covered >= min_coverage or _covers_most(score):
            scored.append((_sort_key(row, score, sort, row["shelf"] in own_shelves), row, score))
    scored.sort(key=itemgetter(0), reverse=True)
    # Deduplicates by page: hubs may have an entry each; the best one counts.
    best: dict[int, Hit] = {}
    for _, row, score in scored:
        if row["page"] not in best:
            best[row["page"]] = Hit(row["id"], row["page"], score.value, score.matched_in)
    return list(best.values())


def _covers_most(score: Score) -> bool:
    """Whether more than half of the units matched, whatever their weight."""
    return 2 * sum(map(bool, score.matched_in)) > len(score.matched_in)


def _sort_key(row: Row, score: Score, sort: str | None, own: bool) -> tuple[float, ...]:
    """The key to sort results by. Of two with nearly the same score, that of the asker's own hub comes first."""
    if sort == "new":
        return (row["shared_at"] or 0, own, score.value, row["id"])
    if sort == "useful":
        return (
            row["votes"],
            row["pinned"],
            row["recommended"],
            round(score.value, SCORE_DIGITS),
            own,
            score.value,
            row["id"],
        )
    value = score.value * (0.3 + 0.7 * score.covered)
    return (round(value, SCORE_DIGITS), own, value, row["shared_at"] or 0, row["id"])


def _entries_of_page(db: SyncReader, scope: Scope, key: str) -> Sequence[Hit]:
    """The hit for an address: the page with that key."""
    rows = db.rows(
        f"""SELECT e.id, p.key AS page FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry
        WHERE p.key = :key AND {Scope.WHERE} ORDER BY NOT {Scope.OWN}, e.id""",
        key=digest(key),
        **scope.params,
    )
    return _deduplicate(rows)


def _list_by_filters(
    db: SyncReader, conditions: candidates.Conditions, question: Question, now: int
) -> tuple[Sequence[Hit], bool]:
    """The results of filters without words, newest first unless sorted otherwise; and whether that is all of them."""
    most = max(MOST_LISTED, conditions.most)
    if set(question.filters) == {"sort"} and question.sort == "new":
        recent = _recently_shared(db, conditions.scope, most)
        counts = Counter(row["shelf"] for row in recent)
        limit = _limit_per_shelf(conditions.scope, most)
        return _deduplicate(recent), len(recent) < most and max(counts.values(), default=0) < limit
    sort = question.sort or "new"
    facet_words = conditions.facets_for(())
    ids = candidates.newest(db, conditions, match(facet_words, (), question.without), most=most)
    complete = len(ids) < most
    if not complete:
        preferred = [facets.GOOD] if sort == "useful" else candidates.recent_facets(sort, now)
        ids += candidates.newest(db, conditions, match([*facet_words, preferred], (), question.without), most=most)
    return _rank(conditions.scope, candidates.ranking_rows(db, ids), (), sort, now), complete


def _recently_shared(db: SyncReader, scope: Scope, most: int, since: int = 0) -> Sequence[Row]:
    """The entries shared most recently, read from each shelf's own index."""
    return _top_of_each_shelf(db, scope, "e.shared_at >= :since", "e.shared_at DESC, e.id DESC", most, since)


def _limit_per_shelf(scope: Scope, most: int) -> int:
    """How many entries to take from one shelf, if `most` are taken from all."""
    return most // min(4, max(1, len(scope.shelves)))


def _top_of_each_shelf(
    db: SyncReader, scope: Scope, condition: str, order: str, most: int, since: int
) -> Sequence[Row]:
    """The first entries of all shelves, in an order that has an index per shelf; at most `_limit_per_shelf` of each."""
    return db.rows(
        f"""SELECT e.id, e.shelf, p.key AS page, e.votes, e.shared_at FROM json_each(:shelves) s
        CROSS JOIN knowledge_entries e ON e.id IN
        (SELECT e.id FROM knowledge_entries e WHERE e.shelf = s.value ->> 0 AND e.label <= s.value ->> 1
        AND e.hidden = 0
        AND {condition} ORDER BY {order} LIMIT :each)
        CROSS JOIN knowledge_pages p ON p.id = e.id ORDER BY {order} LIMIT :most""",
        shelves=json.dumps([(shelf.id, AMBER if shelf in scope.own else GREEN) for shelf in scope.shelves]),
        each=_limit_per_shelf(scope, most),
        most=most,
        since=since,
    )


def _deduplicate(rows: Sequence[Row]) -> list[Hit]:
    """One hit per page, in the order of the rows: the first of its entries."""
    hits: dict[str, Hit] = {}
    for row in rows:
        hits.setdefault(row["page"], Hit(row["id"], row["page"], 0.0))
    return list(hits.values())


def similar(db: SyncReader, scope: Scope, entry: int, text: str, now: int, *, thesaurus: Thesaurus) -> Sequence[Hit]:
    """Entries similar to this one, whose title and topics are `text`; its own page is left out."""
    terms = interpret(db, scope, text_units(text, thesaurus), thesaurus).terms
    rows, _ = candidates.partial_matches(db, candidates.Conditions(scope), terms)
    hits = _rank(scope, rows, terms, None, now, MIN_SIMILARITY)
    own_page = db.value("SELECT key FROM knowledge_pages WHERE id = :entry", entry=entry)
    return [hit for hit in hits if hit.page != own_page]


def closest(
    db: SyncReader, scope: Scope, question: Question, now: int, *, thesaurus: Thesaurus, limit: int
) -> Sequence[Hit]:
    """For a question without results: entries that match any of its words; filters are ignored."""
    if not question.units or not scope.shelves:
        return ()
    units = [text_units(unit.text, thesaurus) if unit.phrase else [unit] for unit in question.units]
    terms = interpret(db, scope, list(dict.fromkeys(chain.from_iterable(units))), thesaurus).terms
    rows, _ = candidates.partial_matches(db, candidates.Conditions(scope), terms)
    return _rank(scope, rows, terms, None, now)[:limit]


def most_useful(db: SyncReader, scope: Scope, since: int, limit: int) -> Sequence[Hit]:
    """Entries shared since an instant, by votes; then recent ones without votes, by number of shares. Of equals, those
    of the own hub come first."""
    voted = "e.votes > 0 AND e.shared_at >= :since"
    rows = [
        *_top_of_each_shelf(db, scope, voted, "e.votes DESC, e.shared_at DESC", MOST_LISTED, since),
        *_recently_shared(db, scope, MOST_LISTED, since),
    ]
    count_rows = db.rows(
        """SELECT p.entry, count(*) AS times FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
        WHERE p.entry IN (SELECT value FROM json_each(:ids)) AND s.sent_at >= :since GROUP BY p.entry""",
        ids=json.dumps([row["id"] for row in rows]),
        since=since,
    )
    share_counts = {row["entry"]: row["times"] for row in count_rows}
    own_shelves = {shelf.id for shelf in scope.own}
    rows.sort(
        key=lambda row: (row["votes"], share_counts.get(row["id"], 0), row["shelf"] in own_shelves, row["shared_at"]),
        reverse=True,
    )
    return _deduplicate(rows)[:limit]


def askable(db: SyncReader, scope: Scope, topics: Sequence[str]) -> Sequence[str]:
    """People who shared something on these topics and agreed to be asked, by user id."""
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
