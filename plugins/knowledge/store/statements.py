"""Correcting entries: each change is written down with what was before, so that it can be undone."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.api import Context, SyncReader, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store import joins
from plugins.knowledge.store.ids import sharer_of
from plugins.knowledge.views.load import Entry

MERGE, SPLIT, URL, IMPORT = "merge", "split", "url", "import"
MOST_OF_A_MESSAGE = 100  # changes: it was edited so often
MOST_AT_ONCE = 20  # changes of one command


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `what` is a field of an entry (title, note, url, hidden, pinned, label, topic:<id>,
    apart:<number of another entry>, stays: an address to which the page did not move), or merge, split; or
    import: of a file called `after` (and `before` while it is taken back), with `number` links."""

    id: int
    shelf: int
    entry: int | None
    number: int
    what: str
    before: str | None
    after: str | None
    by: str | None
    at: int
    undone: bool


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, when, and by which message."""

    user: str
    at: int
    event: str | None = None


def author(ctx: Context) -> Author:
    return Author(ctx.sender, ctx.now, ctx.message.event_id)


def change(
    tx: SyncTransaction, rules: Rules, entry: Entry, author: Author, values: Sequence[tuple[str, str | None]]
) -> bool:
    """Sets fields of an entry; None takes a field's value back to what was said without any correction. Whether any
    was set to something else than before."""
    changed = False
    for field, value in values:
        find = "SELECT value, brought FROM corrections WHERE entry = :entry AND field = :field"
        now = tx.row(find, entry=entry.id, field=field) or {"value": None, "brought": None}
        before, replaced = now["value"], now["brought"]
        if before != value:
            _set(tx, entry.id, field, value, author)
            _note(tx, entry, author, field, before, value, replaced)
            changed = True
    renew(tx, rules, {entry.id})
    return changed


def move(tx: SyncTransaction, rules: Rules, entry: Entry, url: str, author: Author) -> None:
    """The page of an entry has a new address: it is shown, and what is shared by it is filed there."""
    joins.add_address(tx, entry.id, url)
    change(tx, rules, entry, author, [(URL, url)])


def merge(tx: SyncTransaction, rules: Rules, into: Entry, other: Entry, author: Author) -> None:
    joins.merge(tx, rules, into.id, other.id)
    _note(tx, into, author, MERGE, None, str(other.number))


def split(tx: SyncTransaction, rules: Rules, entry: Entry, number: int, author: Author) -> int | None:
    """Takes what was once the entry of that number out of another one; its id, None if it was no part of one."""
    own = joins.split(tx, rules, entry.shelf.id, number)
    if own is not None:
        _note(tx, entry, author, SPLIT, None, str(number))
    return own


def changes(db: SyncReader, shelves: Sequence[int], limit: int) -> Sequence[Change]:
    """The newest changes on some shelves."""
    return _changes(db, "c.shelf IN (SELECT value FROM json_each(:shelves))", limit, shelves=json.dumps(shelves))


def last_of(db: SyncReader, shelves: Sequence[int], user: str, *, before: int | None = None) -> Sequence[Change]:
    """What a person's newest command (of those before that change) changed that was not undone, the newest first."""
    found = _changes(
        db,
        """c.shelf IN (SELECT value FROM json_each(:shelves)) AND u.user = :user AND c.undone = 0
        AND (:before IS NULL OR c.id < :before)""",
        1,
        shelves=json.dumps(shelves),
        user=user,
        before=before,
    )
    return numbered(db, shelves, found[0].id) if found else ()


def numbered(db: SyncReader, shelves: Sequence[int], id_: int) -> Sequence[Change]:
    """The change of that number, and what the same command (`!topic 12 +gifts -audit`) changed with it, the newest
    first."""
    return _changes(
        db,
        """c.shelf IN (SELECT value FROM json_each(:shelves)) AND (c.id = :id OR c.undone = 0
        AND (c.event, c.at, c.entry) = (SELECT event, at, entry FROM changes WHERE id = :id))""",
        MOST_AT_ONCE,
        shelves=json.dumps(shelves),
        id=id_,
    )


def undo(tx: SyncTransaction, rules: Rules, done: Change, author: Author) -> int | None:
    """Takes a change back; the entry that has what was changed now. None if it could not be: not twice, nor where its
    author was forgotten, nor where the entry is gone or was changed again since."""
    if done.undone or done.by is None:
        return None
    entry = done.entry
    if done.what == MERGE:
        entry = joins.split(tx, rules, done.shelf, int(done.after or 0))
        undone = entry is not None
    elif done.what == SPLIT:
        other = tx.value(
            "SELECT id FROM entries WHERE shelf = :shelf AND number = :number",
            shelf=done.shelf,
            number=int(done.after or 0),
        )
        undone = other is not None and _exists(tx, done)
        if undone and done.entry is not None:
            joins.merge(tx, rules, done.entry, int(other))
    else:
        undone = _take_back(tx, done, author)
        if undone and done.entry is not None:
            if done.what == URL:
                joins.drop_address(tx, rules, done.shelf, done.after or "")
            renew(tx, rules, {done.entry})
    if undone:
        tx.execute("UPDATE changes SET undone = 1 WHERE id = :id", id=done.id)
    return entry if undone else None


def withdrawn(tx: SyncTransaction, rules: Rules, shelves: Sequence[int], event: str) -> bool:
    """The message that gave a title, a note or topics was removed: so are its words, and what was before is back;
    whether there were any."""
    done = _changes(
        tx,
        """c.shelf IN (SELECT value FROM json_each(:shelves)) AND c.event = :event
        AND (c.what IN ('title', 'note') OR c.what LIKE 'topic:_%') AND c.after IS NOT NULL""",
        MOST_OF_A_MESSAGE,
        shelves=json.dumps(shelves),
        event=event,
    )
    if not done:
        return False
    for change in done:
        undo(tx, rules, change, Author(change.by or "", change.at))
    ids = json.dumps([change.id for change in done])
    touched = {*drop_words(tx, "c.id IN (SELECT value FROM json_each(:ids))", ids=ids), *_drop_set(tx, ids)}
    tx.execute(
        """UPDATE changes SET before = NULL, after = NULL, undone = 1,
        what = CASE WHEN what LIKE 'topic:%' THEN 'topic:' ELSE what END
        WHERE id IN (SELECT value FROM json_each(:ids))""",
        ids=ids,
    )
    renew(tx, rules, touched)
    return True


def _drop_set(tx: SyncTransaction, ids: str) -> Collection[int]:
    """What these changes set goes where it stands now, if their entry was joined to another since. Answers the entries
    that must be made anew."""
    theirs = """(by, at, field, value) IN
        (SELECT by, at, what, after FROM changes WHERE id IN (SELECT value FROM json_each(:ids)))"""
    touched = tx.rows(f"SELECT entry FROM corrections WHERE {theirs}", ids=ids)
    for table in ("corrections", "put_aside"):
        tx.execute(f"DELETE FROM {table} WHERE {theirs}", ids=ids)
    return {row["entry"] for row in touched}


def drop_words(tx: SyncTransaction, said: str, **params: object) -> Collection[int]:
    """Titles and notes that these changes (a condition on `changes c`) gave go wherever they stand: in what others did,
    too, who replaced them or brought them back. Answers the entries that must be made anew."""
    gave = f"SELECT 1 FROM changes c WHERE {said} AND c.after"
    touched = tx.rows(
        f"""SELECT entry FROM corrections d WHERE field IN ('title', 'note')
        AND EXISTS ({gave} = d.value AND c.what = d.field AND c.entry = d.entry)""",
        **params,
    )
    tx.execute(
        f"""DELETE FROM corrections AS d WHERE field IN ('title', 'note')
        AND EXISTS ({gave} = d.value AND c.what = d.field AND c.entry = d.entry)""",
        **params,
    )
    tx.execute(
        f"""DELETE FROM put_aside AS d WHERE field IN ('title', 'note')
        AND EXISTS ({gave} = d.value AND c.what = d.field AND c.shelf = d.shelf)""",
        **params,
    )
    tx.execute(
        f"""UPDATE changes AS d SET before = NULL WHERE what IN ('title', 'note')
        AND EXISTS ({gave} = d.before AND c.what = d.what AND c.entry = d.entry)""",
        **params,
    )
    return {row["entry"] for row in touched}


def _take_back(tx: SyncTransaction, done: Change, author: Author) -> bool:
    now = tx.value(
        "SELECT value FROM corrections WHERE entry = :entry AND field = :field", entry=done.entry, field=done.what
    )
    if done.entry is None or now != done.after or not _exists(tx, done):
        return False
    replaced = tx.value("SELECT replaced FROM changes WHERE id = :id", id=done.id)
    _set(tx, done.entry, done.what, done.before, author, replaced)
    return True


def _exists(db: SyncReader, done: Change) -> bool:
    """Whether the entry is still there: SQLite gives ids again, we never give a number again."""
    return bool(
        db.value(
            "SELECT EXISTS (SELECT 1 FROM entries WHERE id = :entry AND shelf = :shelf AND number = :number)",
            entry=done.entry,
            shelf=done.shelf,
            number=done.number,
        )
    )


def _set(
    tx: SyncTransaction, entry: int, field: str, value: str | None, author: Author, brought: int | None = None
) -> None:
    """`brought`: the file that brought the value in, if it is that of a file again."""
    if value is None:
        tx.execute("DELETE FROM corrections WHERE entry = :entry AND field = :field", entry=entry, field=field)
        return
    tx.execute(
        """INSERT INTO corrections (entry, field, value, by, at, brought)
        VALUES (:entry, :field, :value, :by, :at, :brought) ON CONFLICT (entry, field) DO UPDATE
        SET value = excluded.value, by = excluded.by, at = excluded.at, brought = excluded.brought""",
        entry=entry,
        field=field,
        value=value,
        by=sharer_of(tx, author.user),
        at=author.at,
        brought=brought,
    )


def _note(
    tx: SyncTransaction, entry: Entry, author: Author, what: str, before: str | None, after: str | None,
    replaced: int | None = None,
) -> None:  # fmt: skip
    tx.execute(
        """INSERT INTO changes (shelf, entry, number, what, before, after, by, at, event, replaced)
        VALUES (:shelf, :entry, :number, :what, :before, :after, :by, :at, :event, :replaced)""",
        shelf=entry.shelf.id,
        entry=entry.id,
        number=entry.number,
        what=what,
        before=before,
        after=after,
        by=sharer_of(tx, author.user),
        at=author.at,
        event=author.event,
        replaced=replaced,
    )


def _changes(db: SyncReader, where: str, limit: int, **params: object) -> Sequence[Change]:
    rows = db.rows(
        f"""SELECT c.id, c.shelf, c.entry, c.number, c.what, c.before, c.after, u.user AS by, c.at, c.undone
        FROM changes c LEFT JOIN sharers u ON u.id = c.by WHERE {where} ORDER BY c.id DESC LIMIT :limit""",
        limit=limit,
        **params,
    )
    return [Change(**{**row, "undone": bool(row["undone"])}) for row in rows]
