"""Stores the last search of each person in a room for an hour, so that `!more` can go on. Results are not stored.

Expired searches are deleted with the next search of anybody, at most a day later. No index holds their words, so
erasing them from disk only needs an empty write-ahead log.
"""

from __future__ import annotations

from bot.api import Context, SyncTransaction

RETENTION = 3_600_000  # ms


async def remember(ctx: Context, words: str, shown: int) -> None:
    """Stores the search, and how many of its results were shown. The event that started it is kept for `withdraw`."""
    await ctx.db.run(expire, ctx.now)
    await ctx.db.execute(
        """INSERT INTO knowledge_searches (room, sender, event, query, shown, at)
        VALUES (:room, :sender, :event, :query, :shown, :now)
        ON CONFLICT (room, sender) DO UPDATE SET
        event = CASE WHEN query = excluded.query AND shown < excluded.shown THEN event ELSE excluded.event END,
        query = excluded.query, shown = excluded.shown, at = excluded.at""",
        room=ctx.room.id,
        sender=ctx.sender,
        event=ctx.message.event_id,
        query=words,
        shown=shown,
        now=ctx.now,
    )


async def finish(ctx: Context) -> None:
    """Marks the last list as complete: `last_search` then returns an empty query."""
    await remember(ctx, "", 0)


async def last_search(ctx: Context) -> tuple[str, int] | None:
    """The asker's last query in this room, as written, and how many results were shown."""
    row = await ctx.db.row(
        "SELECT query, shown FROM knowledge_searches WHERE room = :room AND sender = :sender AND at >= :old",
        room=ctx.room.id,
        sender=ctx.sender,
        old=ctx.now - RETENTION,
    )
    return (row["query"], row["shown"]) if row else None


def withdraw(tx: SyncTransaction, room: str, event: str) -> None:
    """Deletes the search that a redacted message started."""
    _delete(tx, "room = :room AND event = :event", room=room, event=event)


def expire(tx: SyncTransaction, now: int) -> None:
    _delete(tx, "at < :old", old=now - RETENTION)


def forget(tx: SyncTransaction, user: str) -> None:
    _delete(tx, "sender = :user", user=user)


def _delete(tx: SyncTransaction, condition: str, **params: object) -> None:
    if tx.execute(f"DELETE FROM knowledge_searches WHERE {condition}", **params):
        tx.erase()
