"""Ana's voice in a campaign: from a plain client, or an encrypted one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nio

from bot.testing.person import Person
from tests.matrix.crypto.test_on_synapse import Peer


@dataclass(slots=True)
class Plain:
    """In rooms that are not encrypted."""

    person: Person
    room: str

    async def say(self, body: str, **content: object) -> str:
        return await self.person.send(self.room, body, **content)

    async def edit(self, event_id: str, body: str) -> str:
        return await self.person.edit(self.room, event_id, body)

    async def redact(self, event_id: str) -> None:
        await self.person.redact(self.room, event_id)

    async def heard(self, room: str, pages: int = 1_000) -> Sequence[Mapping[str, Any]]:
        events: list[Mapping[str, Any]] = []
        query = {"dir": "b", "limit": "500"}
        for _ in range(pages):
            page = await self.person.request("GET", "/rooms/{}/messages", room, **query)
            events += page["chunk"]
            if not page["chunk"] or "end" not in page:
                break
            query["from"] = page["end"]
        return events[::-1]


@dataclass(slots=True)
class Sealed:
    """In encrypted rooms, with a client of her own."""

    peer: Peer
    room: str

    async def say(self, body: str, **content: object) -> str:
        return await self.peer.say(self.room, body, **content)

    async def edit(self, event_id: str, body: str) -> str:
        new = {"msgtype": "m.text", "body": body}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        return await self.say(f"* {body}", **{"m.new_content": new, "m.relates_to": relation})

    async def redact(self, event_id: str) -> None:
        await self.peer.person.redact(self.room, event_id)

    async def heard(self, room: str, pages: int = 1_000) -> Sequence[Mapping[str, Any]]:
        await self.peer.sync()
        events: list[Mapping[str, Any]] = []
        start = None
        for _ in range(pages):
            page = await self.peer.client.room_messages(room, start, limit=500)
            assert isinstance(page, nio.RoomMessagesResponse), page
            events += [_clear(event) for event in page.chunk]
            if not page.chunk or not page.end:
                break
            start = page.end
        return events[::-1]


def _clear(event: Any) -> Mapping[str, Any]:
    """The event as Ana reads it; what she cannot read stays encrypted."""
    raw: dict[str, Any] = dict(event.source)
    return {**raw, "event_id": event.event_id, "sender": event.sender}
