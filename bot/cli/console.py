"""`faro console config.yaml`: the chat with the bot and no homeserver, for people who write plugins or hub files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from rich.console import Console

from bot import app
from bot.cli.offline import Opened
from bot.config.model import BotConfig
from bot.demo.chat import Chat, ChatEvent
from bot.demo.community import chat_event
from bot.demo.signals import run_until_stopped
from bot.demo.terminal import Terminal
from bot.ports import Clock, Translator
from bot.runtime.migrations import open_database
from bot.testing.transport import FakeTransport

DIRECT = "direct"  # short name of everyone's direct chat with the bot
MEMBER = "member"  # an account that coordinates nothing


def console(opened: Opened, words: Translator, clock: Clock) -> int:
    """Runs the console and answers its exit code."""
    code = run_until_stopped(_console(opened, words, clock))
    return 0 if code == 130 else code


async def _console(opened: Opened, words: Translator, clock: Clock) -> int:
    config = opened.loaded.config
    transport = FakeTransport(config.user, clock)
    community = MemoryCommunity(transport, config)
    async with open_database(None, opened.plugins) as (db, plugins):
        built = app.build(opened.loaded, plugins, db, transport, clock)
        running = asyncio.create_task(app.run(built))
        talking = asyncio.create_task(_talk(community, words))
        try:
            await asyncio.wait([running, talking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            running.cancel()
            talking.cancel()
            results = await asyncio.gather(running, talking, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return 0


async def _talk(community: MemoryCommunity, words: Translator) -> None:
    await community.bot_joined()
    await Chat(community, Terminal(Console()), words).run()


class MemoryCommunity:
    """`bot.demo.chat.Community` over a homeserver in memory: the rooms and the people the configuration names."""

    def __init__(self, transport: FakeTransport, config: BotConfig) -> None:
        self._transport = transport
        hubs = config.hubs
        server = transport.user_id.partition(":")[2]
        people = [person.user for hub in hubs for person in hub.coordinators]
        people += [user for hub in hubs for user in hub.moderators]
        self._users = _short([*people, *config.operators, f"@{MEMBER}:{server}"])
        self._names = {user: name for name, user in self._users.items()}
        self._names |= {person.user: person.name for hub in hubs for person in hub.coordinators if person.name}
        self._names[transport.user_id] = config.display_name
        self._rooms: dict[str, str] = {}  # short name → id
        for hub in hubs:
            for number, room in enumerate(hub.rooms, 1):
                id_ = room.id or f"!{hub.id}-{number}:{server}"
                name = room.alias[1:].partition(":")[0] if room.alias else f"{hub.id}-{number}"
                name = name if name not in self._rooms else f"{hub.id}-{number}"
                self._rooms[name] = transport.open_room(id_, alias=room.alias, members=self._users.values())
        self._direct: dict[str, str] = {}  # account → room id
        for name, user in self._users.items():
            if name == MEMBER and server not in config.invites.allow:
                continue  # the bot would refuse
            self._direct[name] = transport.open_room(f"!direct-{name}:{server}", members=[user])
            transport.invite(user, self._direct[name], direct=True)

    async def bot_joined(self) -> None:
        """Returns when the bot has joined every room."""
        position, missing = 0, {*self._rooms.values(), *self._direct.values()}
        while missing:
            position, events = await self._transport.happened(position)
            missing -= {
                event["room_id"]
                for event in events
                if event.get("state_key") == self._transport.user_id and event["content"]["membership"] == "join"
            }

    @property
    def accounts(self) -> Sequence[str]:
        return tuple(self._users)

    def rooms(self, account: str) -> Sequence[str]:
        return (*self._rooms, DIRECT) if account in self._direct else tuple(self._rooms)

    async def say(self, account: str, room: str, body: str) -> str:
        return self._transport.say(self._users[account], self._id(account, room), body)

    async def edit(self, account: str, room: str, event_id: str, body: str) -> None:
        self._transport.edit(self._users[account], self._id(account, room), event_id, body)

    async def remove(self, account: str, room: str, event_id: str) -> None:
        self._transport.remove(self._users[account], self._id(account, room), event_id)

    async def listen(self, account: str) -> AsyncIterator[ChatEvent]:
        short = {self._id(account, room): room for room in self.rooms(account)}
        bot = self._transport.user_id
        position = 0
        while True:
            position, events = await self._transport.happened(position)
            for event in events:
                if event["room_id"] in short and (one := chat_event(event, short[event["room_id"]], bot, self._names)):
                    yield one

    def _id(self, account: str, room: str) -> str:
        return self._direct[account] if room == DIRECT else self._rooms[room]


def _short(users: Sequence[str]) -> Mapping[str, str]:
    """User ids by local part; by the whole id where two share a local part."""
    named: dict[str, str] = {}
    for user in dict.fromkeys(users):
        local = user[1:].partition(":")[0]
        named[local if local not in named else user] = user
    return named
