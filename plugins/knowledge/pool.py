"""Which entries may answer a question? Few of them, however many match: FTS5 would weigh every match, and a word that
half the entries have would take seconds. So the newest of all matches are taken, of those in titles, and of those that
are recommended or found useful; only they are weighed (ranking.py).

What may be seen is a condition on the joined rows, which makes it sure, and where little of what matches may be seen
also a facet inside MATCH, which makes it fast. Nothing is filtered afterwards, so pages, counts, weights and
corrections tell nothing of others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader
from plugins.knowledge import facets, vocabulary
from plugins.knowledge.asking import Question, Unit
from plugins.knowledge.making import COLUMNS
from plugins.knowledge.matching import match
from plugins.knowledge.ranking import END, PLACES, Wanted
from plugins.knowledge.shelves import Sight

POOL = 60  # candidates of each kind that are weighed
FEW = 500  # entries: of so few it is looked up one by one whether they may be seen
READ = 40_000  # entries that have a word are read to find those with all words in their titles, about 1 ms
SOUGHT = 1_000  # good entries are looked up in the lists of words, about 5 ms
MOST_LEFT_OUT = 5  # units of a question that are tried without
LATELY = 60 * 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every candidate must fulfil, whatever words are asked."""

    sight: Sight
    facets: Sequence[Sequence[str]]
    """Words of the column `facets`: every entry that is asked for has one of each of these lists."""
    question: Question

    def facets_for(self, asked: Sequence[Wanted]) -> Sequence[Sequence[str]]:
        """The facets, and those of what may be seen unless FTS5 finds the entries that have all of `asked` more
        quickly without: of those few, or most, may be seen."""
        counts = [one.count for one in asked]
        few = any(count and count.everywhere <= FEW for count in counts)
        most = all(count and count.everywhere <= 2 * count.seen for count in counts)
        return self.facets if few or (counts and most and not self.facets) else [self.sight.words, *self.facets]

    @property
    def sql(self) -> str:
        shared = []
        if self.question.since is not None:
            shared.append("s.sent_at >= :since")
        if self.question.until is not None:
            shared.append("s.sent_at < :until")
        if not shared:
            return Sight.WHERE
        return f"{Sight.WHERE} AND EXISTS (SELECT 1 FROM shares s WHERE s.entry = e.id AND {' AND '.join(shared)})"

    @property
    def params(self) -> Mapping[str, object]:
        times = {"since": self.question.since, "until": self.question.until}
        return {**self.sight.params, **{name: at for name, at in times.items() if at is not None}}


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
    """People by their whole id, or by their name on any server."""
    where = "lower(user) = :sender" if ":" in sender else "substr(lower(user), 1, length(:sender)) = :sender"
    name = sender if ":" in sender else f"@{sender}:"
    return [row["id"] for row in db.rows(f"SELECT id FROM sharers WHERE {where} LIMIT 50", sender=name)]


def candidates(
    db: SyncReader, conditions: Conditions, asked: Sequence[Wanted], now: int, most: int = POOL
) -> Sequence[Row]:
    """Entries that have all of it; about `most`, if there are so many."""
    seen, units, question = conditions.facets_for(asked), [one.unit for one in asked], conditions.question

    def look(*more: Sequence[str], titles: bool = False, most: int = most // 2, share: float = 1.0) -> list[int]:
        expression = match([*seen, *more], units, question.without, titles=titles)
        return newest(db, conditions, expression, most=most, share=share)

    share = READ / max(sum(one.count.everywhere for one in asked if one.count), READ)
    may_do = not question.sort and share * _in_titles(asked) >= most // 2
    ids = titled = look(titles=True, share=share) if may_do else []
    if len(titled) < most // 4:  # else the others need not be weighed
        ids = look(most=most)
        if len(ids) < most:
            return words_of(db, ids)
        looked_through = (ids[0] - ids[-1]) / ids[0]
        much_further = share == 1 or share > 4 * looked_through
        ids += titled or (look(titles=True, share=share) if much_further else [])
    # FTS5 looks through all of a frequent word to find that it never stands with one that is nowhere: asked for only
    # where there is something.
    good = vocabulary.counts(db, {f"={facets.GOOD}"}, conditions.sight.scopes).get(f"={facets.GOOD}")
    if good and good.seen:
        ids += look([facets.GOOD], share=SOUGHT / good.everywhere)
    if first := of_first(question.sort, now):
        ids += look(first)
    return words_of(db, ids)


def _in_titles(asked: Sequence[Wanted]) -> float:
    """How many entries may have all of it in their titles, if each second that has a word has it there, and if words
    do not seek each other's company; of a phrase nothing is known."""
    if not all(one.count and one.of and not one.unit.phrase for one in asked):
        return 0
    parts = [one.count.seen / one.of for one in asked if one.count]
    return asked[0].of * math.prod(part / 2 for part in parts)


def of_first(sort: str | None, now: int) -> Sequence[str]:
    """Words of the column `facets`: what comes first in this order has one of them, though its entry may be old."""
    return facets.between(now - LATELY, None, now) if sort == "new" else ()


def in_part(db: SyncReader, conditions: Conditions, asked: Sequence[Wanted], without: Sequence[Unit]) -> Sequence[Row]:
    """Entries that have some of what is asked: all but one, or else the rarest."""
    there = [one for one in asked if one.entries]
    by_rarity = sorted(there, key=lambda one: -one.idf)[:MOST_LEFT_OUT]
    ways = [[one] for one in by_rarity[:3]]
    if 1 < len(there) < len(asked):
        ways.append(there)
    if len(there) > 2:
        ways += [[one for one in there if one is not left_out] for left_out in by_rarity]
    ids: list[int] = []
    for way in ways:
        expression = match(conditions.facets_for(way), [one.unit for one in way], without)
        ids += newest(db, conditions, expression, most=POOL if len(ways) == 1 else POOL // 2)
    return words_of(db, ids)


def newest(
    db: SyncReader, conditions: Conditions, expression: str, *, most: int = POOL, share: float = 1.0
) -> list[int]:
    """The newest entries an expression finds: at most `most`, looked for in the newest `share` of all entries."""
    # An integer: FTS5 would read on to the oldest entry for any other number.
    last = "AND w.rowid > (SELECT CAST(max(id) * :older AS INTEGER) FROM entries)" if share < 1 else ""
    # CROSS: the index leads and the entries follow; the other way round takes seconds.
    rows = db.rows(
        f"""SELECT w.rowid AS id FROM entry_words w CROSS JOIN entries e ON e.id = w.rowid
        WHERE entry_words MATCH :expression AND {conditions.sql} {last} ORDER BY w.rowid DESC LIMIT :most""",
        expression=expression,
        most=most,
        **({"older": 1 - share} if share < 1 else {}),
        **conditions.params,
    )
    return [row["id"] for row in rows]


def words_of(db: SyncReader, ids: Sequence[int]) -> Sequence[Row]:
    """What entries are weighed by, each once."""
    # From the table FTS5 keeps its columns in (SQLite, "FTS5", 8): in half the time.
    return db.rows(
        f"""SELECT e.id, e.resource, e.curated, e.pinned, e.votes, e.shared_at, {_column("stems")} AS stems,
        {_column("concepts")} AS concepts, {TEXT} AS text FROM (SELECT DISTINCT value AS id FROM json_each(:ids)) i
        CROSS JOIN entries e ON e.id = i.id CROSS JOIN entry_words_content w ON w.id = e.id""",
        ids=json.dumps(ids),
    )


def _column(name: str) -> str:
    return f"w.c{COLUMNS.index(name)}"


TEXT = f" || '{END}' || ".join(f"' ' || {_column(name)} || ' '" for name in PLACES)
