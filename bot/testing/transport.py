"""A homeserver in memory: `Transport` for the console and for tests, held to the same contract as the real one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.core import room_powers
from bot.core.errors import Refused, TransportError, Unavailable, UserError
from bot.core.events import Batch, Event, Invite, Message, RoomUpdate, StateChange, Undecryptable, Withheld
from bot.core.files import File
from bot.matrix import inbound, media
from bot.ports import Clock, NewRoom
from bot.testing.memory import MemoryHomeserver, MemoryRoom, Raw

TIMELINE = 50  # events a sync answer holds per room; more is a gap


class FakeTransport(MemoryHomeserver):
    """One bot's view of a homeserver of its own."""

    device_id = "FAKE"
    encrypts = True

    def __init__(self, user_id: str, clock: Clock | None = None) -> None:
        super().__init__(user_id, clock)
        self.requests: list[str] = []
        """What the bot asked for, by method name."""
        self.plain: list[str] = []
        """Transaction ids of what the bot sent readable whatever the room."""
        self.active_at = math.inf
        """Waiting for news is no hang."""
        self.signed = True
        """Whether the bot's device counts as cross-signed."""
        self._sent: dict[tuple[str, str], str] = {}  # (room, txn id) → event id
        self._failures: list[TransportError] = []
        self._synced = False

    def fail_next(self, *errors: TransportError) -> None:
        """The next requests fail so, one each. A sync waits out what is `Unavailable`, as the real one does."""
        self._failures += errors

    def restart(self) -> None:
        """The bot's process starts anew: its next sync is the first after a start."""
        self._synced = False

    def said(self, room: str) -> list[Mapping[str, Any]]:
        """What the bot said in a room, as contents, without what was redacted."""
        events = [event for _, event in self.rooms[room].events if event["sender"] == self.user_id]
        return [event["content"] for event in events if event["type"] == "m.room.message" and event["content"]]

    # -- what the bot does ----------------------------------------------------------------------------------------

    async def cross_signed(self) -> bool | None:
        self._request("cross_signed")
        return self.signed if self.encrypts else None

    async def sync(self, since: str | None) -> Batch:
        after = int(since or 0)
        while since is not None and self.position <= after:
            self.news.clear()
            await self.news.wait()
        self.requests.append("sync")
        while self._failures:
            error = self._failures.pop(0)
            if not isinstance(error, Unavailable):
                raise error
        catching_up, self._synced = since is not None and not self._synced, True
        letters = [letter for position, letter in self.letters if position > after]
        keys = frozenset(letter for letter in letters if not isinstance(letter, Withheld))
        self.keys |= keys
        closed: list[Undecryptable] = []
        joined, invites, left = [], [], []
        for room in self.rooms.values():
            new = [event for position, event in room.events if position > after]
            membership = room.members.get(self.user_id)
            if membership == "join" and (new or since is None):
                update, unread = self._update(room, new, since)
                joined.append(update)
                closed += unread
            elif membership == "invite" and (inviter := self._inviter(new)):
                invites.append(Invite(room.id, inviter, direct=room.id in self.direct))
            elif membership == "leave" and self._inviter(new, "leave"):
                left.append(room.id)
        return Batch(
            token=str(self.position),
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
        if (event.room, event.session_id) not in self.keys:
            return None
        if event.event_id in self.sealed:
            return self.sealed[event.event_id]
        found = self._open(event.room, dict(event.raw))
        return None if isinstance(found, Undecryptable) else found

    async def send(
        self, room: str, type_: str, content: Mapping[str, object], txn_id: str, *, plain: bool = False
    ) -> str:
        self._request("send")
        if plain:
            self.plain.append(txn_id)
        return self._once(room, txn_id, type_, dict(content))

    async def upload(self, room: str, file: File) -> Mapping[str, object]:
        self._request("upload")
        return {"url": self.keep(file.content)}

    async def fetch(self, room: str, event_id: str, most: int) -> tuple[Message, File]:
        self._request("fetch")
        message, content = self._carried(room, event_id)
        if len(content) > most:
            raise media.too_large(most)
        said = message.attachment
        if said is None:
            raise UserError(media.NO_FILE)
        return message, File(said.name, said.mimetype, content)

    async def current(self, room: str, event_id: str) -> Event | Undecryptable | None:
        self._request("current")
        events = [event for _, event in self._mine(room).events]
        raw = next((event for event in events if event["event_id"] == event_id), None)
        if raw is None:
            raise Refused("M_NOT_FOUND", "no such event")
        for event in events:
            relation = event["content"].get("m.relates_to", {})
            replaces = relation.get("rel_type") == "m.replace" and relation.get("event_id") == event_id
            if replaces and event["sender"] == raw["sender"] and raw["content"]:
                raw = event
        return self._open(room, raw)

    async def thread_of(self, room: str, event_id: str) -> str | None:
        self._request("thread_of")
        raw = next((event for _, event in self._mine(room).events if event["event_id"] == event_id), {})
        return inbound.thread(raw)

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
        for room in self.rooms.values():
            if room.alias == alias:
                return room.id, ["example.org"]
        raise Refused("M_NOT_FOUND", f"Room alias {alias} not found")

    async def join(self, room: str, via: Sequence[str]) -> str:
        self._request("join")
        found = next((one for one in self.rooms.values() if room in (one.id, one.alias)), None)
        if found is None:
            raise Refused("M_NOT_FOUND", "no such room")
        if found.members.get(self.user_id) != "join":
            self.member(found, self.user_id, self.user_id, "join")
        return found.id

    async def create_room(self, new: NewRoom) -> str:
        self._request("create_room")
        if new.alias and any(one.alias == new.alias for one in self.rooms.values()):
            raise Refused("M_ROOM_IN_USE", f"Room alias {new.alias} already taken")
        room = self.open_room(f"!made{len(self.rooms)}:example.org", alias=new.alias, members=[self.user_id])
        state: dict[str, Raw] = {
            "m.room.create": {"room_version": "12"},
            "m.room.power_levels": dict(room_powers.of_new_room(self.user_id, new.levels, "12")),
            "m.room.join_rules": {"join_rule": "invite"},
            "m.room.history_visibility": {"history_visibility": "shared"},
            "m.room.guest_access": {"guest_access": "forbidden"},
            "m.room.name": {"name": new.name},
        }
        if new.encrypted:
            state["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}
        if new.topic:
            state["m.room.topic"] = {"topic": new.topic}
        for type_, content in state.items():
            self.add(self.rooms[room], self.user_id, type_, content, state_key="")
        return room

    async def state(self, room: str) -> Sequence[StateChange]:
        self._request("state")
        events = [inbound.translate(room, raw, self.user_id) for _, raw in self._mine(room).events]
        changes = [event for event in events if isinstance(event, StateChange)]
        return list({(change.type, change.state_key): change for change in changes}.values())

    async def set_state(self, room: str, type_: str, content: Mapping[str, object]) -> None:
        self._request("set_state")
        self.add(self._mine(room), self.user_id, type_, dict(content), state_key="")

    async def invite_person(self, room: str, user: str) -> None:
        self._request("invite_person")
        if self._mine(room).members.get(user) == "join":
            raise Refused("M_FORBIDDEN", f"{user} is already in the room.")
        self.member(self._mine(room), self.user_id, user, "invite")

    async def leave(self, room: str) -> None:
        self._request("leave")
        found = self.rooms.get(room)
        if found is None or found.members.get(self.user_id) not in ("join", "invite"):
            raise Refused("M_FORBIDDEN", "not in this room")
        self.member(found, self.user_id, self.user_id, "leave")

    async def members(self, room: str) -> Mapping[str, str]:
        self._request("members")
        joined = [user for user, membership in self._mine(room).members.items() if membership == "join"]
        return {user: str(self.profiles.get(user, {}).get("displayname", "")) for user in joined}

    async def invited(self, room: str) -> frozenset[str]:
        self._request("invited")
        return frozenset(user for user, membership in self._mine(room).members.items() if membership == "invite")

    async def invites(self) -> Sequence[Invite]:
        self._request("invites")
        asked = [room for room in self.rooms.values() if room.members.get(self.user_id) == "invite"]
        return [
            Invite(room.id, self._inviter([event for _, event in room.events]) or "", direct=room.id in self.direct)
            for room in asked
        ]

    async def set_display_name(self, name: str) -> None:
        self._request("set_display_name")
        profile = self.profiles.setdefault(self.user_id, {})
        if profile.get("displayname") == name:
            return
        profile["displayname"] = name
        for room in self.rooms.values():
            if room.members.get(self.user_id) == "join":  # a new name is told to every room, as a homeserver does
                self.member(room, self.user_id, self.user_id, "join")

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

    def _mine(self, room: str) -> MemoryRoom:
        found = self.rooms.get(room)
        if found is None or found.members.get(self.user_id) != "join":
            raise Refused("M_FORBIDDEN", "not in this room")
        return found

    def _carried(self, room: str, event_id: str) -> tuple[Message, bytes]:
        if event_id in self.carried:
            message, file = self.carried[event_id]
            return message, file.content
        raw = next((event for _, event in self._mine(room).events if event["event_id"] == event_id), None)
        if raw is None:
            raise UserError(media.GONE)
        found = self._open(room, raw)
        if isinstance(found, Undecryptable):
            raise UserError(media.NO_KEY)
        if not isinstance(found, Message):
            raise UserError(media.NO_FILE)
        return found, self.media.get(raw["content"].get("url"), b"")

    def _once(self, room: str, txn_id: str, type_: str, content: Raw) -> str:
        if (room, txn_id) not in self._sent:
            self._sent[room, txn_id] = self.add(self._mine(room), self.user_id, type_, content)
        return self._sent[room, txn_id]

    def _inviter(self, new: Sequence[Raw], membership: str = "invite") -> str | None:
        for event in reversed(new):
            if event.get("state_key") == self.user_id and event["content"].get("membership") == membership:
                return str(event["sender"])
        return None

    def _update(
        self, room: MemoryRoom, new: Sequence[Raw], since: str | None
    ) -> tuple[RoomUpdate, Sequence[Undecryptable]]:
        found = tuple(event for raw in new if (event := self._open(room.id, raw)))
        join = inbound.own_join(list(new), self.user_id)
        if join:
            found = inbound.after_join(found, join)
        closed = [event for event in found if isinstance(event, Undecryptable)]
        events = tuple(event for event in found if not isinstance(event, Undecryptable))
        if since is None:
            return RoomUpdate(room.id, (), events, incomplete=join is not None), closed if join else ()
        old = frozenset() if join else frozenset(inbound.ids(events[:-TIMELINE]))
        return RoomUpdate(room.id, (), events, old=old, gap=bool(old), incomplete=join is not None), closed

    def _open(self, room: str, raw: Raw) -> Event | Undecryptable | None:
        session = self.sessions.get(raw["event_id"])
        event = inbound.translate(room, raw, self.user_id)
        match event:
            case Message() if session and (room, session) not in self.keys:
                return Undecryptable(room, event.event_id, event.sender, event.sent_at, session, raw)
            case Message():
                return replace(event, encrypted=session is not None)
        return event
