"""Which entries may answer a question? Few of them, however many match: FTS5 would weigh every match, and a word that
half the entries have would take seconds. So the newest matches are taken, the newest in titles, and the newest that are
recommended or found useful; only they are weighed (ranking.py).

What may be seen is a condition on the joined rows, which makes it sure, and where little of what matches may be seen
also a facet inside MATCH, which makes it fast. Nothing is filtered afterwards, so pages, counts, weights and
corrections tell nothing of others.
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
from plugins.knowledge.search.ranking import PLACES, Wanted
from plugins.knowledge.store.access import Scope

POOL = 40  # candidates of each kind that are weighed, where people ask in a room
FEW = 500  # entries: of so few it is looked up one by one whether they may be seen
READ = 10_000  # entries that have a word are read to find the newest with all words in their titles, or all but one
SOUGHT = 1_000  # good entries, the newest, are looked for in the lists of words
MOST_LEFT_OUT = 5  # units of a question that are tried without
LATELY = 60 * 86_400_000  # ms

# The columns of `entry_words` in the table FTS5 keeps them in (SQLite, "FTS5", 8), which is read in half the time.
WORDS = ", ".join(f"w.c{COLUMNS.index(name)} AS {name}" for name in (*PLACES, "stems", "concepts"))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every candidate must fulfil, whatever words are asked."""

    scope: Scope
    facets: Sequence[Sequence[str]] = ()
    """Words of the column `facets`: every entry that is asked for has one of each of these lists."""
    question: Question = field(default_factory=Question)
    most: int = POOL
    """So many candidates of each kind are weighed."""

    def facets_for(self, asked: Sequence[Wanted]) -> Sequence[Sequence[str]]:
        """The facets, and those of what may be seen unless most of what has all of `asked` may be seen: then FTS5 is
        quicker without."""
        is_open = bool(asked) and all(one.open for one in asked)
        return self.facets if is_open else [facets.of_scope(self.scope), *self.facets]

    @property
    def sql(self) -> str:
        shared = []
        if self.question.since is not None:
            shared.append("s.sent_at >= :since")
        if self.question.until is not None:
            shared.append("s.sent_at < :until")
        if not shared:
            return Scope.WHERE
        return f"""{Scope.WHERE} AND EXISTS (SELECT 1 FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
            WHERE p.entry = e.id AND {" AND ".join(shared)})"""

    @property
    def params(self) -> Mapping[str, object]:
        times = {"since": self.question.since, "until": self.question.until}
        return {**self.scope.params, **{name: at for name, at in times.items() if at is not None}}


def facets_of(db: SyncReader, question: Question, topics: Sequence[str], now: int) -> Sequence[Sequence[str]]:
    """What filters ask for, as `Conditions` has it."""
    found: list[Sequence[str]] = []
    if topics:
        found.append([facets.topic(topic) for topic in topics])
    if question.languages:
        found.append([facets.language(code) for code in question.languages])
    if question.kinds:
        found.append([facets.kind(name) for name in question.kinds])
    if question.site:
        found.append([facets.site(question.site)])
    if question.since is not None or question.until is not None:
        found.append(facets.between(question.since, question.until, now))
    if question.sender:
        found.append([facets.sharer(id_) for id_ in _senders(db, question.sender)] or [facets.NOTHING])
    return found


def _senders(db: SyncReader, sender: str) -> Sequence[int]:
    """People by their whole id, or by their name on any server: the index is read from the first text to the one that
    comes after all that are meant (nothing comes between a text and itself with a NUL, nor between `:` and `;`)."""
    first, after = (sender, f"{sender}\0") if ":" in sender else (f"@{sender}:", f"@{sender};")
    find = "SELECT id FROM knowledge_people WHERE lower(user_id) >= :first AND lower(user_id) < :after LIMIT 50"
    return [row["id"] for row in db.rows(find, first=first, after=after)]


def candidates(
    db: SyncReader, conditions: Conditions, asked: Sequence[Wanted], good: int, now: int
) -> tuple[Sequence[Row], bool]:
    """Entries that have all of it, and whether these are all. `good`: so many are good, whatever they have."""
    facets_, units, question = conditions.facets_for(asked), [one.unit for one in asked], conditions.question
    density = _density(asked)

    def titled(latest: int) -> list[int]:
        """The newest that have all of it in their titles, from that one on back."""
        expression = match(facets_, units, question.without, titles=True)
        return newest(db, conditions, expression, after=_after(latest, density))

    ids: list[int] = []
    # Where one thing is asked, titles outweigh all else; of several, one may be in the title and one elsewhere.
    if len(asked) == 1 and density and not (asked[0].few or units[0].phrase or question.sort or conditions.facets):
        ids = titled(_latest(db))
    if len(ids) < conditions.most:
        most = conditions.most * (2 if any(one.few for one in asked) else 1)  # twice: it spares looking again
        ids = _newest_with(db, conditions, asked, most)
        if len(ids) < most:
            return words_of(db, ids), True
        # Else they are hardly looked for further back than all have been found.
        if ids[0] * density <= READ or READ / density > 4 * (ids[0] - ids[-1]):
            ids += titled(ids[0])
    # FTS5 looks through all of a frequent word to find that it never stands with one that is nowhere: asked for only
    # where there is something.
    if good:
        expression = match(
            [facets.of_scope(conditions.scope), *conditions.facets, [facets.GOOD]], units, question.without
        )
        after = int(ids[0] * (1 - min(1, SOUGHT / good)))
        ids += newest(db, conditions, expression, after=after)
    if first := of_first(question.sort, now):
        ids += newest(db, conditions, match([*facets_, first], units, question.without), most=conditions.most // 2)
    return words_of(db, ids), False


def _density(asked: Sequence[Wanted]) -> float:
    """How many of the lists of these words an entry is in."""
    return sum(one.density or 0 for one in asked)


def _latest(db: SyncReader) -> int:
    return int(db.value("SELECT coalesce(max(id), 0) FROM knowledge_entries"))


def _after(latest: int, density: float) -> int:
    """The id from which on about `READ` entries of lists of that density come, up to the latest one."""
    return int(latest - READ / density) if latest * density > READ else 0


def _newest_with(
    db: SyncReader, conditions: Conditions, asked: Sequence[Wanted], most: int, after: int = 0
) -> list[int]:
    """The newest entries that have all of it. Where hardly any seem to, it is looked up one by one whether they may be
    seen; if they are more all the same (words are counted, but not their other forms), FTS5 looks, as for others."""
    units, without = [one.unit for one in asked], conditions.question.without
    if any(one.rare for one in asked):
        rows = db.rows(
            "SELECT rowid AS id FROM knowledge_entry_words WHERE knowledge_entry_words MATCH :expression LIMIT :most",
            expression=match(conditions.facets, units, without),
            most=FEW + 1,
        )
        if len(rows) <= FEW:
            ids = json.dumps([row["id"] for row in rows])
            these = "e.id IN (SELECT value FROM json_each(:ids))"
            sql = f"""SELECT e.id FROM knowledge_entries e WHERE {these} AND {conditions.sql}
                ORDER BY e.id DESC LIMIT :most"""
            return [row["id"] for row in db.rows(sql, ids=ids, most=most, **conditions.params)]
    return newest(db, conditions, match(conditions.facets_for(asked), units, without), most=most, after=after)


def of_first(sort: str | None, now: int) -> Sequence[str]:
    """Words of the column `facets`: what comes first in this order has one of them, though its entry may be old."""
    return facets.between(now - LATELY, None, now) if sort == "new" else ()


def in_part(db: SyncReader, conditions: Conditions, asked: Sequence[Wanted]) -> tuple[Sequence[Row], bool]:
    """Entries that have some of what is asked: all but one, or else the rarest; and whether these are all."""
    there = [one for one in asked if one.entries]
    by_rarity = sorted(there, key=lambda one: -one.idf)[:MOST_LEFT_OUT]
    ways = [[one] for one in by_rarity[:3]]
    if 1 < len(there) < len(asked):
        ways.append(there)
    if len(there) > 2:
        ways += [[one for one in there if one is not left_out] for left_out in by_rarity]
    ids: list[int] = []
    most, complete = conditions.most // (1 if len(ways) == 1 else 2), True
    for way in ways:
        # Lists as long as that are not read to the end, though they are for what has all of it. The latest that has any
        # of the words, of what may be seen: what others shared since must not shift it.
        many = len(way) > 1 and sum(one.entries for one in way) > READ
        after = _after(max(ids, default=0), _density(way)) if many else 0
        found = _newest_with(db, conditions, way, most, after)
        complete = complete and not after and len(found) < most
        ids += found
    return words_of(db, ids), complete


def newest(
    db: SyncReader, conditions: Conditions, expression: str, *, most: int | None = None, after: int = 0
) -> list[int]:
    """The newest entries an expression finds: at most `most` (or `conditions.most`), whose ids come after that."""
    # CROSS: the index leads and the entries follow; the other way round takes seconds.
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


def words_of(db: SyncReader, ids: Sequence[int]) -> Sequence[Row]:
    """What entries are weighed by, each once."""
    return db.rows(
        f"""SELECT e.id, e.shelf, p.key AS page, e.recommended, e.pinned, e.votes, e.shared_at, {WORDS}
        FROM (SELECT DISTINCT value AS id FROM json_each(:ids)) i
        CROSS JOIN knowledge_entries e ON e.id = i.id CROSS JOIN knowledge_pages p ON p.id = e.id
        CROSS JOIN knowledge_entry_words_content w ON w.id = e.id""",
        ids=json.dumps(ids),
    )
