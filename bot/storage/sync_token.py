"""The sync token, stored in the same transaction as the contents of its batch."""

from __future__ import annotations

from bot.ports import Reader, Transaction


async def token(db: Reader) -> str | None:
    value: str | None = await db.value("SELECT token FROM core_sync_token")
    return value


async def synced_at(db: Reader) -> int | None:
    value: int | None = await db.value("SELECT synced_at FROM core_sync_token")
    return value


async def advance(db: Transaction, token: str, now: int) -> None:
    await db.execute(
        "INSERT INTO core_sync_token VALUES (1, :token, :now)"
        " ON CONFLICT (id) DO UPDATE SET token = excluded.token, synced_at = excluded.synced_at",
        token=token,
        now=now,
    )
