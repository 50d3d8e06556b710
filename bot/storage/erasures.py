"""What was erased on somebody's request, so that it can be erased again after an older copy of the database was restored.
It names whom or what, never what was erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Reader, Restored, Transaction


@dataclass(frozen=True, slots=True)
class Erasure:
    """`owner`: the plugin that does it again, or the core. `kind` and `subject` are the owner's own."""

    at: int
    owner: str
    kind: str
    subject: str


async def keep_erasure(db: Transaction, owner: str, kind: str, subject: str, now: int) -> None:
    """Has it done again after an older copy of the database was restored."""
    await db.execute(
        "INSERT INTO core_erasures (at, owner, kind, subject) VALUES (:at, :owner, :kind, :subject)",
        at=now,
        owner=owner,
        kind=kind,
        subject=subject,
    )


async def has_unlogged(db: Reader) -> bool:
    """Whether some are not in the file beside the database yet."""
    return await db.value("SELECT 1 FROM core_erasures LIMIT 1") is not None


async def unlogged(db: Reader) -> Sequence[tuple[int, Erasure]]:
    """Those with their ids, oldest first."""
    rows = await db.rows("SELECT id, at, owner, kind, subject FROM core_erasures ORDER BY id")
    return [(row["id"], Erasure(row["at"], row["owner"], row["kind"], row["subject"])) for row in rows]


async def logged(db: Transaction, last: int) -> None:
    """Those up to this id are in the file now."""
    await db.execute("DELETE FROM core_erasures WHERE id <= :last", last=last)


async def mark_restored(db: Transaction, copied_at: int, now: int) -> None:
    """The database is a copy made at an earlier instant, and was put in place now."""
    await db.execute("DELETE FROM core_restored")
    await db.execute("INSERT INTO core_restored VALUES (1, :copied, :now, 0)", copied=copied_at, now=now)


async def restored(db: Reader) -> Restored | None:
    row = await db.row("SELECT copied_at, restored_at, doubted FROM core_restored")
    return Restored(row["copied_at"], row["restored_at"], bool(row["doubted"])) if row else None


async def mark_doubted(db: Transaction) -> None:
    await db.execute("UPDATE core_restored SET doubted = 1")
