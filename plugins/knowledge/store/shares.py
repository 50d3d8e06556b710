"""What messages and files share: rows that are added and removed. The entries that change with them are the caller's to
rebuild (index/update.py)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.access import MEMBERS, PLAIN, shelf_for
from plugins.knowledge.store.pages import digest, entries_of, pages_of, person, room_id, take_seqs
from plugins.knowledge.store.tlp import GREEN

_ROOM = "(SELECT id FROM knowledge_rooms WHERE room = :room)"


@dataclass(frozen=True, slots=True)
class NewShare:
    """One link in one message, or in one imported file (then it has no `event`, and a `command`).

    `canonical` is the key of the address (urls/canonical.py); `said_in` the edit its present text came with, if one
    did; `attachment` the JSON of a shared file."""

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
    attachment: str | None = None
    command: int | None = None
    kind: str = PLAIN

    @property
    def shelf(self) -> tuple[str, str, str]:
        """Hub, circle and kind of the shelf it belongs on."""
        return self.hub, self.circle, self.kind


def add(tx: SyncTransaction, shares: Sequence[NewShare]) -> Mapping[NewShare, int]:
    """Stores shares; answers the page of each. A share that is there already stays as it is."""
    shelves = {of: shelf_for(tx, *of).id for of in dict.fromkeys(share.shelf for share in shares)}
    senders = {user: person(tx, user) for user in sorted({share.sender for share in shares if share.sender})}
    rooms = {room: room_id(tx, room) for room in sorted({share.room for share in shares if share.room})}
    pages: dict[NewShare, int] = {}
    seqs: dict[NewShare, int] = {}
    for of, shelf in shelves.items():
        mine = [share for share in shares if share.shelf == of]
        ids = pages_of(tx, shelf, list(dict.fromkeys(share.canonical for share in mine)))
        pages |= {share: ids[share.canonical] for share in mine}
        seqs |= dict(zip(mine, count(take_seqs(tx, shelf, len(mine))), strict=False))
    tx.execute_many(
        """INSERT INTO knowledge_shares (page, seq, room, event, said_in, sender, sent_at, url, label, note, topics,
        tlp, attachment, command)
        VALUES (:page, :seq, :room, :event, :said_in, :sender, :sent_at, :url, :label, :note, :topics,
        :tlp, :attachment, :command) ON CONFLICT DO NOTHING""",
        (
            {
                "page": pages[share],
                "seq": seqs[share],
                "room": rooms.get(share.room or ""),
                "event": share.event,
                "said_in": share.said_in if share.said_in != share.event else None,
                "sender": senders.get(share.sender or ""),
                "sent_at": share.sent_at,
                "url": share.url,
                "label": share.label or None,
                "note": share.note or None,
                "topics": json.dumps(share.topics, ensure_ascii=False) if share.topics else None,
                "tlp": share.tlp,
                "attachment": share.attachment,
                "command": share.command,
            }
            for share in shares
        ),
    )
    return pages


def replace(
    tx: SyncTransaction, room: str, event: str, sender: str, shares: Sequence[NewShare]
) -> tuple[Mapping[NewShare, int], Collection[int]]:
    """Makes `shares` what this message shares, in place of what it shared before; also the pages something went from.

    A message is dated when it was first seen to share something, and what it still shares keeps its place in the order,
    unless it is labelled more strictly now. Somebody else's shares of it stay as they are.
    """
    mine = f"event = :event AND room = {_ROOM} AND sender = (SELECT id FROM knowledge_people WHERE user_id = :sender)"
    of_message = {"room": room, "event": event, "sender": sender}
    old = tx.rows(f"SELECT page, seq, tlp, sent_at FROM knowledge_shares WHERE {mine}", **of_message)
    if old:
        tx.execute(f"DELETE FROM knowledge_shares WHERE {mine}", **of_message)
    pages = add(tx, shares) if shares else {}
    if old and shares:
        first = min(row["sent_at"] for row in old)
        tx.execute(f"UPDATE knowledge_shares SET sent_at = :first WHERE {mine}", first=first, **of_message)
        tx.execute_many(
            f"UPDATE knowledge_shares SET seq = :seq WHERE {mine} AND page = :page AND tlp <= :tlp",
            ({"seq": row["seq"], "page": row["page"], "tlp": row["tlp"], **of_message} for row in old),
        )
    return pages, {row["page"] for row in old}


def remove(tx: SyncTransaction, room: str, event: str) -> Collection[int]:
    """Removes what a message shares, given its id or that of the edit which holds its present text; the pages something
    went from."""
    gone = f"room = {_ROOM} AND (event = :event OR said_in = :event)"
    rows = tx.rows(f"SELECT DISTINCT page FROM knowledge_shares WHERE {gone}", room=room, event=event)
    if rows:
        tx.execute(f"DELETE FROM knowledge_shares WHERE {gone}", room=room, event=event)
    return {row["page"] for row in rows}


def of_message(db: SyncReader, room: str, event: str, *, but: str) -> Collection[int]:
    """The pages a message shares, but those this person alone shares by it: for a reaction."""
    rows = db.rows(
        f"""SELECT DISTINCT s.page FROM knowledge_shares s LEFT JOIN knowledge_people p ON p.id = s.sender
        WHERE s.event = :event AND s.room = {_ROOM} AND p.user_id IS NOT :user""",
        room=room,
        event=event,
        user=but,
    )
    return {row["page"] for row in rows}


def are_known(db: SyncReader, shares: Sequence[NewShare]) -> bool:
    """Whether there are any, and the shelf of each has its page already, and shows it, by another message."""
    return bool(shares) and all(
        db.value(
            """SELECT EXISTS (SELECT 1 FROM knowledge_shelves s JOIN knowledge_pages p ON p.shelf = s.id
            JOIN knowledge_entries e ON e.id = p.entry
            WHERE s.hub = :hub AND s.circle = :circle AND s.kind = :kind AND p.key = :key AND e.hidden = 0)""",
            hub=share.hub,
            circle=share.circle,
            kind=share.kind,
            key=digest(share.canonical),
        )
        for share in shares
    )


def is_somebody_elses(db: SyncReader, room: str, event: str, sender: str) -> bool:
    """Whether somebody else shared something by this message: then an edit of it is not valid (Matrix spec, "Validity
    of replacement events")."""
    return bool(
        db.value(
            f"""SELECT EXISTS (SELECT 1 FROM knowledge_shares s JOIN knowledge_people p ON p.id = s.sender
            WHERE event = :event AND room = {_ROOM} AND user_id <> :sender)""",
            room=room,
            event=event,
            sender=sender,
        )
    )


def is_said_in(db: SyncReader, room: str, event: str, said_in: str) -> bool:
    """Whether what a message shares came with that text."""
    return bool(
        db.value(
            f"""SELECT EXISTS (SELECT 1 FROM knowledge_shares
            WHERE event = :event AND said_in = :said_in AND room = {_ROOM})""",
            room=room,
            event=event,
            said_in=said_in,
        )
    )


def is_theirs_alone(db: SyncReader, entry: int, user: str) -> bool:
    """Whether this person shared an entry, and nobody else shared or recommended it."""
    shared = """SELECT 1 FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
        LEFT JOIN knowledge_people u ON u.id = s.sender WHERE p.entry = :entry AND s.bare = 0 AND u.user_id"""
    return bool(
        db.value(
            f"""SELECT EXISTS ({shared} IS :user) AND NOT EXISTS ({shared} IS NOT :user) AND NOT EXISTS
            (SELECT 1 FROM knowledge_pages p JOIN knowledge_recommendations r ON r.page = p.id
            WHERE p.entry = :entry)""",
            entry=entry,
            user=user,
        )
    )


def drop_words(tx: SyncTransaction, hub: str) -> set[int]:
    """A hub that no longer keeps notes keeps none from before. Answers the entries they went from."""
    noted = """(note IS NOT NULL OR label IS NOT NULL) AND page IN (SELECT p.id FROM knowledge_pages p
        JOIN knowledge_shelves s ON s.id = p.shelf WHERE s.hub = :hub)"""
    rows = tx.rows(f"SELECT DISTINCT page FROM knowledge_shares WHERE {noted}", hub=hub)
    if not rows:
        return set()
    tx.execute(f"UPDATE knowledge_shares SET note = NULL, label = NULL WHERE {noted}", hub=hub)
    return entries_of(tx, {row["page"] for row in rows})
