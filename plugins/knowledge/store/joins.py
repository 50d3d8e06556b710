"""Which entry an address belongs to, where that changes: two entries joined by a moderator, and an address taken out of
one again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.api import Row, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import forget_resource, renew
from plugins.knowledge.store.access import AMBER, LABELS
from plugins.knowledge.store.ids import digest, entry_of, first_number, resources_of
from plugins.knowledge.store.yielding import OWN, WHOLE
from plugins.knowledge.urls.canonical import canonical

_STRICTER = """ON CONFLICT DO UPDATE SET value = excluded.value, brought = excluded.brought
    WHERE excluded.value = 'amber' OR (excluded.value = 'green' AND value = 'clear')"""
"""Of two labels the stricter one is kept."""


def merge(tx: SyncTransaction, rules: Rules, into: int, other: int) -> None:
    """The entry `other` becomes part of `into`, of the same shelf; its number leads there from now on."""
    row = tx.row("SELECT shelf, resource, number FROM entries WHERE id = :other", other=other)
    if row is None:
        return
    for table in ("shares", "curations", "facts"):
        tx.execute(f"UPDATE {table} SET entry = :into WHERE entry = :other", into=into, other=other)
    _hand_over(tx, into, other, row)
    # Where the other page moved to is put aside with it: the whole has the address of the first.
    tx.execute(
        """DELETE FROM corrections WHERE entry = :into AND field = 'url' AND value IN (SELECT value FROM put_aside
        WHERE shelf = :shelf AND resource = :resource AND field = 'url')""",
        into=into,
        shelf=row["shelf"],
        resource=row["resource"],
    )
    renew(tx, rules, {into, other})


def split(tx: SyncTransaction, rules: Rules, shelf: int, number: int) -> int | None:
    """What was once the entry of that number is one again; its id, or None if it is no part of another, or nothing
    is left of it. What hid or labelled the whole since it was joined does so for both parts: nothing is opened."""
    row = tx.row(
        """SELECT resource, entry FROM merged m WHERE shelf = :shelf AND number = :number
        AND (EXISTS (SELECT 1 FROM shares WHERE entry = m.entry AND resource = m.resource)
        OR EXISTS (SELECT 1 FROM curations WHERE entry = m.entry AND resource = m.resource))""",
        shelf=shelf,
        number=number,
    )
    if row is None:
        return None
    own = tx.value(
        "INSERT INTO entries (shelf, number, resource) VALUES (:shelf, :number, :resource) RETURNING id",
        shelf=shelf,
        number=number,
        resource=row["resource"],
    )
    tx.execute("UPDATE merged SET entry = :own WHERE entry = :entry AND moved_from = :resource", own=own, **row)
    for table in ("shares", "curations", "facts", "votes"):
        tx.execute(
            f"""UPDATE {table} SET entry = :own WHERE entry = :entry
            AND (resource = :resource OR resource IN (SELECT resource FROM merged WHERE entry = :own))""",
            own=own,
            **row,
        )
    _take_back(tx, own, row["entry"], shelf, row["resource"])
    tx.execute("DELETE FROM merged WHERE shelf = :shelf AND number = :number", shelf=shelf, number=number)
    renew(tx, rules, {own, row["entry"]})
    return int(own)


def add_address(tx: SyncTransaction, entry: int, url: str) -> None:
    """The page of an entry has a new address: who shares that shares this page."""
    about = tx.row("SELECT shelf, resource FROM entries WHERE id = :entry", entry=entry)
    key = canonical(url) or url
    resource = resources_of(tx, {key})[key]
    if about is None or entry_of(tx, about["shelf"], resource) is not None:
        return
    tx.execute(
        """INSERT INTO merged (shelf, resource, entry, number, moved_from)
        VALUES (:shelf, :new, :entry, :number, :resource)""",
        new=resource,
        entry=entry,
        number=first_number(tx, about["shelf"], 1),
        **about,
    )


def drop_address(tx: SyncTransaction, rules: Rules, shelf: int, url: str) -> None:
    """It has not, after all: what was shared by that address is a result of its own."""
    row = tx.row(
        """SELECT m.number, m.resource FROM merged m JOIN resources r ON r.id = m.resource
        WHERE m.shelf = :shelf AND r.key = :key AND m.moved_from IS NOT NULL""",
        shelf=shelf,
        key=digest(canonical(url) or url),
    )
    if row is not None and split(tx, rules, shelf, row["number"]) is None:
        tx.execute("DELETE FROM merged WHERE shelf = :shelf AND number = :number", shelf=shelf, number=row["number"])
        forget_resource(tx, row["resource"])


def _take_back(tx: SyncTransaction, own: int, entry: int, shelf: int, resource: int) -> None:
    """The corrections of a part before it was joined are its own again, and no longer those of the whole."""
    # So is the label of what it was joined to, if it has only that which joining the two gave it.
    joined = tx.value(
        """DELETE FROM corrections WHERE entry = :entry AND field = 'label'
        AND (SELECT count(*) FROM merged WHERE entry = :entry) = 1
        AND (by, at) IS (SELECT by, at FROM put_aside WHERE shelf = :shelf AND resource = :resource
        AND field IN (:whole, 'label') ORDER BY field = 'label' LIMIT 1) RETURNING 1""",
        entry=entry,
        shelf=shelf,
        resource=resource,
        whole=WHOLE,
    )
    tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at, brought)
        SELECT :own, field, value, by, at, brought FROM put_aside
        WHERE shelf = :shelf AND resource = :resource AND field <> :whole""",
        own=own,
        whole=WHOLE,
        shelf=shelf,
        resource=resource,
    )
    taken = tx.rows(
        """DELETE FROM corrections WHERE entry = :entry AND EXISTS (SELECT 1 FROM put_aside a WHERE a.shelf = :shelf
        AND a.resource = :resource AND a.field = corrections.field AND a.value = corrections.value
        AND a.by IS corrections.by AND a.at = corrections.at) RETURNING field""",
        entry=entry,
        shelf=shelf,
        resource=resource,
    )
    _keep_close(tx, entry, resource, [row["field"] for row in taken])
    tx.execute(
        f"""INSERT INTO corrections (entry, field, value, by, at, brought)
        SELECT :own, field, value, by, at, brought FROM corrections
        WHERE entry = :entry AND field IN ('hidden', 'label') {_STRICTER}""",
        own=own,
        entry=entry,
    )
    if joined:
        tx.execute(
            """INSERT INTO corrections (entry, field, value, by, at, brought)
            SELECT :entry, 'label', value, by, at, brought
            FROM put_aside WHERE shelf = :shelf AND resource = :resource AND field = :whole""",
            entry=entry,
            shelf=shelf,
            resource=resource,
            whole=WHOLE,
        )


def _keep_close(tx: SyncTransaction, entry: int, resource: int, taken: Sequence[str]) -> None:
    """What hid or labelled a part that goes, and the whole with it, stays where another part was hidden or labelled,
    too. It opens nothing: not what somebody shared more closely."""
    tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at, brought)
        SELECT :entry, a.field, a.value, a.by, a.at, a.brought
        FROM put_aside a JOIN merged m ON m.shelf = a.shelf AND m.resource = a.resource
        WHERE m.entry = :entry AND m.resource <> :resource AND a.field IN (SELECT value FROM json_each(:taken))
        AND (a.field = 'hidden' OR a.field = 'label' AND (a.value = 'amber' OR a.value = 'green'
        AND NOT EXISTS (SELECT 1 FROM shares WHERE entry = :entry AND tlp = :amber)))
        ON CONFLICT (entry, field) DO UPDATE SET value = excluded.value WHERE excluded.value = 'amber'""",
        entry=entry,
        resource=resource,
        taken=json.dumps(taken),
        amber=AMBER,
    )


def _hand_over(tx: SyncTransaction, into: int, other: int, about: Row) -> None:
    """What people said of an entry that goes, and its number, are those of another from now on."""
    tx.execute(
        """INSERT INTO merged (shelf, resource, entry, number) VALUES (:shelf, :resource, :into, :number)
        ON CONFLICT DO NOTHING""",
        into=into,
        **about,
    )
    tx.execute(
        """INSERT INTO put_aside (shelf, resource, field, value, by, at, brought)
        SELECT :shelf, :resource, field, value, by, at - EXISTS (SELECT 1 FROM corrections w WHERE w.entry = :into
        AND (w.field, w.value, w.at) = (c.field, c.value, c.at) AND w.by IS c.by), brought
        FROM corrections c WHERE entry = :other ON CONFLICT DO NOTHING""",
        into=into,
        other=other,
        shelf=about["shelf"],
        resource=about["resource"],
    )
    # What limits an entry limits each of its parts, wherever they go.
    tx.execute(
        f"""INSERT INTO put_aside (shelf, resource, field, value, by, at, brought)
        SELECT m.shelf, m.resource, c.field, c.value, c.by, c.at, c.brought
        FROM merged m JOIN corrections c ON c.entry = m.entry
        WHERE m.entry = :other AND c.field IN ('hidden', 'label') {_STRICTER}""",
        other=other,
    )
    tx.execute(
        """INSERT INTO put_aside (shelf, resource, field, value, by, at, brought)
        SELECT :shelf, :resource, :whole, value, by, at, brought FROM corrections
        WHERE entry = :into AND field = 'label' ON CONFLICT DO NOTHING""",
        into=into,
        whole=WHOLE,
        shelf=about["shelf"],
        resource=about["resource"],
    )
    # What coordinators hid of one stays hidden, though the other was hidden by its only sharer.
    tx.execute(
        """UPDATE corrections SET value = other.value FROM corrections other WHERE corrections.entry = :into
        AND corrections.field = 'hidden' AND other.entry = :other AND other.field = 'hidden' AND other.value <> :own""",
        into=into,
        other=other,
        own=OWN,
    )
    for table in ("votes", "corrections", "merged", "given_way"):
        tx.execute(f"UPDATE OR IGNORE {table} SET entry = :into WHERE entry = :other", into=into, other=other)
    # A label somebody set for one of them is that of both now: the stricter of the two counts.
    strictest = tx.value(
        """SELECT max(label) FROM entries WHERE id IN (:into, :other)
        AND coalesce(title, url, shared_at) IS NOT NULL""",  # one that is just made has none yet
        into=into,
        other=other,
    )
    if strictest is not None:
        tx.execute(
            "UPDATE corrections SET value = :label WHERE entry = :into AND field = 'label'",
            label=LABELS[strictest],
            into=into,
        )
