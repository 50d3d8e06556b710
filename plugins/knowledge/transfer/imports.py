"""Files that were brought in: each is a row of `changes`, and all it added names that row, to be taken back as one.

What people said of its links since then stays: shares, corrections, votes. A page that only the file shared goes,
unless somebody corrected it (labels do not count) or found it useful, and nobody hid it: then its address stays,
without the file's words.

A `file` is the id of its change. Each function is one short transaction's work; done twice, the second time changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.api import Row, SyncReader, SyncTransaction, Text
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import forget_resource, renew
from plugins.knowledge.store import joins
from plugins.knowledge.store.access import shelf_for
from plugins.knowledge.store.ids import new_ids
from plugins.knowledge.store.statements import IMPORT
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import Manner, Outcome

SLICE = 200  # entries in one transaction

_THESE = "entry IN (SELECT value FROM json_each(:ids))"
_THEIRS = f"{_THESE} AND +brought = :file"  # +: found by their entry, not all of the file
_ADDED = ("shares", "corrections", "facts", "merged")
_TOUCHED = " UNION ".join(f"SELECT entry FROM {table} WHERE brought = :file" for table in _ADDED)
_SOME = " UNION ".join(
    f"SELECT entry FROM (SELECT entry FROM {table} WHERE brought = :file LIMIT {SLICE})" for table in _ADDED
)
_SHARED = """(EXISTS (SELECT 1 FROM shares WHERE entry = e.id AND brought IS NOT :file)
    OR EXISTS (SELECT 1 FROM curations WHERE entry = e.id))"""
_CORRECTED = """((EXISTS (SELECT 1 FROM votes WHERE entry = e.id) OR EXISTS (SELECT 1 FROM corrections
    WHERE entry = e.id AND brought IS NULL
    AND (field IN ('title', 'note', 'url', 'pinned') OR field LIKE 'topic:%' AND value = '+')))
    AND NOT EXISTS (SELECT 1 FROM corrections WHERE entry = e.id AND field = 'hidden'))"""

_CORRECT = """INSERT INTO corrections (entry, field, value, by, at, brought)
    VALUES (:entry, :field, :value, :by, :at, :brought) ON CONFLICT DO NOTHING"""


State = Literal["coming", "there", "going", "gone"]

HALF: Mapping[State, Text] = {
    "coming": Text("begun and not finished: the same faro import goes on"),
    "going": Text("taking it back was begun and not finished: the same faro take-back goes on"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file that is brought in: the file's digest and name, and how much of it is done then; None: all."""

    digest: str
    file: str
    end: int | None


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that was brought in. Its `state`: `coming` or `going` if that was begun and not finished; else `there`, or
    `gone`."""

    id: int
    circle: str
    file: str
    links: int
    at: int
    state: State


@dataclass(frozen=True, slots=True)
class Held:
    """How many results would go with a file, and how many stay; addresses that were joined are one."""

    go: int
    stay: int


def bring(tx: SyncTransaction, rules: Rules, manner: Manner, items: Sequence[Item], part: Part) -> Sequence[Outcome]:
    """`importing.bring` for a part of a file, which is one change however many parts and interruptions there are."""
    begun: int | None = tx.value("SELECT change FROM imports WHERE digest = :digest", digest=part.digest)
    change = begun or next(new_ids(tx, "changes"))
    outcomes = importer.bring(tx, rules, replace(manner, brought=change), items)
    links = sum(one.what != "known" for one in outcomes)
    if links:
        tx.execute(
            """INSERT INTO changes (id, shelf, number, what, after, at)
            VALUES (:id, :shelf, :links, :what, :name, :at)
            ON CONFLICT (id) DO UPDATE SET number = number + excluded.number""",
            id=change,
            shelf=shelf_for(tx, manner.hub, manner.circle).id,
            links=links,
            what=IMPORT,
            name=part.file,
            at=manner.now,
        )
    if part.end is None:
        tx.execute("DELETE FROM imports WHERE digest = :digest", digest=part.digest)
    else:
        tx.execute(
            """INSERT INTO imports (digest, done, change) VALUES (:digest, :done, :change)
            ON CONFLICT (digest) DO UPDATE SET done = excluded.done, change = excluded.change""",
            digest=part.digest,
            done=part.end,
            change=change if begun or links else None,
        )
    return outcomes


def files(db: SyncReader, hub: str) -> Sequence[Brought]:
    """The newest first."""
    rows = db.rows(
        """SELECT c.id, s.circle, c.after AS file, c.number AS links, c.at,
        CASE WHEN c.undone THEN 'gone' WHEN c.before IS NOT NULL THEN 'going'
        WHEN EXISTS (SELECT 1 FROM imports WHERE change = c.id) THEN 'coming' ELSE 'there' END AS state
        FROM changes c JOIN shelves s ON s.id = c.shelf WHERE s.hub = :hub AND c.what = :what ORDER BY c.id DESC""",
        hub=hub,
        what=IMPORT,
    )
    return [Brought(**row) for row in rows]


def halves(db: SyncReader, hub: str) -> Mapping[int, Text]:
    """Files of which only a part is there, and why, by id."""
    return {one.id: HALF[one.state] for one in files(db, hub) if one.state in HALF}


def held(db: SyncReader, file: int) -> Held:
    row = db.row(
        f"""SELECT count(*) AS links, coalesce(sum({_SHARED} OR {_CORRECTED}), 0) AS stay
        FROM entries e WHERE e.id IN ({_TOUCHED})""",
        file=file,
    )
    return Held(row["links"] - row["stay"], row["stay"]) if row else Held(0, 0)


def begin(tx: SyncTransaction, file: int) -> None:
    """Brought in once more, also where that was interrupted, the file begins anew. What of it was put aside goes, and
    what people put in the place of its words names these no more."""
    tx.execute("DELETE FROM imports WHERE change = :file", file=file)
    tx.execute("DELETE FROM put_aside WHERE brought = :file", file=file)
    tx.execute("UPDATE changes SET before = NULL WHERE replaced = :file", file=file)
    tx.execute("UPDATE changes SET before = after WHERE id = :file", file=file)  # until it is closed


def take_back_some(tx: SyncTransaction, rules: Rules, file: int) -> int:
    """How many entries were freed of what the file added; 0: there were none left."""
    rows = tx.rows(f"{_SOME} LIMIT {SLICE}", file=file)
    if not rows:
        return 0
    ids = json.dumps([row["entry"] for row in rows])
    _leave_addresses(tx, file, ids)
    covered, given_way = _covered(tx, file, ids), _given_way(tx, file, ids)
    for table in ("shares", "corrections", "facts", "given_way"):
        tx.execute(f"DELETE FROM {table} WHERE {_THEIRS}", file=file, ids=ids)
    tx.execute_many(_CORRECT, covered)
    _take_apart(tx, rules, file, ids)
    for row in given_way:
        _give_back(tx, row)
    renew(tx, rules, [row["entry"] for row in rows])
    return len(rows)


def close(tx: SyncTransaction, file: int) -> None:
    """It is taken back."""
    tx.execute("UPDATE changes SET undone = 1, before = NULL WHERE id = :file", file=file)


def _leave_addresses(tx: SyncTransaction, file: int, ids: str) -> None:
    """Of pages that stay for what people said of them, though only the file shared them."""
    tx.execute(
        f"""UPDATE shares AS s SET brought = NULL, sender = NULL, label = NULL, note = NULL,
        tlp = (SELECT max(tlp) FROM shares WHERE entry = s.entry) WHERE id IN
        (SELECT coalesce((SELECT max(id) FROM shares WHERE entry = e.id AND resource = e.resource),
        (SELECT max(id) FROM shares WHERE entry = e.id))
        FROM entries e WHERE e.id IN (SELECT value FROM json_each(:ids)) AND NOT {_SHARED} AND {_CORRECTED})""",
        file=file,
        ids=ids,
    )


def _covered(tx: SyncTransaction, file: int, ids: str) -> Sequence[Row]:
    """Corrections of pages that were joined since, in whose place the file's counted."""
    return tx.rows(
        f"""SELECT d.entry, a.field, a.value, a.by, a.at, a.brought
        FROM corrections d JOIN merged m ON m.entry = d.entry
        JOIN put_aside a ON a.shelf = m.shelf AND a.resource = m.resource AND a.field = d.field
        WHERE +d.brought = :file AND a.brought IS NOT :file AND d.{_THESE}""",
        file=file,
        ids=ids,
    )


def _given_way(tx: SyncTransaction, file: int, ids: str) -> Sequence[Row]:
    """Corrections that gave way to the file's shares, with the id of the first of these."""
    return tx.rows(
        f"""SELECT entry, field, value, by, at, NULL AS brought,
        coalesce((SELECT min(id) FROM shares WHERE entry = g.entry AND +brought = :file), 0) AS since
        FROM given_way g WHERE {_THEIRS}""",
        file=file,
        ids=ids,
    )


def _give_back(tx: SyncTransaction, row: Row) -> None:
    """A correction that gave way counts again, unless it would have given way to what was shared later: if that is of
    another file, it comes back with it."""
    later = tx.row(
        """SELECT brought FROM shares WHERE entry = :entry AND id > :since
        AND (:field = 'label' OR sender IS NOT :by) ORDER BY id LIMIT 1""",
        **row,
    )
    if later is None:
        tx.execute_many(_CORRECT, [row])
    elif later["brought"] is not None:
        tx.execute(
            """INSERT INTO given_way (brought, entry, field, value, by, at)
            VALUES (:file, :entry, :field, :value, :by, :at) ON CONFLICT DO NOTHING""",
            file=later["brought"],
            **row,
        )


def _take_apart(tx: SyncTransaction, rules: Rules, file: int, ids: str) -> None:
    """The addresses the file joined are results of their own again, if anything of them is left."""
    joined = tx.rows(
        f"""SELECT m.shelf, m.resource, m.entry, m.number, e.resource AS own
        FROM merged m JOIN entries e ON e.id = m.entry
        WHERE +m.brought = :file AND m.{_THESE} ORDER BY m.number""",
        file=file,
        ids=ids,
    )
    own = {row["entry"]: row["own"] for row in joined}
    for row in joined:
        entry, part = row["entry"], row["resource"]
        if not _is_left(tx, entry, part):
            _drop_page(tx, entry, part, own[entry])
        elif _is_left(tx, entry, own[entry]):
            joins.split(tx, rules, row["shelf"], row["number"])
        else:  # the entry keeps its number, and what people said of it
            tx.execute("DELETE FROM merged WHERE entry = :entry AND resource = :part", entry=entry, part=part)
            tx.execute("UPDATE entries SET resource = :part WHERE id = :entry", entry=entry, part=part)
            _drop_page(tx, entry, own[entry], part)
            own[entry] = part


def _is_left(tx: SyncTransaction, entry: int, resource: int) -> bool:
    return bool(
        tx.value(
            """SELECT EXISTS (SELECT 1 FROM shares WHERE entry = :entry AND resource = :resource)
            OR EXISTS (SELECT 1 FROM curations WHERE entry = :entry AND resource = :resource)""",
            entry=entry,
            resource=resource,
        )
    )


def _drop_page(tx: SyncTransaction, entry: int, page: int, other: int) -> None:
    """A page of an entry nobody shares any more; what people said of it, they say of another one."""
    about = {"entry": entry, "page": page, "other": other}
    tx.execute("DELETE FROM merged WHERE entry = :entry AND resource = :page", entry=entry, page=page)
    tx.execute("UPDATE merged SET moved_from = :other WHERE entry = :entry AND moved_from = :page", **about)
    tx.execute("UPDATE OR REPLACE votes SET resource = :other WHERE entry = :entry AND resource = :page", **about)
    tx.execute("DELETE FROM facts WHERE entry = :entry AND resource = :page", entry=entry, page=page)
    forget_resource(tx, page)
