"""Notices that a hub's room was replaced by another one (`m.room.tombstone`); room_upgrades.py follows."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot.core.events import StateChange
from bot.core.permissions import may_set
from bot.ports import Reader, Transaction
from bot.runtime.services import Services
from bot.storage import rooms

log = structlog.get_logger()


async def heed(tx: Transaction, services: Services, change: StateChange, now: int) -> None:
    """A tombstone arrived in a hub's room."""
    state = await rooms.state_of(tx, change.room)
    levels, create = state.get("m.room.power_levels"), state.get("m.room.create")
    if not may_set(change.sender, change.type, levels, create):
        log.warning("a tombstone by somebody without the power for it", room=change.room, sender=change.sender)
        return
    await schedule(tx, services, change.room, change.content, change.sender, now)


async def schedule(
    tx: Transaction, services: Services, room: str, tombstone: Mapping[str, object], sender: str, now: int
) -> None:
    """Has the bot follow, if the room belongs to a hub and names a successor."""
    place, successor = services.directory.place(room), tombstone.get("replacement_room")
    if place is None or services.directory.is_replaced(room):
        return
    if not isinstance(successor, str) or not successor.startswith("!"):
        log.warning("a room was closed without a successor; change the hub's YAML", hub=place.hub.id, room=room)
        return
    await services.core_schedule(tx, now).job(
        "upgrade", f"upgrade/{room}", room=room, successor=successor, sender=sender
    )


async def is_successor(db: Reader, services: Services, room: str) -> bool:
    """Whether a hub's room names this one as its successor."""
    for hub in services.directory.hubs:
        for replaced in services.directory.rooms_of(hub):
            tombstone = (await rooms.state_of(db, replaced)).get("m.room.tombstone", {})
            if tombstone.get("replacement_room") == room:
                return True
    return False
