"""Retrieves the candidates for a question: a bounded number of matching entries, which ranking.py then scores.

FTS5 would score every match, which takes seconds for a word that half the entries have. So only the newest matches, the
newest with a match in the title, and the newest that are recommended or found useful become candidates.

The access scope is a condition on the joined rows, which guarantees it. Where only a small part of the matches is
visible, it is also a facet inside MATCH, which keeps it fast. Nothing is filtered after retrieval, so page counts,
scores and corrections reveal nothing about entries outside the scope.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.api import Row, SyncReader
from plugins.knowledge.index import facets
from plugins.knowledge.index.build_entry import COLUMNS
from plugins.knowledge.search.fts_query import match
from plugins.knowledge.search.query_parser import Question
from plugins.knowledge.search.ranking import COLUMN_WEIGHTS, QueryTerm
from plugins.knowledge.store.access import Scope

POOL = 40  # candidates of each kind that are scored for a question in a room
FEW_MATCHES = 500  # entries; up to this many, the scope is checked row by row instead of inside MATCH
ROWS_READ = 10_000  # rows of the word lists that are read to find title matches or partial matches
GOOD_ENTRIES_READ = 1_000  # newest good entries that are looked for among the matches
MOST_OMITTED = 5  # terms; each is left out in turn to find partial matches
RECENT_PERIOD = 60 * 86_400_000  # ms

# The columns of `entry_words`, read from FTS5's content table (SQLite, "FTS5", 8), which takes half the time.
WORD_COLUMNS = ", ".join(f"w.c{COLUMNS.index(name)} AS {name}" for name in (*COLUMN_WEIGHTS, "stems", "concepts"))


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that every candidate meets, whatever the words of the question are."""

    scope: Scope
    facets: Sequence[Sequence[str]] = ()
    """Words of the column `facets`: a candidate has at least one of each list."""
    question: Question = field(default_factory=Question)
    most: int = POOL
    """The maximum number of candidates of each kind."""

    def facets_for(self, terms: Sequence[QueryTerm]) -> Sequence[Sequence[str]]:
        """The facets to put inside MATCH. Those of the scope are omitted if most entries with these terms are visible
        anyway: FTS5 is quicker without them."""
        is_open = bool(terms) and all(term.open for term in terms)
        return self.facets if is_open else [facets.of_scope(self.scope), *self.facets]

    @property
    def sql(self) -> str:
        conditions = []
        if self.question.since is not None:
            conditions.append("s.sent_at >= :since")
        if self.question.until is not None:
            conditions.append("s.sent_at < :until")
        if not conditions:
            return Scope.WHERE
        return f"""{Scope.WHERE} AND EXISTS (SELECT 1 FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
            WHERE p.entry = e.id AND {" AND ".join(conditions)})"""

    @property
    def params(self) -> Mapping[str, object]:
        times = {"since": self.question.since, "until": self.question.until}
        return {**self.scope.params, **{name: at for name, at in times.items() if at is not None}}


def filter_facets(db: SyncReader, question: Question, topics: Sequence[str], now: int) -> Sequence[Sequence[str]]:
    """Translates the filters of a question into facets, as in `Conditions.facets`."""
    facet_words: list[Sequence[str]] = []
    if topics:
        facet_words.append([facets.topic(topic) for topic in topics])
    if question.languages:
        facet_words.append([facets.language(code) for code in question.languages])
    if question.kinds:
        facet_words.append([facets.kind(name) for name in question.kinds])
    if question.site:
        facet_words.append([facets.site(question.site)])
    if question.since is not None or question.until is not None:
        facet_words.append(facets.between(question.since, question.until, now))
    if question.sender:
        facet_words.append([facets.sharer(id_) for id_ in _sender_ids(db, question.sender)] or [facets.NOTHING])
    return facet_words


def _sender_ids(db: SyncReader, sender: str) -> Sequence[int]:
    """The ids of people with this user id, or with this local part on any server.

    Both are range scans of the index: no text sorts between an id and the same id plus NUL, nor between `:` and `;`.
    """
    first, after = (sender, f"{sender}\0") if ":" in sender else (f"@{sender}:", f"@{sender};")
    find = "SELECT id FROM knowledge_people WHERE lower(user_id) >= :first AND lower(user_id) < :after LIMIT 50"
    return [row["id"] for row in db.rows(find, first=first, after=after)]


def full_matches(
    db: SyncReader, conditions: Conditions, terms: Sequence[QueryTerm], good_count: int, now: int
) -> tuple[Sequence[Row], bool]:
    """Entries that match all terms, and whether that is all of them. `good_count`: how many good entries are visible,
    matching or not."""
    facet_words, units, question = conditions.facets_for(terms), [term.unit for term in terms], conditions.question
    density = _density(terms)

    def title_matches(latest: int) -> list[int]:
        """The newest entries with all terms in title or topics, from `latest` backwards."""
        expression = match(facet_words, units, question.without, titles=True)
        return newest(db, conditions, expression, after=_read_after(latest, density))

    ids: list[int] = []
    # With one term, a title match outweighs all else. With several, one may stand in the title and one elsewhere.
    if len(terms) == 1 and density and not (terms[0].few or units[0].phrase or question.sort or conditions.facets):
        ids = title_matches(_latest_entry(db))
    if len(ids) < conditions.most:
        most = conditions.most * (2 if any(term.few for term in terms) else 1)  # twice: that spares a second query
        ids = _newest_matches(db, conditions, terms, most)
        if len(ids) < most:
            return ranking_rows(db, ids), True
        # Title matches are hardly looked for further back than the matches above reach.
        if ids[0] * density <= ROWS_READ or ROWS_READ / density > 4 * (ids[0] - ids[-1]):
            ids += title_matches(ids[0])
    # Skipped where no good entry exists: FTS5 would read the whole list of a frequent word to intersect it with an
    # empty one.
    if good_count:
        expression = match(
            [facets.of_scope(conditions.scope), *conditions.facets, [facets.GOOD]], units, question.without
        )
        after = int(ids[0] * (1 - min(1, GOOD_ENTRIES_READ / good_count)))
        ids += newest(db, conditions, expression, after=after)
    if recent := recent_facets(question.sort, now):
        ids += newest(db, conditions, match([*facet_words, recent], units, question.without), most=conditions.most // 2)
    return ranking_rows(db, ids), False


def _density(terms: Sequence[QueryTerm]) -> float:
    """In how many of the word lists of these terms the average entry appears."""
    return sum(term.density or 0 for term in terms)


def _latest_entry(db: SyncReader) -> int:
    return int(db.value("SELECT coalesce(max(id), 0) FROM knowledge_entries"))


def _read_after(latest: int, density: float) -> int:
    """The id after which to read, so that lists of this density give about `ROWS_READ` rows up to `latest`."""
    return int(latest - ROWS_READ / density) if latest * density > ROWS_READ else 0


def _newest_matches(
    db: SyncReader, conditions: Conditions, terms: Sequence[QueryTerm], most: int, after: int = 0
) -> list[int]:
    """The newest entries that match all terms.

    For a rare term, all matches are read and the scope is checked row by row. If they turn out to be many after all
    (other forms of a word are not counted), MATCH checks the scope, as for frequent terms.
    """
    units, without = [term.unit for term in terms], conditions.question.without
    if any(term.rare for term in terms):
        rows = db.rows(
            "SELECT rowid AS id FROM knowledge_entry_words WHERE knowledge_entry_words MATCH :expression LIMIT :most",
            expression=match(conditions.facets, units, without),
            most=FEW_MATCHES + 1,
        )
        if len(rows) <= FEW_MATCHES:
            ids = json.dumps([row["id"] for row in rows])
            is_listed = "e.id IN (SELECT value FROM json_each(:ids))"
            sql = f"""SELECT e.id FROM knowledge_entries e WHERE {is_listed} AND {conditions.sql}
                ORDER BY e.id DESC LIMIT :most"""
            return [row["id"] for row in db.rows(sql, ids=ids, most=most, **conditions.params)]
    return newest(db, conditions, match(conditions.facets_for(terms), units, without), most=most, after=after)


def recent_facets(sort: str | None, now: int) -> Sequence[str]:
    """The facets of entries shared recently, which `sort:new` puts first though the entry itself may be old."""
    return facets.between(now - RECENT_PERIOD, None, now) if sort == "new" else ()


def partial_matches(db: SyncReader, conditions: Conditions, terms: Sequence[QueryTerm]) -> tuple[Sequence[Row], bool]:
    """Entries that match some of the terms (all but one, or one of the rarest), and whether that is all of them."""
    present = [term for term in terms if term.entries]
    by_rarity = sorted(present, key=lambda term: -term.idf)[:MOST_OMITTED]
    subsets = [[term] for term in by_rarity[:3]]
    if 1 < len(present) < len(terms):
        subsets.append(present)
    if len(present) > 2:
        subsets += [[term for term in present if term is not omitted] for omitted in by_rarity]
    ids: list[int] = []
    most, complete = conditions.most // (1 if len(subsets) == 1 else 2), True
    for subset in subsets:
        # Unlike for full matches, long lists are not read to the end. Reading starts at the newest visible match,
        # because what was shared outside the scope since then must not shift the range.
        is_long = len(subset) > 1 and sum(term.entries for term in subset) > ROWS_READ
        after = _read_after(max(ids, default=0), _density(subset)) if is_long else 0
        matches = _newest_matches(db, conditions, subset, most, after)
        complete = complete and not after and len(matches) < most
        ids += matches
    return ranking_rows(db, ids), complete


def newest(
    db: SyncReader, conditions: Conditions, expression: str, *, most: int | None = None, after: int = 0
) -> list[int]:
    """The newest entries that match an expression: at most `most` (else `conditions.most`), with ids above `after`."""
    # CROSS makes SQLite scan the full-text index first and join the entries; the reverse order takes seconds.
    rows = db.rows(
        f"""SELECT w.rowid AS id FROM knowledge_entry_words w CROSS JOIN knowledge_entries e ON e.id = w.rowid
        WHERE knowledge_entry_words MATCH :expression AND {conditions.sql} AND w.rowid > :after
        ORDER BY w.rowid DESC LIMIT :most""",
        expression=expression,
        most=conditions.most if most is None else most,
        after=after,
        **conditions.params,
    )
    return [row["id"] for row in rows]


def ranking_rows(db: SyncReader, ids: Sequence[int]) -> Sequence[Row]:
    """The rows that ranking scores, one per entry."""
    return db.rows(
        f"""SELECT e.id, e.shelf, p.key AS page, e.recommended, e.pinned, e.votes, e.shared_at, {WORD_COLUMNS}
        FROM (SELECT DISTINCT value AS id FROM json_each(:ids)) i
        CROSS JOIN knowledge_entries e ON e.id = i.id CROSS JOIN knowledge_pages p ON p.id = e.id
        CROSS JOIN knowledge_entry_words_content w ON w.id = e.id""",
        ids=json.dumps(ids),
    )
