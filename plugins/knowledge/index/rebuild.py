"""Entries follow what was said: made anew from it, in the same transaction; without anything said, they go."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from bot.api import Row, SyncTransaction
from plugins.knowledge.fetch.queue import ASKED
from plugins.knowledge.index import build_entry, vocabulary
from plugins.knowledge.index.build_entry import Made, Said, make
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.access import Shelf, scope
from plugins.knowledge.store.sql import CURATIONS, by_entry

MOST_SHARES = 50  # of an entry that are read and indexed, newest first

_IDS = "(SELECT value FROM json_each(:ids))"


def renew(tx: SyncTransaction, rules: Rules, entries: Collection[int]) -> None:
    """Makes these entries anew. Any number of them: the statements are the same for one and for a thousand."""
    if not entries:
        return
    ids = json.dumps(sorted(entries))
    rows = tx.rows(
        f"""SELECT e.id, e.resource, e.label, coalesce(e.title, e.url, e.shared_at) IS NOT NULL AS made,
        s.id AS shelf, s.hub, s.circle, EXISTS (SELECT 1 FROM curations WHERE entry = e.id) AS curations,
        EXISTS (SELECT 1 FROM corrections WHERE entry = e.id) AS corrections,
        EXISTS (SELECT 1 FROM facts WHERE entry = e.id) AS facts,
        EXISTS (SELECT 1 FROM votes WHERE entry = e.id) AS votes
        FROM entries e JOIN shelves s ON s.id = e.shelf WHERE e.id IN {_IDS} ORDER BY e.id""",
        ids=ids,
    )
    if any(row["facts"] for row in rows):
        _drop_unsaid(tx, ids)
    said = _said(tx, ids, rows)
    changes = _take_out(tx, ids, rows)
    kept = [row for row in rows if said[row["id"]].shares or said[row["id"]].curations]
    made = [(row, _make(rules, row, said[row["id"]])) for row in kept]
    _count(made, changes)
    _write(tx, made)
    vocabulary.apply(tx, changes)
    _drop(tx, [row for row in rows if not (said[row["id"]].shares or said[row["id"]].curations)])


def _make(rules: Rules, row: Row, said: Said) -> Made:
    return make(rules.of(row["hub"]), Shelf(row["shelf"], row["hub"], row["circle"]), said)


def _said(tx: SyncTransaction, ids: str, entries: Sequence[Row]) -> dict[int, Said]:
    wanted = {
        "curations": CURATIONS,
        "corrections": f"SELECT * FROM corrections WHERE entry IN {_IDS}",
        "facts": f"""SELECT f.* FROM facts f JOIN entries e ON e.id = f.entry WHERE f.entry IN {_IDS} AND f.state = 'ok'
            ORDER BY f.resource <> e.resource, f.resource""",
        "votes": f"SELECT entry, count(DISTINCT sharer) AS votes FROM votes WHERE entry IN {_IDS} GROUP BY entry",
    }
    # Most entries have nothing of it: read only where there is something.
    curations, corrections, facts, votes = [
        by_entry(tx, sql, ids) if any(row[name] for row in entries) else {} for name, sql in wanted.items()
    ]
    shares = _shares(tx, ids)
    return {
        (entry := row["id"]): Said(
            resource=row["resource"],
            shares=shares.get(entry, ()),
            curations=curations.get(entry, ()),
            corrections={row["field"]: row["value"] for row in corrections.get(entry, ())},
            facts=facts.get(entry, ()),
            votes=next((row["votes"] for row in votes.get(entry, ())), 0),
        )
        for row in entries
    }


def _drop_unsaid(tx: SyncTransaction, ids: str) -> None:
    """What a page said goes with the address it was asked by, and with the page, once nobody says that any more."""
    tx.execute(
        f"""DELETE FROM facts AS f WHERE entry IN {_IDS} AND ((({ASKED}) AND url NOT IN
        (SELECT url FROM shares WHERE entry = f.entry AND resource = f.resource UNION ALL
        SELECT url FROM curations WHERE entry = f.entry AND resource = f.resource UNION ALL
        SELECT value FROM corrections WHERE entry = f.entry AND field = 'url' UNION ALL
        SELECT value FROM put_aside WHERE shelf = (SELECT shelf FROM entries WHERE id = f.entry)
        AND resource = f.resource AND field = 'url'))
        OR NOT (EXISTS (SELECT 1 FROM shares WHERE resource = f.resource AND +entry = f.entry)
        OR EXISTS (SELECT 1 FROM curations WHERE entry = f.entry AND resource = f.resource)
        OR EXISTS (SELECT 1 FROM entries WHERE id = f.entry AND resource = f.resource)))""",
        ids=ids,
    )


def _shares(tx: SyncTransaction, ids: str) -> Mapping[int, Sequence[Row]]:
    """The newest of each entry, with the strictest label of all."""
    return by_entry(
        tx,
        f"""SELECT s.*, (SELECT max(tlp) FROM shares WHERE entry = s.entry) AS strictest
        FROM json_each(:ids) i CROSS JOIN shares s ON s.id IN
        (SELECT id FROM shares WHERE entry = i.value ORDER BY sent_at DESC, id DESC LIMIT {MOST_SHARES})
        ORDER BY s.entry, s.sent_at DESC, s.id DESC""",
        ids,
    )


def _take_out(tx: SyncTransaction, ids: str, rows: Sequence[Row]) -> defaultdict[int, Counter[str]]:
    """Takes the words and topics of these entries out, if they have any yet; answers what counts less for it."""
    changes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    if not any(row["made"] for row in rows):
        return changes
    scopes = {row["id"]: scope(row["shelf"], row["label"]) for row in rows}
    topics = by_entry(tx, f"SELECT entry, topic FROM entry_topics WHERE entry IN {_IDS}", ids)
    for row in tx.rows(f"SELECT rowid AS id, * FROM entry_words WHERE rowid IN {_IDS}", ids=ids):
        changes[scopes[row["id"]]].subtract(
            build_entry.counted(row, [one["topic"] for one in topics.get(row["id"], ())])
        )
    tx.execute(f"DELETE FROM entry_topics WHERE entry IN {_IDS}", ids=ids)
    tx.execute(f"DELETE FROM entry_words WHERE rowid IN {_IDS}", ids=ids)
    return changes


def _count(made: Sequence[tuple[Row, Made]], changes: defaultdict[int, Counter[str]]) -> None:
    for row, one in made:
        changes[scope(row["shelf"], int(str(one.entry["label"])))].update(build_entry.counted(one.words, one.topics))


def _write(tx: SyncTransaction, made: Sequence[tuple[Row, Made]]) -> None:
    tx.execute_many(
        """UPDATE entries SET url = :url, title = :title, languages = :languages, kind = :kind, curated = :curated,
        pinned = :pinned, hidden = :hidden, label = :label, votes = :votes, shared_at = :shared_at,
        shared_by = :shared_by WHERE id = :id""",
        ({"id": row["id"], **one.entry} for row, one in made),
    )
    tx.execute_many(
        "INSERT INTO entry_topics (entry, topic) VALUES (:id, :topic)",
        ({"id": row["id"], "topic": topic} for row, one in made for topic in one.topics),
    )
    tx.execute_many(
        f"""INSERT INTO entry_words (rowid, {", ".join(build_entry.COLUMNS)})
        VALUES (:id, {", ".join(f":{column}" for column in build_entry.COLUMNS)})""",
        ({"id": row["id"], **one.words} for row, one in made if one.words),
    )


def _drop(tx: SyncTransaction, gone: Sequence[Row]) -> None:
    """Entries nothing is said of any more, and resources nobody knows any more."""
    if gone:
        _unsay(tx, json.dumps([row["id"] for row in gone]))
    for row in gone:
        joined = tx.rows("SELECT resource FROM merged WHERE entry = :id", id=row["id"])
        tx.execute("DELETE FROM entries WHERE id = :id", id=row["id"])
        for resource in (row["resource"], *(one["resource"] for one in joined)):
            forget_resource(tx, resource)


def _unsay(tx: SyncTransaction, ids: str) -> None:
    """What was written about these entries leaves the list of changes; who changed what kind of thing, and when, stays.
    One that was joined to another lives on as its part."""
    about = f"""(shelf, number) IN (SELECT shelf, number FROM entries e WHERE id IN {_IDS}
        AND NOT EXISTS (SELECT 1 FROM merged WHERE shelf = e.shelf AND resource = e.resource)
        UNION ALL SELECT shelf, number FROM merged WHERE entry IN {_IDS})"""
    tx.execute(
        f"UPDATE changes SET before = NULL, after = NULL WHERE what IN ('title', 'note', 'url') AND {about}", ids=ids
    )
    tx.execute(f"UPDATE changes SET what = 'topic:' WHERE what LIKE 'topic:%' AND {about}", ids=ids)


def forget_resource(tx: SyncTransaction, resource: int) -> None:
    """Drops a page nothing refers to."""
    tx.execute(
        """DELETE FROM resources WHERE id = :resource
        AND NOT EXISTS (SELECT 1 FROM entries WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM merged WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM shares WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM curations WHERE resource = :resource)""",
        resource=resource,
    )
