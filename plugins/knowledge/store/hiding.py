"""Who hid an entry?"""

from __future__ import annotations

from bot.api import SyncReader
from plugins.knowledge.store.yielding import OWN


def is_hidden_by_sharer(db: SyncReader, entry: int) -> bool:
    """Whether an entry is hidden because its only sharer wanted it so."""
    where = "entry = :entry AND field = 'hidden' AND value = :own"
    return bool(db.value(f"SELECT EXISTS (SELECT 1 FROM corrections WHERE {where})", entry=entry, own=OWN))


def is_hidden_by(db: SyncReader, entry: int, user: str, *, coordinator: bool) -> bool:
    """Whether this person hid an entry, and may show it again: as a coordinator, or as its only sharer."""
    where = "c.entry = :entry AND c.field = 'hidden' AND u.user = :user AND (:coordinator OR c.value = :own)"
    return bool(
        db.value(
            f"SELECT EXISTS (SELECT 1 FROM corrections c JOIN sharers u ON u.id = c.by WHERE {where})",
            entry=entry,
            user=user,
            coordinator=int(coordinator),
            own=OWN,
        )
    )
