"""The languages people chose."""

from __future__ import annotations

from bot.ports import Reader, Transaction


async def language(db: Reader, user: str) -> str | None:
    value: str | None = await db.value("SELECT language FROM core_people WHERE user = :user", user=user)
    return value


async def set_language(db: Transaction, user: str, language: str | None) -> None:
    if language is None:
        await db.execute("DELETE FROM core_people WHERE user = :user", user=user)
    else:
        await db.execute(
            "INSERT INTO core_people VALUES (:user, :language) ON CONFLICT (user) DO UPDATE SET language = excluded.language",
            user=user,
            language=language,
        )
