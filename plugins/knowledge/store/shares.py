"""Writing: what people share and moderators recommend is filed under its page and shelf, and taken out again.

`shares`, `curations`, `corrections` and `votes` are what was said; entries are made from them (index/rebuild.py) in the
same transaction and from one shelf's rows alone, so that nothing of a shelf can be seen through another's entry.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store import statements
from plugins.knowledge.store.access import GREEN, MEMBERS, shelf_for
from plugins.knowledge.store.ids import digest, entries_of, place_of, resources_of, sharer_of
from plugins.knowledge.store.yielding import give_way

LARGE = 200_000  # entries; from here on the index is not rewritten in one transaction: it takes seconds
STEP = 500  # pages of the index that are rewritten in one transaction


@dataclass(frozen=True, slots=True)
class Share:
    """One link in one message, or one line of a file that is brought in (then it has no `event`).

    `canonical` is the key of the address (urls/canonical.py); `said_in` the edit its present text came with, if one
    did.
    """

    hub: str
    url: str
    canonical: str
    sent_at: int
    sender: str | None = None
    circle: str = MEMBERS
    room: str | None = None
    event: str | None = None
    said_in: str | None = None
    label: str | None = None
    note: str | None = None
    topics: tuple[str, ...] = ()
    tlp: int = GREEN
    file: str | None = None
    brought: int | None = None
    """The file it came with: its id in `changes`."""


def put(tx: SyncTransaction, rules: Rules, shares: Sequence[Share]) -> Mapping[Share, int]:
    """Files shares; answers the entry each is in now. A share that is there already stays as it is."""
    if not shares:
        return {}
    entries = file(tx, shares)
    renew(tx, rules, set(entries.values()))
    return entries


def file(tx: SyncTransaction, shares: Sequence[Share]) -> Mapping[Share, int]:
    """`put` without making the entries anew: whoever calls this does."""
    shelves = {of: shelf_for(tx, *of).id for of in dict.fromkeys((share.hub, share.circle) for share in shares)}
    senders = {user: sharer_of(tx, user) for user in sorted({share.sender for share in shares if share.sender})}
    rooms = {room: place_of(tx, room) for room in sorted({share.room for share in shares if share.room})}
    resources = resources_of(tx, {share.canonical for share in shares})
    about = [(shelves[share.hub, share.circle], resources[share.canonical]) for share in shares]
    entries = entries_of(tx, list(dict.fromkeys(about)))
    tx.execute_many(
        """INSERT INTO shares (entry, resource, place, event, said_in, sender, sent_at, url, label, note, topics, tlp,
        file, brought) VALUES (:entry, :resource, :place, :event, :said_in, :sender, :sent_at, :url, :label, :note,
        :topics, :tlp, :file, :brought) ON CONFLICT DO NOTHING""",
        (
            {
                "entry": entries[where],
                "resource": where[1],
                "place": rooms.get(share.room or ""),
                "event": share.event,
                "said_in": share.said_in if share.said_in != share.event else None,
                "sender": senders.get(share.sender or ""),
                "sent_at": share.sent_at,
                "url": share.url,
                "label": share.label or None,
                "note": share.note or None,
                "topics": _json(share.topics) if share.topics else None,
                "tlp": share.tlp,
                "file": share.file,
                "brought": share.brought,
            }
            for share, where in zip(shares, about, strict=True)
        ),
    )
    filed = {share: entries[where] for share, where in zip(shares, about, strict=True)}
    give_way(tx, [(entry, share.tlp, senders.get(share.sender or "")) for share, entry in filed.items()])
    return filed


def replace(
    tx: SyncTransaction, rules: Rules, room: str, event: str, sender: str, shares: Sequence[Share]
) -> tuple[Mapping[Share, int], Collection[int]]:
    """Makes `shares` what this message shares, in place of what it shared before; also the entries something went from.

    A message is dated when it was first seen to share something. Somebody else's shares of it stay as they are.
    """
    mine = """event = :event AND place = (SELECT id FROM places WHERE room = :room)
        AND sender = (SELECT id FROM sharers WHERE user = :sender)"""
    said = {"room": room, "event": event, "sender": sender}
    old = tx.rows(f"SELECT entry, sent_at FROM shares WHERE {mine}", **said)
    if old:
        tx.execute(f"DELETE FROM shares WHERE {mine}", **said)
    entries = file(tx, shares) if shares else {}
    if old:
        tx.execute(
            f"UPDATE shares SET sent_at = :first WHERE {mine}",
            first=min(row["sent_at"] for row in old),
            **said,
        )
    went = {row["entry"] for row in old}
    renew(tx, rules, {*entries.values(), *went})
    return entries, went


def are_known(db: SyncReader, shares: Sequence[Share]) -> bool:
    """Whether there are any, and the shelf of each has its page already, and shows it, by another message."""
    return bool(shares) and all(_is_known(db, share) for share in shares)


def _is_known(db: SyncReader, share: Share) -> bool:
    return bool(
        db.value(
            """SELECT EXISTS (SELECT 1 FROM shelves s, resources r, entries e LEFT JOIN merged m ON m.entry = e.id
            WHERE s.hub = :hub AND s.circle = :circle AND r.key = :key AND e.shelf = s.id AND e.hidden = 0
            AND (e.resource = r.id OR m.resource = r.id))""",
            hub=share.hub,
            circle=share.circle,
            key=digest(share.canonical),
        )
    )


def is_somebody_elses(db: SyncReader, room: str, event: str, sender: str) -> bool:
    """Whether somebody else shared something by this message: then an edit of it is not valid (Matrix spec, "Validity
    of replacement events")."""
    return bool(
        db.value(
            """SELECT EXISTS (SELECT 1 FROM shares n JOIN sharers u ON u.id = n.sender WHERE event = :event
            AND place = (SELECT id FROM places WHERE room = :room) AND user <> :sender)""",
            room=room,
            event=event,
            sender=sender,
        )
    )


def is_said_in(db: SyncReader, room: str, event: str, said_in: str) -> bool:
    """Whether what a message shares came with that text."""
    return bool(
        db.value(
            """SELECT EXISTS (SELECT 1 FROM shares WHERE event = :event AND said_in = :said_in
            AND place = (SELECT id FROM places WHERE room = :room))""",
            room=room,
            event=event,
            said_in=said_in,
        )
    )


def remove(tx: SyncTransaction, rules: Rules, room: str, event: str) -> Collection[int]:
    """Removes what a message shares, given its id or that of the edit which holds its present text; the entries
    something went from."""
    gone = "place = (SELECT id FROM places WHERE room = :room) AND (event = :event OR said_in = :event)"
    old = tx.rows(f"SELECT DISTINCT entry FROM shares WHERE {gone}", room=room, event=event)
    if old:
        tx.execute(f"DELETE FROM shares WHERE {gone}", room=room, event=event)
    went = {row["entry"] for row in old}
    renew(tx, rules, went)
    return went


def forget(tx: SyncTransaction, rules: Rules, user: str) -> None:
    """Removes everything a person shared, wrote and found useful; the words leave the disk. That they want nothing kept
    stays known, or their next link would be kept."""
    id_ = tx.value("SELECT id FROM sharers WHERE user = :user", user=user)
    if id_ is None:
        return
    touched = tx.rows(
        """SELECT entry FROM votes WHERE sharer = :id UNION SELECT entry FROM corrections WHERE by = :id
        UNION SELECT entry FROM changes WHERE by = :id AND entry IS NOT NULL
        UNION SELECT entry FROM shares WHERE sender = :id""",
        id=id_,
    )
    # What they set goes, but for what others rely on without its being words: what is hidden stays hidden.
    statements.drop_words(tx, "c.by = :id", id=id_)
    for table in ("corrections", "put_aside", "given_way"):
        tx.execute(f"DELETE FROM {table} WHERE by = :id AND field IN ('title', 'note')", id=id_)
        tx.execute(f"UPDATE {table} SET by = NULL WHERE by = :id", id=id_)
    tx.execute("UPDATE changes SET before = NULL, after = NULL, by = NULL WHERE by = :id", id=id_)
    tx.execute("DELETE FROM votes WHERE sharer = :id", id=id_)
    tx.execute("UPDATE choices SET askable = 0 WHERE sharer = :id AND unlogged = 1", id=id_)
    tx.execute("DELETE FROM choices WHERE sharer = :id AND unlogged = 0", id=id_)
    tx.execute("DELETE FROM shares WHERE sender = :id", id=id_)
    renew(tx, rules, {row["entry"] for row in touched})
    tx.execute("UPDATE entries SET shared_by = NULL WHERE shared_by = :id", id=id_)
    tx.execute("DELETE FROM sharers WHERE id = :id AND id NOT IN (SELECT sharer FROM choices)", id=id_)
    erase(tx)


def erase(tx: SyncTransaction, large: int = LARGE) -> bool:
    """Lets deleted words leave the disk: a deleted row alone leaves them in the search index and in the log.

    The index is rewritten, about 0.1 s for ten thousand entries. Not one that is large: then the answer is False, and
    `rewrite_some` does it in steps.
    """
    small = int(tx.value("SELECT count(*) FROM (SELECT 1 FROM entries LIMIT :large)", large=large)) < large
    if small:
        rewrite(tx)
    tx.erase()
    return small


def rewrite(tx: SyncTransaction) -> None:
    tx.execute("INSERT INTO entry_words (entry_words) VALUES ('optimize')")
    tx.erase()


def rewrite_some(tx: SyncTransaction, *, begin: bool) -> bool:
    """One step of `rewrite`, a tenth of a second; whether there are more. The first one must `begin`.

    SQLite, "FTS5", 6.7: the rank is negative to begin; a step that changes less than two rows was the last.
    """
    before = tx.value("SELECT total_changes()")
    tx.execute("INSERT INTO entry_words (entry_words, rank) VALUES ('merge', :pages)", pages=-STEP if begin else STEP)
    more = tx.value("SELECT total_changes()") - before >= 2
    if not more:
        tx.erase()
    return bool(more)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
