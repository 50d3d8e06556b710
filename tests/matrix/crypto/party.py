"""People with devices who talk through a `KeyServer`; each is built from Faro's own parts."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nio

from bot.core.events import Edit, Event, Message, Undecryptable
from bot.matrix.crypto.engine import Engine
from bot.ports import Clock
from tests.matrix.crypto.keyserver import KeyServer, Raw, Wire

ROOM = "!hall:example.org"
MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
_ids = itertools.count(1)


@dataclass(slots=True)
class FakeRoomState:
    """`bot.ports.RoomStateReader` of one room."""

    people: set[str] = field(default_factory=set)
    rules: Mapping[str, object] | None = field(default_factory=lambda: dict(MEGOLM))

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return self.rules

    async def members(self, room: str) -> frozenset[str]:
        return frozenset(self.people)


class Party:
    """A device that reads and writes. `heard` is what it understood, in order."""

    def __init__(
        self, server: KeyServer, user: str, device: str, folder: Path, clock: Clock, room_state: FakeRoomState
    ) -> None:
        self.server, self.user, self.device, self.room_state = server, user, device, room_state
        self._made = (server, user, device, folder, clock, room_state)
        client = nio.AsyncClient("http://nowhere.invalid", user)
        client.user_id, client.device_id, client.access_token = user, device, "t"
        self.engine = Engine(client, Wire(server, user, device), folder / user[1:4], clock, room_state)
        self.machine: Any = client.olm
        self.heard: list[Event | Undecryptable] = []
        self._turn = 0

    async def sync(self, *events: Raw, **more: object) -> None:
        """Takes what the server has for this device, then these events of the room."""
        self._turn += 1
        await self.engine.handle_sync(self.server.sync((self.user, self.device)) | more, f"t{self._turn}")
        await self.engine.query_senders(events)
        for raw in events:
            event, _ = self.engine.read(ROOM, raw)
            if event is not None:
                self.heard.append(event)

    async def say(self, body: str, **content: object) -> Raw:
        return await self.send("m.room.message", {"msgtype": "m.text", "body": body, **content})

    async def send(self, type_: str, content: Mapping[str, object]) -> Raw:
        """The raw event the room's other members get."""
        rules = await self.room_state.encryption(ROOM)
        assert rules is not None
        return self.event(dict(await self.engine.encrypt(ROOM, type_, content, rules)))

    def event(self, content: Raw, **more: object) -> Raw:
        number = next(_ids)
        return {
            "type": "m.room.encrypted",
            "sender": self.user,
            "event_id": f"${number}",
            "origin_server_ts": 1_800_000_000_000 + number,
            "content": content,
            **more,
        }

    def seal(self, payload: object) -> Raw:
        """An event with any payload, however wrong, under the room's present key."""
        session = self.machine.outbound_group_sessions[ROOM]
        text = nio.Api.to_json(payload)
        return self.event(
            {
                **MEGOLM,
                "sender_key": self.machine.account.identity_keys["curve25519"],
                "ciphertext": session.encrypt(text),
                "session_id": session.id,
                "device_id": self.device,
            }
        )

    def letter(self, other: Party, type_: str, content: Raw) -> Raw:
        """An encrypted to-device event with any content."""
        device = self.machine.device_store[other.user][other.device]
        session = self.machine.session_store.get(device.curve25519)
        sealed = self.machine._olm_encrypt(session, device, type_, content)
        return {"type": "m.room.encrypted", "sender": self.user, "content": sealed}

    @property
    def words(self) -> list[str]:
        """Bodies of the messages heard."""
        messages = [one.message if isinstance(one, Edit) else one for one in self.heard]
        return [one.body for one in messages if isinstance(one, Message)]

    def restarted(self) -> Party:
        """The same device, from what it has on disk."""
        self.close()
        return Party(*self._made)

    def crashed_while(self, request: str, into: Path) -> Callable[[], Party]:
        """From now on, what is on disk is copied when this request goes out: the device as it is after a crash then."""

        def copy(name: str) -> None:
            if name == request and not into.exists():
                shutil.copytree(self._made[3], into)

        self.server.watch = copy
        server, user, device, _, clock, room_state = self._made
        return lambda: Party(server, user, device, into, clock, room_state)

    def close(self) -> None:
        self.engine.close()
