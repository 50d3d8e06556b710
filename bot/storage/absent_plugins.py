"""Plugins that own tables but do not run, and what they must follow once they are back: ids, never words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.core.events import Edit, Redaction, id_of
from bot.ports import Reader, Transaction


async def missing(db: Reader, used: Collection[str]) -> Sequence[str]:
    """The plugins that have tables in the database and are not among those used, by name."""
    owners = {row["owner"] for row in await db.rows("SELECT DISTINCT owner FROM core_migrations")}
    return sorted(owners - {"core", *used})


async def record(db: Transaction, used: Collection[str], now: int) -> Sequence[str]:
    """From now on the plugins that are missing, and no others, are absent. Answers them."""
    plugins = await missing(db, used)
    for plugin in await absent(db):
        if plugin not in plugins:
            await db.execute("DELETE FROM core_absent_plugins WHERE plugin = :plugin", plugin=plugin)
    for plugin in plugins:
        await db.execute(
            "INSERT INTO core_absent_plugins VALUES (:plugin, :now) ON CONFLICT DO NOTHING", plugin=plugin, now=now
        )
    return plugins


async def absent(db: Reader) -> Sequence[str]:
    return [row["plugin"] for row in await db.rows("SELECT plugin FROM core_absent_plugins ORDER BY plugin")]


async def keep_event(db: Transaction, event: Edit | Redaction) -> None:
    """Keeps the ids of an edit or redaction for every absent plugin."""
    message = event.message if isinstance(event, Edit) else event
    await db.execute(
        """INSERT INTO core_missed_events (plugin, kind, room, event_id, sender, sent_at, target)
        SELECT plugin, :kind, :room, :event, :sender, :sent_at, :target FROM core_absent_plugins WHERE true
        ON CONFLICT DO NOTHING""",
        kind="edit" if isinstance(event, Edit) else "redaction",
        room=message.room,
        event=id_of(event),
        sender=message.sender,
        sent_at=message.sent_at,
        target=event.target,
    )


async def keep_erasure(db: Transaction, plugins: Collection[str], user: str) -> None:
    """Keeps that these plugins must still erase what they hold about a person."""
    for plugin in plugins:
        await db.execute(
            "INSERT INTO core_missed_erasures VALUES (:plugin, :user) ON CONFLICT DO NOTHING", plugin=plugin, user=user
        )


async def missed_redactions(db: Reader, plugin: str) -> Sequence[Redaction]:
    rows = await db.rows(
        """SELECT room, event_id, sender, sent_at, target FROM core_missed_events
        WHERE plugin = :plugin AND kind = 'redaction' ORDER BY id""",
        plugin=plugin,
    )
    return [Redaction(**row) for row in rows]


async def rooms_with_missed_edits(db: Reader, plugin: str) -> Sequence[str]:
    rows = await db.rows(
        "SELECT DISTINCT room FROM core_missed_events WHERE plugin = :plugin AND kind = 'edit' ORDER BY room",
        plugin=plugin,
    )
    return [row["room"] for row in rows]


async def edits_done(db: Transaction, plugin: str, room: str) -> None:
    await db.execute(
        "DELETE FROM core_missed_events WHERE plugin = :plugin AND room = :room AND kind = 'edit'",
        plugin=plugin,
        room=room,
    )


async def missed_erasures(db: Reader, plugin: str) -> Sequence[str]:
    rows = await db.rows("SELECT user FROM core_missed_erasures WHERE plugin = :plugin", plugin=plugin)
    return [row["user"] for row in rows]


async def event_done(db: Transaction, plugin: str, event_id: str) -> None:
    await db.execute(
        "DELETE FROM core_missed_events WHERE plugin = :plugin AND event_id = :event", plugin=plugin, event=event_id
    )


async def erasure_done(db: Transaction, plugin: str, user: str) -> None:
    await db.execute(
        "DELETE FROM core_missed_erasures WHERE plugin = :plugin AND user = :user", plugin=plugin, user=user
    )
