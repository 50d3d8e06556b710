"""What people chose about themselves: whether what they share is kept, and whether they may be asked."""

from __future__ import annotations

from bot.api import Reader, Transaction

_SHARER = "(SELECT id FROM sharers WHERE user = :user)"


async def is_unlogged(db: Reader, user: str) -> bool:
    return bool(await db.value(f"SELECT unlogged FROM choices WHERE sharer = {_SHARER}", user=user))


async def set_unlogged(tx: Transaction, user: str, *, unlogged: bool) -> None:
    await _row(tx, user)
    await tx.execute(f"UPDATE choices SET unlogged = :new WHERE sharer = {_SHARER}", user=user, new=int(unlogged))


async def set_askable(tx: Transaction, user: str, *, askable: bool) -> None:
    await _row(tx, user)
    await tx.execute(f"UPDATE choices SET askable = :new WHERE sharer = {_SHARER}", user=user, new=int(askable))


async def _row(tx: Transaction, user: str) -> None:
    await tx.execute("INSERT INTO sharers (user) VALUES (:user) ON CONFLICT DO NOTHING", user=user)
    await tx.execute(f"INSERT INTO choices (sharer) VALUES ({_SHARER}) ON CONFLICT DO NOTHING", user=user)
