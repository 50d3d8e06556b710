"""What people chose about themselves: whether what they share is kept, and whether they may be asked."""

from __future__ import annotations

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.ids import sharer_of

_SHARER = "(SELECT id FROM sharers WHERE user = :user)"


def is_unlogged(db: SyncReader, user: str) -> bool:
    return bool(db.value(f"SELECT unlogged FROM choices WHERE sharer = {_SHARER}", user=user))


def set_unlogged(tx: SyncTransaction, user: str, *, unlogged: bool) -> None:
    _row(tx, user)
    tx.execute(f"UPDATE choices SET unlogged = :new WHERE sharer = {_SHARER}", user=user, new=int(unlogged))


def set_askable(tx: SyncTransaction, user: str, *, askable: bool) -> None:
    _row(tx, user)
    tx.execute(f"UPDATE choices SET askable = :new WHERE sharer = {_SHARER}", user=user, new=int(askable))


def _row(tx: SyncTransaction, user: str) -> None:
    tx.execute("INSERT INTO choices (sharer) VALUES (:id) ON CONFLICT DO NOTHING", id=sharer_of(tx, user))
