"""The cross-signing status of the bot's own device when it was last checked; `faro doctor` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports import Reader, Transaction


@dataclass(frozen=True, slots=True)
class CryptoStatus:
    device: str
    cross_signed: bool
    at: int


async def status(db: Reader) -> CryptoStatus | None:
    """None if it was not checked yet."""
    row = await db.row("SELECT device, cross_signed, at FROM core_crypto_status")
    return CryptoStatus(row["device"], bool(row["cross_signed"]), row["at"]) if row else None


async def set_status(db: Transaction, status: CryptoStatus) -> None:
    await db.execute(
        "INSERT INTO core_crypto_status VALUES (1, :device, :cross_signed, :at) ON CONFLICT (id) DO UPDATE"
        " SET device = excluded.device, cross_signed = excluded.cross_signed, at = excluded.at",
        device=status.device,
        cross_signed=int(status.cross_signed),
        at=status.at,
    )
