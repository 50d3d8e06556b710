"""The two worlds the transport contract is held in: one in memory, one a real Synapse."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bot.core.events import Batch, Event, Message, id_of
from bot.matrix.client import NioTransport, connect
from bot.matrix.login import Secrets
from bot.ports import Transport
from bot.testing.clock import FakeClock
from bot.testing.homeserver import Homeserver
from bot.testing.person import Person
from bot.testing.transport import FakeTransport
from bot.timing.clock import SystemClock

T = TypeVar("T")


class World(Protocol):
    """A bot, and Ana, who acts."""

    @property
    def transport(self) -> Transport: ...

    @property
    def ana(self) -> str: ...

    def now(self) -> int: ...

    async def open_room(self, *, alias: str | None = None, invite: bool = False) -> str: ...

    def alias(self, name: str) -> str: ...

    async def say(self, room: str, body: str, **content: object) -> str: ...

    async def keep(self, content: bytes) -> str:
        """Puts bytes on the homeserver; answers their address."""
        ...

    async def download(self, address: str) -> bytes:
        """What Ana finds there."""
        ...

    async def edit(self, room: str, event_id: str, body: str) -> str: ...

    async def remove(self, room: str, event_id: str) -> str: ...

    async def react(self, room: str, event_id: str, key: str) -> str: ...

    async def invite(self, room: str, *, direct: bool = False) -> None: ...

    async def kick(self, room: str) -> None: ...

    async def describe(self, **profile: str) -> None:
        """Fills Ana's public profile."""
        ...

    async def contents(self, room: str) -> list[dict[str, Any]]:
        """Contents of the room's messages as Ana sees them."""
        ...

    async def restart(self) -> None:
        """The bot's process starts anew."""
        ...

    async def close(self) -> None: ...


class MemoryWorld:
    ana = "@ana:example.org"

    def __init__(self) -> None:
        self._clock = FakeClock()
        self.transport = self._fake = FakeTransport("@faro:example.org", self._clock)
        self._rooms = 0

    def now(self) -> int:
        return self._clock.now()

    def alias(self, name: str) -> str:
        return f"#{name}:example.org"

    async def open_room(self, *, alias: str | None = None, invite: bool = False) -> str:
        self._rooms += 1
        room = self._fake.open_room(f"!room{self._rooms}:example.org", alias=alias, members=[self.ana])
        if invite:
            await self.invite(room)
        return room

    async def say(self, room: str, body: str, **content: object) -> str:
        self._clock.advance(1)
        return self._fake.say(self.ana, room, body, **content)

    async def keep(self, content: bytes) -> str:
        return self._fake.keep(content)

    async def download(self, address: str) -> bytes:
        return self._fake.media[address]

    async def edit(self, room: str, event_id: str, body: str) -> str:
        return self._fake.edit(self.ana, room, event_id, body)

    async def remove(self, room: str, event_id: str) -> str:
        return self._fake.remove(self.ana, room, event_id)

    async def react(self, room: str, event_id: str, key: str) -> str:
        return self._fake.react(self.ana, room, event_id, key)

    async def invite(self, room: str, *, direct: bool = False) -> None:
        self._fake.invite(self.ana, room, direct=direct)

    async def kick(self, room: str) -> None:
        self._fake.kick(self.ana, room)

    async def describe(self, **profile: str) -> None:
        self._fake.profiles[self.ana] = dict(profile)

    async def contents(self, room: str) -> list[dict[str, Any]]:
        return [dict(content) for content in self._fake.said(room)]

    async def restart(self) -> None:
        self._fake.restart()

    async def close(self) -> None:
        await self._fake.close()


@dataclass(frozen=True, slots=True)
class Configured:
    """`bot.matrix.login.Account`."""

    homeserver: str
    user: str
    device_name: str = "Faro"


class NothingEncrypted:
    """`bot.ports.RoomStateReader` of plain rooms."""

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return None

    async def members(self, room: str) -> frozenset[str]:
        return frozenset()


@dataclass(slots=True)
class RealWorld:
    server: Homeserver
    folder: Path
    person: Person
    bot: Person
    transport: NioTransport

    @classmethod
    async def make(cls, server: Homeserver, folder: Path) -> RealWorld:
        name = uuid.uuid4().hex[:8]
        person, bot = await server.register(f"ana-{name}"), await server.register(f"faro-{name}")
        return cls(server, folder, person, bot, await cls._connect(server, bot, folder))

    @staticmethod
    async def _connect(server: Homeserver, bot: Person, folder: Path) -> NioTransport:
        account, secrets = Configured(server.url, bot.user_id), Secrets(bot.password)
        return await connect(account, secrets, folder, SystemClock(), NothingEncrypted())

    @property
    def ana(self) -> str:
        return self.person.user_id

    def now(self) -> int:
        return SystemClock().now()

    def alias(self, name: str) -> str:
        return f"#{name}-{self.person.user_id[5:13]}:{self.server.name}"

    async def open_room(self, *, alias: str | None = None, invite: bool = False) -> str:
        local = alias[1:].partition(":")[0] if alias else None
        invited = (self.bot.user_id,) if invite else ()
        return await self.person.create_room("Hall", alias=local, invite=invited, public=not invite)

    async def say(self, room: str, body: str, **content: object) -> str:
        return await self.person.send(room, body, **content)

    async def keep(self, content: bytes) -> str:
        return await self.person.upload(content)

    async def download(self, address: str) -> bytes:
        return await self.person.download(address)

    async def edit(self, room: str, event_id: str, body: str) -> str:
        return await self.person.edit(room, event_id, body)

    async def remove(self, room: str, event_id: str) -> str:
        return await self.person.redact(room, event_id)

    async def react(self, room: str, event_id: str, key: str) -> str:
        return await self.person.react(room, event_id, key)

    async def invite(self, room: str, *, direct: bool = False) -> None:
        if direct:  # what a client's "start a chat" does
            content = {"membership": "invite", "is_direct": True}
            path = "/rooms/{}/state/m.room.member/{}"
            await self.person.request("PUT", path, room, self.bot.user_id, body=content)
        else:
            await self.person.invite(room, self.bot.user_id)

    async def kick(self, room: str) -> None:
        await self.person.kick(room, self.bot.user_id)

    async def describe(self, **profile: str) -> None:
        for name, value in profile.items():
            await self.person.request("PUT", "/profile/{}/{}", self.ana, name, body={name: value})

    async def contents(self, room: str) -> list[dict[str, Any]]:
        messages = await self.person.messages(room)
        return [
            event["content"] for event in messages if event["sender"] == self.bot.user_id and "body" in event["content"]
        ]

    async def restart(self) -> None:
        await self.transport.close()
        self.transport = await self._connect(self.server, self.bot, self.folder)

    async def close(self) -> None:
        await self.transport.close()
        await self.person.close()
        await self.bot.close()


@dataclass(slots=True)
class Listener:
    """Reads batches one after the other, as the bot does."""

    world: World
    token: str | None = None
    batches: list[Batch] = field(default_factory=list)

    async def next(self) -> Batch:
        batch = await self.world.transport.sync(self.token)
        self.token = batch.token
        self.batches.append(batch)
        return batch

    async def until(self, found: Callable[[Batch], T | None]) -> T:
        """Reads on until a batch has it."""
        while True:
            if (what := found(await self.next())) is not None:
                return what

    async def event(self, event_id: str) -> Event:
        """Reads on until the event arrives."""

        def find(batch: Batch) -> Event | None:
            return next((event for event in events(batch) if id_of(event) == event_id), None)

        return await self.until(find)

    async def bodies_until(self, last: str) -> list[str]:
        """Bodies of the messages heard, up to one that says `last`."""
        heard: list[str] = []
        while last not in heard:
            heard += [event.body for event in events(await self.next()) if isinstance(event, Message)]
        return heard


def events(batch: Batch) -> list[Event]:
    return [event for update in batch.rooms for event in update.events]
