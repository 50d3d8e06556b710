"""What rooms said that may have been deleted or edited unseen: pages that only such shares speak for are not shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.pages import entries_of

_ROOM = "(SELECT id FROM knowledge_rooms WHERE room = :room)"
_IN_LIST = "event IN (SELECT value FROM json_each(:events))"


def begin(tx: SyncTransaction, room: str) -> tuple[int, Collection[int]]:
    """All messages of a room are in doubt: how many these are, and the entries they share."""
    for table in ("knowledge_shares", "knowledge_commands"):
        tx.execute(f"UPDATE {table} SET doubted = 1 WHERE room = {_ROOM} AND event IS NOT NULL", room=room)
    pages = tx.rows(f"SELECT DISTINCT page FROM knowledge_shares WHERE room = {_ROOM} AND doubted = 1", room=room)
    return count(tx, room), entries_of(tx, {row["page"] for row in pages})


def events(db: SyncReader, room: str, after: str, most: int) -> Sequence[str]:
    """The messages in doubt after the id `after`, in order, at most so many."""
    rows = db.rows(f"{_events()} ORDER BY event LIMIT :most", room=room, after=after, most=most)
    return [row["event"] for row in rows]


def count(db: SyncReader, room: str) -> int:
    return int(db.value(f"SELECT count(*) FROM ({_events()})", room=room, after=""))


def count_of_hub(db: SyncReader, hub: str) -> int:
    """How many shares on a hub's shelves are in doubt."""
    return int(
        db.value(
            """SELECT count(*) FROM knowledge_shares s JOIN knowledge_pages p ON p.id = s.page
            JOIN knowledge_shelves h ON h.id = p.shelf WHERE s.doubted = 1 AND h.hub = :hub""",
            hub=hub,
        )
    )


def end(tx: SyncTransaction, room: str, checked: str) -> Collection[int]:
    """These messages (a JSON list of ids) are in doubt no longer. Answers the entries they share."""
    pages = tx.rows(
        f"SELECT DISTINCT page FROM knowledge_shares WHERE room = {_ROOM} AND {_IN_LIST}", room=room, events=checked
    )
    for table in ("knowledge_shares", "knowledge_commands"):
        tx.execute(
            f"UPDATE {table} SET doubted = 0 WHERE room = {_ROOM} AND doubted = 1 AND {_IN_LIST}",
            room=room,
            events=checked,
        )
    return entries_of(tx, {row["page"] for row in pages})


def _events() -> str:
    return " UNION ".join(
        f"SELECT event FROM {table} WHERE room = {_ROOM} AND doubted = 1 AND event > :after"
        for table in ("knowledge_shares", "knowledge_commands")
    )
