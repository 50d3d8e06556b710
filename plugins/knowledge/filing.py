"""Which entry an address belongs to, where that changes: two entries joined by a moderator, an address taken out of
one again, and pages whose keys were made by older rules."""

from __future__ import annotations

from bot.api import Row, SyncTransaction
from plugins.knowledge.canonical import VERSION, canonical
from plugins.knowledge.placing import digest, entries_of, entry_of, first_number, resources_of
from plugins.knowledge.renewal import forget_resource, renew
from plugins.knowledge.rules import Rules
from plugins.knowledge.shelves import LABELS
from plugins.knowledge.yielding import OWN, WHOLE


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
    tx.execute(
        """DELETE FROM corrections WHERE entry = :entry AND EXISTS (SELECT 1 FROM put_aside a WHERE a.shelf = :shelf
        AND a.resource = :resource AND a.field = corrections.field AND a.value = corrections.value
        AND a.by IS corrections.by AND a.at = corrections.at)""",
        entry=entry,
        shelf=shelf,
        resource=resource,
    )
    tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at, brought)
        SELECT :own, field, value, by, at, brought FROM corrections
        WHERE entry = :entry AND field IN ('hidden', 'label')
        ON CONFLICT (entry, field) DO UPDATE SET value = excluded.value, brought = excluded.brought
        WHERE excluded.value = 'amber' OR (excluded.value = 'green' AND value = 'clear')""",
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


def refile(tx: SyncTransaction, rules: Rules, most: int) -> bool:
    """Makes the keys of pages anew that older rules made; answers whether there are more to do.

    Pages that the new rules call one are joined; a page that they call two is taken apart.
    """
    old = tx.rows("SELECT id FROM resources WHERE version <> :now LIMIT :most", now=VERSION, most=most)
    for row in old:
        _refile(tx, rules, row["id"])
    return len(old) == most


def refile_recommended(tx: SyncTransaction, rules: Rules) -> None:
    """The same at once for what the YAML recommends, before it is looked for by its new keys."""
    for row in tx.rows(
        "SELECT id FROM resources WHERE version <> :now AND id IN (SELECT resource FROM curations)", now=VERSION
    ):
        _refile(tx, rules, row["id"])


def _refile(tx: SyncTransaction, rules: Rules, resource: int) -> None:
    rows = tx.rows(
        """SELECT entry, url FROM shares WHERE resource = :id UNION SELECT entry, url FROM curations
        WHERE resource = :id""",
        id=resource,
    )
    keys = {row["url"]: canonical(row["url"]) or row["url"] for row in rows}
    taken = {
        key: tx.value("SELECT id FROM resources WHERE key = :key AND id <> :id", key=digest(key), id=resource)
        for key in set(keys.values())
    }
    if len(taken) == 1 and None in taken.values():
        key = next(iter(taken))
        tx.execute(
            "UPDATE resources SET key = :key, version = :now WHERE id = :id",
            key=digest(key),
            now=VERSION,
            id=resource,
        )
        return
    tx.execute("UPDATE resources SET version = :now WHERE id = :id", now=VERSION, id=resource)
    resources = resources_of(tx, set(keys.values()))
    touched: set[int] = set()
    for row in rows:
        new = resources[keys[row["url"]]]
        touched |= _move(tx, rules, row, resource, new)
    renew(tx, rules, touched)
    forget_resource(tx, resource)


def _move(tx: SyncTransaction, rules: Rules, row: Row, resource: int, new: int) -> set[int]:
    """What an entry has of one address goes to the entry of its new key on the same shelf."""
    about = tx.row("SELECT shelf, number, resource FROM entries WHERE id = :entry", entry=row["entry"])
    if about is None or new == resource:
        return set()
    entry = row["entry"]
    if about["resource"] != resource:  # by way of a join, which stays as it was made
        _join_anew(tx, rules, entry, about["shelf"], resource, new)
    else:
        entry = (entries_of(tx, [(about["shelf"], new)]))[about["shelf"], new]
    for table in ("shares", "curations", "facts"):
        tx.execute(
            f"""UPDATE OR REPLACE {table} SET entry = :to, resource = :new
            WHERE entry = :entry AND resource = :resource AND url = :url""",
            to=entry,
            new=new,
            entry=row["entry"],
            resource=resource,
            url=row["url"],
        )
    left = tx.value(
        """SELECT EXISTS (SELECT 1 FROM shares WHERE entry = :entry)
        OR EXISTS (SELECT 1 FROM curations WHERE entry = :entry)""",
        entry=row["entry"],
    )
    if not left and entry != row["entry"]:
        _hand_over(tx, entry, row["entry"], about)
    return {entry, int(row["entry"])}


def _join_anew(tx: SyncTransaction, rules: Rules, entry: int, shelf: int, old: int, new: int) -> None:
    """A part of an entry has a new key; what was shared meanwhile under that key joins, with a number of its own."""
    meanwhile = entry_of(tx, shelf, new)
    if meanwhile == entry:
        return
    tx.execute(
        "UPDATE votes SET resource = :new WHERE entry = :entry AND resource = :old", entry=entry, old=old, new=new
    )
    if meanwhile is not None:
        merge(tx, rules, entry, meanwhile)
        # The part keeps the number people know it by; the younger number leads to the entry by way of the old key.
        tx.execute(
            """UPDATE merged SET number = (SELECT sum(number) FROM merged WHERE shelf = :shelf
            AND resource IN (:old, :new)) - number WHERE shelf = :shelf AND resource IN (:old, :new)""",
            shelf=shelf,
            old=old,
            new=new,
        )
        return
    tx.execute(
        "UPDATE merged SET resource = :new WHERE shelf = :shelf AND resource = :old", shelf=shelf, old=old, new=new
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
        SELECT :shelf, :resource, field, value, by, at, brought FROM corrections
        WHERE entry = :other ON CONFLICT DO NOTHING""",
        other=other,
        shelf=about["shelf"],
        resource=about["resource"],
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
    for table in ("votes", "corrections", "merged"):
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
