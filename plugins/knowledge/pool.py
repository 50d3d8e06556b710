"""Which entries may answer a question? Few of them, however many match: FTS5 would weigh every match, and a word that
half the entries have would take seconds. So the newest of all matches are taken, of those in titles, and of those that
are recommended or found useful; only they are weighed (ranking.py).

What may be seen is a condition of the SQL, twice: as facets inside MATCH, which makes it fast, and on the joined rows,
which makes it sure. Nothing is filtered afterwards, so pages, counts, weights and corrections tell nothing of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.api import Row, SyncReader
from plugins.knowledge import facets, vocabulary
from plugins.knowledge.asking import Question, Unit
from plugins.knowledge.matching import match
from plugins.knowledge.ranking import Wanted
from plugins.knowledge.shelves import Sight

RECENT = 200_000  # entries; older ones with all that is asked in their titles are not looked for besides the newest
POOL = 60  # candidates of each kind that are weighed
MOST_LEFT_OUT = 5  # units of a question that are tried without
LATELY = 60 * 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every candidate must fulfil, whatever words are asked."""

    sight: Sight
    facets: Sequence[Sequence[str]]
    question: Question

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


def facets_of(
    db: SyncReader, sight: Sight, question: Question, topics: Sequence[str], now: int
) -> Sequence[Sequence[str]]:
    """Words of the column `facets`: every entry that is asked for has one of each of these lists."""
    found: list[Sequence[str]] = [sight.words]
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


_WORDS = """e.id, e.resource, e.shelf, e.curated, e.pinned, e.votes, e.shared_at, w.title, w.topics, w.notes, w.about,
    w.address, w.stems, w.concepts"""


def candidates(db: SyncReader, conditions: Conditions, units: Sequence[Unit], now: int) -> Sequence[Row]:
    """Entries that have all of it."""
    without = conditions.question.without
    rows = newest(db, conditions, match(conditions.facets, units, without))
    if len(rows) < POOL:
        return rows
    ways = [match(conditions.facets, units, without, titles=True)]
    # FTS5 looks through all of a frequent word to find that it never stands with one that is nowhere: asked for only
    # where there is something.
    good = vocabulary.counts(db, {f"={facets.GOOD}"}, conditions.sight.scopes)
    first = [words for words in ([facets.GOOD] if good else [], of_first(conditions.question.sort, now)) if words]
    ways += [match([*conditions.facets, words], units, without) for words in first]
    more = newest(db, conditions, *ways, among=RECENT)
    return list({row["id"]: row for row in (*rows, *more)}.values())


def of_first(sort: str | None, now: int) -> Sequence[str]:
    """Words of the column `facets`: what comes first in this order has one of them, though its entry may be old."""
    return facets.between(now - LATELY, None, now) if sort == "new" else ()


def in_part(
    db: SyncReader, conditions: Conditions, weighed: Sequence[Wanted], without: Sequence[Unit]
) -> Sequence[Row]:
    """Entries that have some of what is asked: all but one, or else the rarest."""
    there = [one for one in weighed if one.entries]
    by_rarity = sorted(there, key=lambda one: -one.idf)[:MOST_LEFT_OUT]
    ways = [[one.unit] for one in by_rarity[:3]]
    if 1 < len(there) < len(weighed):
        ways.append([one.unit for one in there])
    if len(there) > 2:
        ways += [[one.unit for one in there if one is not left_out] for left_out in by_rarity]
    if not ways:
        return ()
    rows = newest(db, conditions, *(match(conditions.facets, units, without) for units in ways))
    return list({row["id"]: row for row in rows}.values())


def newest(
    db: SyncReader, conditions: Conditions, *expressions: str, most: int = 0, among: int | None = None
) -> Sequence[Row]:
    """The newest `most` entries of each expression: `POOL` of one, half as many of each of several; only the newest
    `among` of all entries are looked through, if that is given."""
    last = "AND w.rowid > (SELECT max(id) FROM entries) - :among" if among else ""
    # CROSS: the index leads and the entries follow; the other way round takes seconds.
    parts = [
        f"""SELECT * FROM (SELECT {_WORDS} FROM entry_words w CROSS JOIN entries e ON e.id = w.rowid
        WHERE entry_words MATCH :match{number} AND {conditions.sql} {last} ORDER BY w.rowid DESC LIMIT :most)"""
        for number in range(len(expressions))
    ]
    return db.rows(
        " UNION ALL ".join(parts),
        most=most or (POOL if len(expressions) == 1 else POOL // 2),
        **({"among": among} if among else {}),
        **{f"match{number}": expression for number, expression in enumerate(expressions)},
        **conditions.params,
    )
