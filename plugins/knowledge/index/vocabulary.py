"""The vocabulary: how many entries of each shelf have a word (document frequencies). Updated in the transaction that
rebuilds the entries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from bot.api import Row, SyncReader, SyncTransaction
from plugins.knowledge.index.typo_index import traceable, traces
from plugins.knowledge.store.access import Scope

Changes = Mapping[int, Counter[str]]
"""Partition (`store.access.partition`) → word → how many more entries have it."""


class Count(NamedTuple):
    """How many entries have a word: those within the scope, and all."""

    visible: int
    total: int
    """For choosing the quickest query only; it must not be visible to anybody."""


_COUNTS = f"coalesce(sum(entries) FILTER (WHERE {Scope.PARTITIONS}), 0) AS visible, sum(entries) AS total"


def apply(tx: SyncTransaction, changes: Changes) -> None:
    rows = [(word, scope, count) for scope, words in changes.items() for word, count in words.items() if count]
    # In the order of the table, which is quicker to write; by word only, because sorting tuples is slow.
    rows.sort(key=itemgetter(0))
    more = [{"word": word, "shelf": scope, "count": count} for word, scope, count in rows if count > 0]
    less = [{"word": word, "shelf": scope, "count": count} for word, scope, count in rows if count < 0]
    if more:
        new = _absent_words(tx, more)
        tx.execute_many(
            """INSERT INTO knowledge_vocabulary (word, shelf, entries) VALUES (:word, :shelf, :count)
            ON CONFLICT (word, shelf) DO UPDATE SET entries = entries + excluded.entries""",
            more,
        )
        tx.execute_many(
            "INSERT INTO knowledge_traces (trace, word) VALUES (:trace, :word) ON CONFLICT DO NOTHING",
            ({"trace": trace, "word": word} for word in new for trace in traces(word)),
        )
    if less:
        tx.execute_many(
            "UPDATE knowledge_vocabulary SET entries = entries + :count WHERE word = :word AND shelf = :shelf",
            less,
        )
        tx.execute_many("DELETE FROM knowledge_vocabulary WHERE word = :word AND shelf = :shelf AND entries <= 0", less)
        gone = _absent_words(tx, less)
        tx.execute_many(
            "DELETE FROM knowledge_traces WHERE trace = :trace AND word = :word",
            ({"trace": trace, "word": word} for word in gone for trace in traces(word)),
        )


def counts(db: SyncReader, words: Collection[str], scope: Scope) -> Mapping[str, Count]:
    """How many entries have each word. Words that no entry has are left out."""
    rows = db.rows(
        f"""SELECT word, {_COUNTS} FROM knowledge_vocabulary WHERE word IN (SELECT value FROM json_each(:words))
        GROUP BY word""",
        words=json.dumps(sorted(words)),
        **scope.params,
    )
    return {row["word"]: Count(row["visible"], row["total"]) for row in rows}


def words_starting_with(db: SyncReader, prefix: str, scope: Scope, most: int) -> Mapping[str, Count]:
    """The most frequent words in the scope with this prefix."""
    rows = db.rows(
        f"""SELECT word, {_COUNTS} FROM knowledge_vocabulary WHERE word >= :first AND word < :after
        GROUP BY word HAVING visible ORDER BY visible DESC LIMIT :most""",
        first=prefix,
        after=prefix + "\U0010ffff",
        most=most,
        **scope.params,
    )
    return {row["word"]: Count(row["visible"], row["total"]) for row in rows}


def topic_counts(db: SyncReader, scope: Scope) -> Mapping[str, int]:
    """Topic → number of entries, the 500 most frequent first."""
    rows = db.rows(
        f"""SELECT substr(word, 2) AS topic, sum(entries) AS entries FROM knowledge_vocabulary WHERE word >= '#'
        AND word < '$'
        AND {Scope.PARTITIONS} GROUP BY word ORDER BY entries DESC, word LIMIT 500""",
        **scope.params,
    )
    return {row["topic"]: row["entries"] for row in rows}


def topics_used(db: SyncReader, scope: Scope, topics: Iterable[str]) -> Sequence[str]:
    """The topics among these that any entry in the scope has."""
    of_words = counts(db, [f"#{topic}" for topic in topics], scope)
    return [word[1:] for word, count in of_words.items() if count.visible]


def _absent_words(tx: SyncTransaction, rows: Sequence[Row]) -> set[str]:
    """The traceable words of these rows that no entry of any shelf has."""
    words = dict.fromkeys(row["word"] for row in rows)
    absent = tx.rows(
        """SELECT value AS word FROM json_each(:words)
        WHERE NOT EXISTS (SELECT 1 FROM knowledge_vocabulary WHERE word = json_each.value)""",
        words=json.dumps([*filter(traceable, words)]),
    )
    return {row["word"] for row in absent}
