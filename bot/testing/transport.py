"""A homeserver in memory: `Transport` for the console and for tests, held to the same contract as the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.errors import Refused, TransportError, Unavailable
from bot.core.events import Batch, Edit, Event, Invite, Message, RoomUpdate, Undecryptable, Withheld
from bot.matrix import inbound
from bot.ports import Clock
from bot.testing.clock import FakeClock

TIMELINE = 50  # events a sync answer holds per room; more is a gap

Raw = dict[str, Any]


@dataclass(slots=True)
class _Room:
    id: str
    alias: str | None = None
    members: dict[str, str] = field(default_factory=dict)  # user → membership
    events: list[tuple[int, Raw]] = field(default_factory=list)  # (position, event)


class FakeTransport:
    """One bot's view; people act through `say`, `edit`, `redact`… which answer event ids."""

    device_id = "FAKE"
    encrypts = True

    def __init__(self, user_id: str, clock: Clock | None = None) -> None:
        self.user_id = user_id
        self.profiles: dict[str, dict[str, object]] = {}
        self.requests: list[str] = []
        """What the bot asked for, by method name."""
        self.plain: list[str] = []
        """Transaction ids of what the bot sent readable whatever the room."""
        self._keys: set[tuple[str, str]] = set()  # (room, session id) the bot can read
        self._secret: dict[str, str] = {}  # event id → session id
        self._sealed: dict[str, Event] = {}  # event id → what it says, of events that are in no room
        self._letters: list[tuple[int, tuple[str, str] | Withheld]] = []  # (position, what came to the device)
        self._clock = clock or FakeClock()
        self._rooms: dict[str, _Room] = {}
        self._sent: dict[tuple[str, str], str] = {}  # (room, txn id) → event id
        self._position = 0
        self._direct: set[str] = set()
        self._news = asyncio.Event()
        self._failures: list[TransportError] = []
        self._synced = False

    # -- what people do -------------------------------------------------------------------------------------------

    def open_room(self, room: str, *, alias: str | None = None, members: Iterable[str] = ()) -> str:
        """A room exists, with these people in it."""
        made = self._rooms[room] = _Room(room, alias)
        creator = next(iter(members), self.user_id)
        self._add(made, creator, "m.room.create", {"room_version": "10"}, state_key="")
        self._add(made, creator, "m.room.power_levels", {"users": {creator: 100}}, state_key="")
        for user in members:
            self._membership(made, user, user, "join")
        return room

    def say(self, user: str, room: str, body: str, **content: object) -> str:
        return self._add(self._rooms[room], user, "m.room.message", {"msgtype": "m.text", "body": body, **content})

    def whisper(self, user: str, room: str, body: str, *, session: str) -> str:
        """Says something encrypted; the bot cannot read it before it is given the session's key."""
        event_id = self.say(user, room, body)
        self._secret[event_id] = session
        return event_id

    def seal(self, event: Message | Edit, session: str) -> Undecryptable:
        """The event as it is before its key comes, for who hands batches to the hallway without syncing."""
        message = event.message if isinstance(event, Edit) else event
        opened = replace(message, encrypted=True)
        self._sealed[message.event_id] = Edit(event.target, opened) if isinstance(event, Edit) else opened
        return Undecryptable(message.room, message.event_id, message.sender, message.sent_at, session, {})

    def has_key(self, room: str, session: str) -> None:
        """The bot can read a session from now on."""
        self._keys.add((room, session))

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
        for _, event in self._rooms[room].events:
            if event["event_id"] == event_id:
                event["content"] = {}
                event["unsigned"] = {"redacted_because": {}}
        return self._add(self._rooms[room], user, "m.room.redaction", {"redacts": event_id})

    def react(self, user: str, room: str, event_id: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return self._add(self._rooms[room], user, "m.reaction", {"m.relates_to": relation})

    def invite(self, user: str, room: str, *, direct: bool = False) -> None:
        if direct:
            self._direct.add(room)
        self._membership(self._rooms[room], user, self.user_id, "invite")

    def ask_in(self, user: str, room: str, other: str) -> None:
        """Somebody invites somebody else."""
        self._membership(self._rooms[room], user, other, "invite")

    def kick(self, user: str, room: str) -> None:
        self._membership(self._rooms[room], user, self.user_id, "leave")

    def fail_next(self, *errors: TransportError) -> None:
        """The next requests fail so, one each. A sync waits out what is `Unavailable`, as the real one does."""
        self._failures += errors

    def restart(self) -> None:
        """The bot's process starts anew: its next sync is the first after a start."""
        self._synced = False

    def said(self, room: str) -> list[Mapping[str, Any]]:
        """What the bot said in a room, as contents, without what was redacted."""
        events = [event for _, event in self._rooms[room].events if event["sender"] == self.user_id]
        return [event["content"] for event in events if event["type"] == "m.room.message" and event["content"]]

    async def happened(self, after: int) -> tuple[int, Sequence[Mapping[str, Any]]]:
        """All events after a position (0: the beginning), each with its `room_id`, and the position they lead to.

        Waits until there are any."""
        while self._position <= after:
            self._news.clear()
            await self._news.wait()
        new = [
            (position, {**event, "room_id": room.id})
            for room in self._rooms.values()
            for position, event in room.events
            if position > after
        ]
        return self._position, [event for _, event in sorted(new, key=lambda pair: pair[0])]

    # -- what the bot does ----------------------------------------------------------------------------------------

    async def sync(self, since: str | None) -> Batch:
        after = int(since or 0)
        while since is not None and self._position <= after:
            self._news.clear()
            await self._news.wait()
        self.requests.append("sync")
        while self._failures:
            error = self._failures.pop(0)
            if not isinstance(error, Unavailable):
                raise error
        catching_up, self._synced = since is not None and not self._synced, True
        letters = [letter for position, letter in self._letters if position > after]
        keys = frozenset(letter for letter in letters if not isinstance(letter, Withheld))
        self._keys |= keys
        closed: list[Undecryptable] = []
        joined, invites, left = [], [], []
        for room in self._rooms.values():
            new = [event for position, event in room.events if position > after]
            membership = room.members.get(self.user_id)
            if membership == "join" and (new or since is None):
                update, unread = self._update(room, new, since)
                joined.append(update)
                closed += unread
            elif membership == "invite" and (inviter := self._inviter(new)):
                invites.append(Invite(room.id, inviter, direct=room.id in self._direct))
            elif membership == "leave" and self._inviter(new, "leave"):
                left.append(room.id)
        return Batch(
            token=str(self._position),
            rooms=tuple(joined),
            invites=tuple(invites),
            left=tuple(left),
            first=since is None,
            catching_up=catching_up,
            undecryptable=tuple(closed),
            keys=keys,
            withheld=tuple(letter for letter in letters if isinstance(letter, Withheld)),
        )

    def decrypt(self, event: Undecryptable) -> Event | None:
        if (event.room, event.session_id) not in self._keys:
            return None
        if event.event_id in self._sealed:
            return self._sealed[event.event_id]
        found = self._open(event.room, dict(event.raw))
        return None if isinstance(found, Undecryptable) else found

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        self._request("send")
        if plain:
            self.plain.append(txn_id)
        return self._once(room, txn_id, type_, dict(content))

    async def redact(self, room: str, event_id: str, txn_id: str) -> str:
        self._request("redact")
        if (room, txn_id) not in self._sent:
            self._sent[room, txn_id] = self.remove(self.user_id, self._mine(room).id, event_id)
        return self._sent[room, txn_id]

    async def find_sent(self, room: str, key: str, since: int) -> str | None:
        self._request("find_sent")
        for _, event in reversed(self._mine(room).events):
            ours = event["sender"] == self.user_id and event["origin_server_ts"] >= since
            if ours and event["content"].get("org.faro.key") == key:
                return str(event["event_id"])
        return None

    async def resolve(self, alias: str) -> tuple[str, Sequence[str]]:
        self._request("resolve")
        for room in self._rooms.values():
            if room.alias == alias:
                return room.id, ["example.org"]
        raise Refused("M_NOT_FOUND", f"Room alias {alias} not found")

    async def join(self, room: str, via: Sequence[str]) -> str:
        self._request("join")
        found = next((one for one in self._rooms.values() if room in (one.id, one.alias)), None)
        if found is None:
            raise Refused("M_NOT_FOUND", "no such room")
        if found.members.get(self.user_id) != "join":
            self._membership(found, self.user_id, self.user_id, "join")
        return found.id

    async def create_room(self, alias: str | None, name: str, encrypted: bool) -> str:
        self._request("create_room")
        if alias and any(one.alias == alias for one in self._rooms.values()):
            raise Refused("M_ROOM_IN_USE", f"Room alias {alias} already taken")
        room = self.open_room(f"!made{len(self._rooms)}:example.org", alias=alias, members=[self.user_id])
        if encrypted:
            algorithm = {"algorithm": "m.megolm.v1.aes-sha2"}
            self._add(self._rooms[room], self.user_id, "m.room.encryption", algorithm, state_key="")
        self._add(self._rooms[room], self.user_id, "m.room.name", {"name": name}, state_key="")
        return room

    async def invite_person(self, room: str, user: str) -> None:
        self._request("invite_person")
        if self._mine(room).members.get(user) == "join":
            raise Refused("M_FORBIDDEN", f"{user} is already in the room.")
        self._membership(self._mine(room), self.user_id, user, "invite")

    async def leave(self, room: str) -> None:
        self._request("leave")
        found = self._rooms.get(room)
        if found is None or found.members.get(self.user_id) not in ("join", "invite"):
            raise Refused("M_FORBIDDEN", "not in this room")
        self._membership(found, self.user_id, self.user_id, "leave")

    async def members(self, room: str) -> Mapping[str, str]:
        self._request("members")
        joined = [user for user, membership in self._mine(room).members.items() if membership == "join"]
        return {user: str(self.profiles.get(user, {}).get("displayname", "")) for user in joined}

    async def invited(self, room: str) -> frozenset[str]:
        self._request("invited")
        return frozenset(user for user, membership in self._mine(room).members.items() if membership == "invite")

    async def set_display_name(self, name: str) -> None:
        self._request("set_display_name")
        profile = self.profiles.setdefault(self.user_id, {})
        if profile.get("displayname") == name:
            return
        profile["displayname"] = name
        for room in self._rooms.values():
            if room.members.get(self.user_id) == "join":  # a new name is told to every room, as a homeserver does
                self._membership(room, self.user_id, self.user_id, "join")

    async def profile(self, user: str) -> Mapping[str, object]:
        self._request("profile")
        return self.profiles.get(user, {})

    async def close(self) -> None:
        """Nothing is open."""

    # -- inside ---------------------------------------------------------------------------------------------------

    def _request(self, name: str) -> None:
        self.requests.append(name)
        if self._failures:
            raise self._failures.pop(0)

    def _mine(self, room: str) -> _Room:
        found = self._rooms.get(room)
        if found is None or found.members.get(self.user_id) != "join":
            raise Refused("M_FORBIDDEN", "not in this room")
        return found

    def _once(self, room: str, txn_id: str, type_: str, content: Raw) -> str:
        if (room, txn_id) not in self._sent:
            self._sent[room, txn_id] = self._add(self._mine(room), self.user_id, type_, content)
        return self._sent[room, txn_id]

    def _membership(self, room: _Room, sender: str, user: str, membership: str) -> None:
        before, room.members[user] = room.members.get(user), membership
        unsigned = {"prev_content": {"membership": before}} if before else {}
        self._add(room, sender, "m.room.member", {"membership": membership}, state_key=user, unsigned=unsigned)

    def _add(
        self,
        room: _Room,
        sender: str,
        type_: str,
        content: Raw,
        state_key: str | None = None,
        unsigned: Raw | None = None,
    ) -> str:
        self._position += 1
        event: Raw = {
            "type": type_,
            "sender": sender,
            "event_id": f"$e{self._position}",
            "origin_server_ts": self._clock.now(),
            "content": content,
            "unsigned": unsigned or {},
        }
        if state_key is not None:
            event["state_key"] = state_key
        room.events.append((self._position, event))
        self._news.set()
        return str(event["event_id"])

    def _inviter(self, new: Sequence[Raw], membership: str = "invite") -> str | None:
        for event in reversed(new):
            if event.get("state_key") == self.user_id and event["content"].get("membership") == membership:
                return str(event["sender"])
        return None

    def _update(self, room: _Room, new: Sequence[Raw], since: str | None) -> tuple[RoomUpdate, Sequence[Undecryptable]]:
        found = tuple(event for raw in new if (event := self._open(room.id, raw)))
        join = inbound.joined_here(list(new), self.user_id)
        if join:
            found = inbound.since_joining(found, join)
        closed = [event for event in found if isinstance(event, Undecryptable)]
        events = tuple(event for event in found if not isinstance(event, Undecryptable))
        if since is None:
            return RoomUpdate(room.id, (), events), closed if join else ()
        old = frozenset() if join else frozenset(inbound.ids(events[:-TIMELINE]))
        return RoomUpdate(room.id, (), events, old=old, gap=bool(old)), closed

    def _open(self, room: str, raw: Raw) -> Event | Undecryptable | None:
        session = self._secret.get(raw["event_id"])
        event = inbound.translate(room, raw, self.user_id)
        match event:
            case Message() if session and (room, session) not in self._keys:
                return Undecryptable(room, event.event_id, event.sender, event.sent_at, session, raw)
            case Message():
                return replace(event, encrypted=session is not None)
        return event

    def _post(self, letter: tuple[str, str] | Withheld) -> None:
        self._position += 1
        self._letters.append((self._position, letter))
        self._news.set()
