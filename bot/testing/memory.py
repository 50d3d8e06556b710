"""The homeserver in memory: its rooms, what people do in them, and what only some can read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.events import Edit, Event, Message, Undecryptable, Withheld
from bot.core.files import File
from bot.ports import Clock
from bot.testing.clock import FakeClock

Raw = dict[str, Any]


@dataclass(slots=True)
class MemoryRoom:
    id: str
    alias: str | None = None
    members: dict[str, str] = field(default_factory=dict)  # user → membership
    events: list[tuple[int, Raw]] = field(default_factory=list)  # (position, event)


class MemoryHomeserver:
    """People act through `say`, `edit`, `redact`… which answer event ids. `user_id` is the bot."""

    def __init__(self, user_id: str, clock: Clock | None = None) -> None:
        self.user_id = user_id
        self.profiles: dict[str, dict[str, object]] = {}
        self.rooms: dict[str, MemoryRoom] = {}
        self.position = 0
        self.news = asyncio.Event()
        self.direct: set[str] = set()  # rooms the bot was invited to as a chat with one person
        self.keys: set[tuple[str, str]] = set()  # (room, session id) the bot can read
        self.sessions: dict[str, str] = {}  # event id → session id, of what was said encrypted
        self.sealed: dict[str, Event] = {}  # event id → what it says, of events that are in no room
        self.media: dict[str, bytes] = {}  # mxc address → what lies there
        self.carried: dict[str, tuple[Message, File]] = {}  # event id → what it carries, of events that are in no room
        self.letters: list[tuple[int, tuple[str, str] | Withheld]] = []  # (position, what came to the bot's device)
        self._clock = clock or FakeClock()

    def open_room(self, room: str, *, alias: str | None = None, members: Iterable[str] = ()) -> str:
        """A room exists, with these people in it."""
        made = self.rooms[room] = MemoryRoom(room, alias)
        creator = next(iter(members), self.user_id)
        self.add(made, creator, "m.room.create", {"room_version": "10"}, state_key="")
        self.add(made, creator, "m.room.power_levels", {"users": {creator: 100}}, state_key="")
        for user in members:
            self.member(made, user, user, "join")
        return room

    def say(self, user: str, room: str, body: str, **content: object) -> str:
        return self.add(self.rooms[room], user, "m.room.message", {"msgtype": "m.text", "body": body, **content})

    def keep(self, content: bytes) -> str:
        """Puts bytes on the homeserver; answers their address."""
        address = f"mxc://example.org/m{len(self.media)}"
        self.media[address] = content
        return address

    def share(self, user: str, room: str, file: File, words: str = "") -> str:
        """Sends a file, perhaps with words beside it."""
        info = {"mimetype": file.mimetype, "size": len(file.content)}
        named: dict[str, object] = {"filename": file.name} if words else {}
        url = self.keep(file.content)
        return self.say(user, room, words or file.name, msgtype="m.file", url=url, info=info, **named)

    def whisper(self, user: str, room: str, body: str, *, session: str) -> str:
        """Says something encrypted; the bot cannot read it before it is given the session's key."""
        event_id = self.say(user, room, body)
        self.sessions[event_id] = session
        return event_id

    def seal(self, event: Message | Edit, session: str) -> Undecryptable:
        """The event as it is before its key comes, for who hands batches to the pipeline without syncing."""
        message = event.message if isinstance(event, Edit) else event
        opened = replace(message, encrypted=True)
        self.sealed[message.event_id] = Edit(event.target, opened) if isinstance(event, Edit) else opened
        return Undecryptable(message.room, message.event_id, message.sender, message.sent_at, session, {})

    def has_key(self, room: str, session: str) -> None:
        """The bot can read a session from now on."""
        self.keys.add((room, session))

    def give_key(self, room: str, session: str) -> None:
        """The key of a session reaches the bot with its next sync."""
        self._post((room, session))

    def withhold(self, user: str, room: str, session: str, code: str = "m.unverified") -> None:
        """A person's app says that the bot does not get the key of a session."""
        self._post(Withheld(room, user, session, code))

    def edit(self, user: str, room: str, event_id: str, body: str) -> str:
        new = {"msgtype": "m.text", "body": body}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        return self.say(user, room, f"* {body}", **{"m.new_content": new, "m.relates_to": relation})

    def remove(self, user: str, room: str, event_id: str) -> str:
        for _, event in self.rooms[room].events:
            if event["event_id"] == event_id:
                event["content"] = {}
                event["unsigned"] = {"redacted_because": {}}
        return self.add(self.rooms[room], user, "m.room.redaction", {"redacts": event_id})

    def react(self, user: str, room: str, event_id: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return self.add(self.rooms[room], user, "m.reaction", {"m.relates_to": relation})

    def invite(self, user: str, room: str, *, direct: bool = False) -> None:
        if direct:
            self.direct.add(room)
        self.member(self.rooms[room], user, self.user_id, "invite")

    def ask_in(self, user: str, room: str, other: str) -> None:
        """Somebody invites somebody else."""
        self.member(self.rooms[room], user, other, "invite")

    def kick(self, user: str, room: str) -> None:
        self.member(self.rooms[room], user, self.user_id, "leave")

    async def happened(self, after: int) -> tuple[int, Sequence[Mapping[str, Any]]]:
        """All events after a position (0: the beginning), each with its `room_id`, and the position they lead to.

        Waits until there are any."""
        while self.position <= after:
            self.news.clear()
            await self.news.wait()
        new = [
            (position, {**event, "room_id": room.id})
            for room in self.rooms.values()
            for position, event in room.events
            if position > after
        ]
        return self.position, [event for _, event in sorted(new, key=lambda pair: pair[0])]

    def member(self, room: MemoryRoom, sender: str, user: str, membership: str) -> None:
        before, room.members[user] = room.members.get(user), membership
        unsigned = {"prev_content": {"membership": before}} if before else {}
        self.add(room, sender, "m.room.member", {"membership": membership}, state_key=user, unsigned=unsigned)

    def add(
        self,
        room: MemoryRoom,
        sender: str,
        type_: str,
        content: Raw,
        state_key: str | None = None,
        unsigned: Raw | None = None,
    ) -> str:
        self.position += 1
        event: Raw = {
            "type": type_,
            "sender": sender,
            "event_id": f"$e{self.position}",
            "origin_server_ts": self._clock.now(),
            "content": content,
            "unsigned": unsigned or {},
        }
        if state_key is not None:
            event["state_key"] = state_key
        room.events.append((self.position, event))
        self.news.set()
        return str(event["event_id"])

    def _post(self, letter: tuple[str, str] | Withheld) -> None:
        self.position += 1
        self.letters.append((self.position, letter))
        self.news.set()
