"""Entries follow what was said: made anew from it, in the same transaction; without anything said, they go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bot.api import Row, Transaction
from plugins.knowledge import making, vocabulary
from plugins.knowledge.making import Made, Said, make
from plugins.knowledge.rules import Rules
from plugins.knowledge.shelves import Shelf, scope

MOST_SHARES = 50  # of an entry that are read and indexed, newest first

_IDS = "(SELECT value FROM json_each(:ids))"


async def renew(tx: Transaction, rules: Rules, entries: Collection[int]) -> None:
    """Makes these entries anew. Any number of them: the statements are the same for one and for a thousand."""
    if not entries:
        return
    ids = json.dumps(sorted(entries))
    rows = await tx.rows(
        f"""SELECT e.id, e.resource, e.label, coalesce(e.title, e.url, e.shared_at) IS NOT NULL AS made,
        s.id AS shelf, s.hub, s.circle FROM entries e JOIN shelves s ON s.id = e.shelf WHERE e.id IN {_IDS}""",
        ids=ids,
    )
    said = await _said(tx, ids, rows)
    made: dict[int, Made] = {}
    gone: list[Row] = []
    for row in rows:
        about = said[row["id"]]
        if about.shares or about.curations:
            made[row["id"]] = make(rules.of(row["hub"]), Shelf(row["shelf"], row["hub"], row["circle"]), about)
        else:
            gone.append(row)
    await _store(tx, ids, rows, made)
    await _drop(tx, gone)


async def _said(tx: Transaction, ids: str, entries: Sequence[Row]) -> dict[int, Said]:
    shares = await _by_entry(
        tx,
        f"""SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY entry ORDER BY sent_at DESC, id DESC) AS nth,
        max(tlp) OVER (PARTITION BY entry) AS strictest
        FROM shares WHERE entry IN {_IDS}) WHERE nth <= {MOST_SHARES} ORDER BY entry, nth""",
        ids,
    )
    # What most entries have nothing of is looked for at once, and read only where there is something.
    some = await tx.row(
        f"""SELECT EXISTS (SELECT 1 FROM curations WHERE entry IN {_IDS}) AS curations,
        EXISTS (SELECT 1 FROM corrections WHERE entry IN {_IDS}) AS corrections,
        EXISTS (SELECT 1 FROM facts WHERE entry IN {_IDS} AND state = 'ok') AS facts,
        EXISTS (SELECT 1 FROM votes WHERE entry IN {_IDS}) AS votes""",
        ids=ids,
    )
    wanted = {
        "curations": f"SELECT * FROM curations WHERE entry IN {_IDS}",
        "corrections": f"SELECT * FROM corrections WHERE entry IN {_IDS}",
        "facts": f"SELECT * FROM facts WHERE entry IN {_IDS} AND state = 'ok'",
        "votes": f"SELECT entry, count(*) AS votes FROM votes WHERE entry IN {_IDS} GROUP BY entry",
    }
    curations, corrections, facts, votes = [
        await _by_entry(tx, sql, ids) if some and some[name] else {} for name, sql in wanted.items()
    ]
    return {
        (entry := row["id"]): Said(
            resource=row["resource"],
            shares=shares.get(entry, ()),
            curations=curations.get(entry, ()),
            corrections={row["field"]: row["value"] for row in corrections.get(entry, ())},
            facts=next(iter(facts.get(entry, ())), None),
            votes=next((row["votes"] for row in votes.get(entry, ())), 0),
        )
        for row in entries
    }


async def _by_entry(tx: Transaction, sql: str, ids: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in await tx.rows(sql, ids=ids):
        found.setdefault(row["entry"], []).append(row)
    return found


async def _store(tx: Transaction, ids: str, rows: Sequence[Row], made: dict[int, Made]) -> None:
    changes: vocabulary.Changes = Counter()
    scopes = {row["id"]: scope(row["shelf"], row["label"]) for row in rows}
    before: Sequence[Row] = ()
    if any(row["made"] for row in rows):
        before = await tx.rows(f"SELECT rowid AS id, * FROM entry_words WHERE rowid IN {_IDS}", ids=ids)
        topics = await _by_entry(tx, f"SELECT entry, topic FROM entry_topics WHERE entry IN {_IDS}", ids)
        await tx.execute(f"DELETE FROM entry_topics WHERE entry IN {_IDS}", ids=ids)
        for row in before:
            for word in making.counted(row, [one["topic"] for one in topics.get(row["id"], ())]):
                changes[word, scopes[row["id"]]] -= 1
    if before:
        await tx.execute(f"DELETE FROM entry_words WHERE rowid IN {_IDS}", ids=ids)
    shelves = {row["id"]: row["shelf"] for row in rows}
    for id_, one in made.items():
        where = scope(shelves[id_], int(str(one.entry["label"])))
        for word in making.counted(one.words, one.topics):
            changes[word, where] += 1
    await tx.execute_many(
        """UPDATE entries SET url = :url, title = :title, languages = :languages, kind = :kind, curated = :curated,
        pinned = :pinned, hidden = :hidden, label = :label, votes = :votes, shared_at = :shared_at,
        shared_by = :shared_by WHERE id = :id""",
        ({"id": id_, **one.entry} for id_, one in made.items()),
    )
    await tx.execute_many(
        "INSERT INTO entry_topics (entry, topic) VALUES (:id, :topic)",
        ({"id": id_, "topic": topic} for id_, one in made.items() for topic in one.topics),
    )
    await tx.execute_many(
        f"""INSERT INTO entry_words (rowid, {", ".join(making.COLUMNS)})
        VALUES (:id, {", ".join(f":{column}" for column in making.COLUMNS)})""",
        ({"id": id_, **one.words} for id_, one in sorted(made.items()) if one.words),
    )
    await vocabulary.apply(tx, Counter({place: count for place, count in changes.items() if count}))


async def _drop(tx: Transaction, gone: Iterable[Row]) -> None:
    """Entries nothing is said of any more, and resources nobody knows any more."""
    for row in gone:
        joined = await tx.rows("SELECT resource FROM merged WHERE entry = :id", id=row["id"])
        await tx.execute("DELETE FROM entries WHERE id = :id", id=row["id"])
        for resource in (row["resource"], *(one["resource"] for one in joined)):
            await forget_resource(tx, resource)


async def forget_resource(tx: Transaction, resource: int) -> None:
    """Drops a page nothing refers to."""
    await tx.execute(
        """DELETE FROM resources WHERE id = :resource
        AND NOT EXISTS (SELECT 1 FROM entries WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM merged WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM shares WHERE resource = :resource)
        AND NOT EXISTS (SELECT 1 FROM curations WHERE resource = :resource)""",
        resource=resource,
    )
