"""`bot.ports.RoomStateReader` over the database: the room state that encryption needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.core.errors import Unavailable
from bot.ports import Database
from bot.storage import rooms


class StoredRoomState:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        content = await self._db.reading().value(
            "SELECT content FROM core_room_state WHERE room = :room AND type = 'm.room.encryption' AND state_key = ''",
            room=room,
        )
        if content is None:
            return None
        rules: Mapping[str, object] = json.loads(content)
        return rules

    async def members(self, room: str) -> frozenset[str]:
        """Raises `Unavailable` until the list is complete: some members could not decrypt a message sent earlier."""
        db = self._db.reading()
        if not await rooms.has_member_lists(db, room):
            raise Unavailable("the room's members are not known yet")
        found = await db.rows(
            "SELECT user FROM core_members WHERE room = :room UNION SELECT user FROM core_invited WHERE room = :room",
            room=room,
        )
        return frozenset(row["user"] for row in found)

    async def encrypted_rooms(self) -> frozenset[str]:
        found = await self._db.reading().rows("SELECT room FROM core_room_state WHERE type = 'm.room.encryption'")
        return frozenset(row["room"] for row in found)
