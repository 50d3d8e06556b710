"""What did somebody search last in a room? The question is kept for an hour, for `!more`; results are not kept.

An old one goes with the next question anybody asks, at most a day later. Its words are in no index: to leave the file
they only need the log emptied.
"""

from __future__ import annotations

from bot.api import Context, SyncTransaction

KEPT = 3_600_000  # ms


async def remember(ctx: Context, words: str, shown: int) -> None:
    """The asker has now seen that many results. The message that began the search stays known: see `withdraw`."""
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


async def ended(ctx: Context) -> None:
    """The asker has seen a list that has no more: `last` tells it as a question without words."""
    await remember(ctx, "", 0)


async def last(ctx: Context) -> tuple[str, int] | None:
    """The asker's last search in this room, as they wrote it, and how many results they have seen."""
    row = await ctx.db.row(
        "SELECT query, shown FROM knowledge_searches WHERE room = :room AND sender = :sender AND at >= :old",
        room=ctx.room.id,
        sender=ctx.sender,
        old=ctx.now - KEPT,
    )
    return (row["query"], row["shown"]) if row else None


def withdraw(tx: SyncTransaction, room: str, event: str) -> None:
    """The message that began a search was removed."""
    _drop(tx, "room = :room AND event = :event", room=room, event=event)


def expire(tx: SyncTransaction, now: int) -> None:
    _drop(tx, "at < :old", old=now - KEPT)


def forget(tx: SyncTransaction, user: str) -> None:
    _drop(tx, "sender = :user", user=user)


def _drop(tx: SyncTransaction, which: str, **params: object) -> None:
    if tx.execute(f"DELETE FROM knowledge_searches WHERE {which}", **params):
        tx.erase()
