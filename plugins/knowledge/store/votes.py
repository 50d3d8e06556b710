"""Who found what useful: 👍 on the message that shared it, or `!useful 12`. One vote per person and page, of which one
counts where pages were joined; none for one's own."""

from __future__ import annotations

from bot.api import Reaction, SyncTransaction
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import renew
from plugins.knowledge.store.ids import sharer_of

THUMBS_UP = "👍"  # in any colour: skin tones follow it


def reacted(tx: SyncTransaction, rules: Rules, reaction: Reaction) -> None:
    if not reaction.key.startswith(THUMBS_UP):
        return
    rows = tx.rows(
        """SELECT DISTINCT s.entry, s.resource FROM shares s JOIN places p ON p.id = s.place
        LEFT JOIN sharers u ON u.id = s.sender WHERE s.event = :event AND p.room = :room AND u.user IS NOT :user""",
        event=reaction.target,
        room=reaction.room,
        user=reaction.sender,
    )
    for row in rows:
        _vote(tx, row["entry"], row["resource"], reaction.sender, reaction.event_id)
    renew(tx, rules, {row["entry"] for row in rows})


def said_useful(tx: SyncTransaction, rules: Rules, entry: int, user: str, event: str | None = None) -> bool:
    """Whether it counts: nobody finds only their own share useful."""
    others = tx.value(
        """SELECT NOT EXISTS (SELECT 1 FROM shares WHERE entry = :entry) OR EXISTS (SELECT 1 FROM shares s
        LEFT JOIN sharers u ON u.id = s.sender WHERE s.entry = :entry AND u.user IS NOT :user)""",
        entry=entry,
        user=user,
    )
    if others:
        resource = tx.value("SELECT resource FROM entries WHERE id = :entry", entry=entry)
        _vote(tx, entry, resource, user, event)
        renew(tx, rules, {entry})
    return bool(others)


def withdrawn(tx: SyncTransaction, rules: Rules, event: str) -> None:
    """A reaction, or the message with the command, was taken back."""
    rows = tx.rows("SELECT entry FROM votes WHERE event = :event", event=event)
    if rows:
        tx.execute("DELETE FROM votes WHERE event = :event", event=event)
        renew(tx, rules, {row["entry"] for row in rows})


def _vote(tx: SyncTransaction, entry: int, resource: int, user: str, event: str | None) -> None:
    """Said again, it is what was said last that takes it back."""
    tx.execute(
        """INSERT INTO votes (entry, sharer, resource, event) VALUES (:entry, :sharer, :resource, :event)
        ON CONFLICT DO UPDATE SET event = excluded.event""",
        entry=entry,
        resource=resource,
        sharer=sharer_of(tx, user),
        event=event,
    )
