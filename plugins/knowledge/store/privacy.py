"""Taking out for good: one result, or everything the index holds of a hub. Each function is one short transaction's
work, so that a bot that runs meanwhile has its turn; done twice, the second time changes nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store.access import every

SLICE = 200  # entries in one transaction
FEW = 20  # people or rooms in one: for each, SQLite looks whether any row still names it

_SHELVES = "(SELECT id FROM shelves WHERE hub = :hub)"
_ENTRIES = f"(SELECT id FROM entries WHERE shelf IN {_SHELVES})"
_NAMED = {
    "places": "SELECT place FROM shares",
    "sharers": """SELECT sender FROM shares EXCEPT SELECT shared_by FROM entries EXCEPT SELECT by FROM corrections
        EXCEPT SELECT by FROM put_aside EXCEPT SELECT by FROM given_way EXCEPT SELECT by FROM changes
        EXCEPT SELECT sharer FROM votes EXCEPT SELECT sharer FROM choices""",
}

Held = Mapping[str, int]
"""Table → how many of its rows."""


def hubs(db: SyncReader) -> Sequence[str]:
    """The hubs the index holds anything of, also those that are no longer configured."""
    return sorted({shelf.hub for shelf in every(db)})


def of_hub(db: SyncReader, hub: str) -> Held:
    entry, shelf = f"entry IN {_ENTRIES}", f"shelf IN {_SHELVES}"
    conditions = {"entries": shelf, "shares": entry, "corrections": entry, "changes": shelf, "votes": entry}
    return _held(db, conditions, hub=hub)


def of_result(db: SyncReader, entry: int) -> Held:
    return _held(db, dict.fromkeys(("shares", "corrections", "votes"), "entry = :entry"), entry=entry)


def of_person(db: SyncReader, user: str) -> Held:
    columns = {"shares": "sender", "corrections": "by", "changes": "by", "votes": "sharer"}
    of_theirs = "= (SELECT id FROM sharers WHERE user = :user)"
    return _held(db, {table: f"{column} {of_theirs}" for table, column in columns.items()}, user=user)


def take_out(tx: SyncTransaction, rules: Rules, entries: Collection[int]) -> None:
    """These entries go with all that was said of them."""
    for table in ("shares", "curations"):
        tx.execute(
            f"DELETE FROM {table} WHERE entry IN (SELECT value FROM json_each(:ids))", ids=json.dumps(sorted(entries))
        )
    renew(tx, rules, entries)


def drop_searches(tx: SyncTransaction, hub: str) -> None:
    """What was asked in the rooms the hub's entries were shared in."""
    tx.execute(
        f"""DELETE FROM searches WHERE room IN (SELECT room FROM places WHERE id IN
        (SELECT place FROM shares WHERE entry IN {_ENTRIES}))""",
        hub=hub,
    )


def take_out_some(tx: SyncTransaction, rules: Rules, hub: str) -> int:
    """How many entries of the hub went; 0: there were none left."""
    rows = tx.rows(f"SELECT id FROM entries WHERE shelf IN {_SHELVES} LIMIT {SLICE}", hub=hub)
    take_out(tx, rules, {row["id"] for row in rows})
    return len(rows)


def close(tx: SyncTransaction, hub: str, *, configured: bool) -> None:
    """The list of changes goes, with the names of files, and the empty shelves: not those of a hub that is in use,
    whose numbers go on."""
    tx.execute(f"DELETE FROM imports WHERE change IN (SELECT id FROM changes WHERE shelf IN {_SHELVES})", hub=hub)
    tx.execute(f"DELETE FROM changes WHERE shelf IN {_SHELVES}", hub=hub)
    if not configured:
        tx.execute(f"DELETE FROM shelves WHERE hub = :hub AND NOT EXISTS {_ENTRIES}", hub=hub)


def drop_unused(tx: SyncTransaction, table: str) -> bool:
    """Some of the `places` or `sharers` that nothing names any more; whether there may be more."""
    unused = f"SELECT id FROM {table} EXCEPT {_NAMED[table]} LIMIT {FEW}"
    return tx.execute(f"DELETE FROM {table} WHERE id IN ({unused})") == FEW


def _held(db: SyncReader, conditions: Mapping[str, str], **params: object) -> Held:
    return {
        table: db.value(f"SELECT count(*) FROM {table} WHERE {condition}", **params)
        for table, condition in conditions.items()
    }
