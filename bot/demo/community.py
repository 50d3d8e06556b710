"""People with accounts on a homeserver, as the chat's community."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bot.core.errors import Unavailable
from bot.demo.chat import ChatEvent
from bot.testing.person import HomeserverError, Person

LONG_POLL = 30  # seconds


def chat_event(event: Mapping[str, Any], room: str, bot: str, names: Mapping[str, str]) -> ChatEvent | None:
    """What a room event is for somebody who reads along; None if it is nothing to read.

    `names` are display names by user id; `bot` is the bot's user id.
    """
    sender, content = str(event["sender"]), event.get("content") or {}
    name, by_bot = names.get(sender, sender), sender == bot
    if event["type"] == "m.room.redaction":
        return ChatEvent(room, name, kind="removed", by_bot=by_bot)
    if event["type"] != "m.room.message" or "body" not in content:
        return None
    if new := content.get("m.new_content"):
        return ChatEvent(room, name, str(new.get("body", "")), kind="edited", by_bot=by_bot)
    return ChatEvent(room, name, str(content["body"]), by_bot=by_bot)


class HomeserverCommunity:
    """`bot.demo.chat.Community` over a homeserver.

    `people` are the accounts by short name, `rooms` the room ids of each account by short name of the room,
    `names` the display names by user id.
    """

    def __init__(
        self,
        people: Mapping[str, Person],
        rooms: Mapping[str, Mapping[str, str]],
        bot: str,
        names: Mapping[str, str],
    ) -> None:
        self._people, self._rooms, self._bot, self._names = people, rooms, bot, names

    @property
    def accounts(self) -> Sequence[str]:
        return tuple(self._people)

    def rooms(self, account: str) -> Sequence[str]:
        return tuple(self._rooms[account])

    async def say(self, account: str, room: str, body: str) -> str:
        with _translated():
            return await self._people[account].send(self._rooms[account][room], body)

    async def edit(self, account: str, room: str, event_id: str, body: str) -> None:
        with _translated():
            await self._people[account].edit(self._rooms[account][room], event_id, body)

    async def remove(self, account: str, room: str, event_id: str) -> None:
        with _translated():
            await self._people[account].redact(self._rooms[account][room], event_id)

    async def listen(self, account: str) -> AsyncIterator[ChatEvent]:
        short = {room_id: name for name, room_id in self._rooms[account].items()}
        while True:
            with _translated():
                events = await self._people[account].sync(wait=LONG_POLL)
            for event in events:
                if event["room_id"] in short and (
                    one := chat_event(event, short[event["room_id"]], self._bot, self._names)
                ):
                    yield one


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except HomeserverError as error:
        raise Unavailable(str(error)) from error
