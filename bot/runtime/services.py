"""Everything the pipeline looks things up in: hubs, plugins, languages, operators. Builds the contexts handlers get."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.api import Plugin, RoomView
from bot.core.events import Invite, Message
from bot.core.permissions import Role, is_moderator, power_level, role_of
from bot.hubs import Hub
from bot.ports import Reader, Transaction, Translations, Translator
from bot.runtime.contexts import EventContext
from bot.runtime.directory import Directory
from bot.runtime.plugins import Registry
from bot.storage import absent_plugins, alarms, outbox, people, rooms, undecryptable
from bot.storage.alarms import PluginSchedule

CORE = "core"  # owner of the core's own sentences, tables and jobs


def invite_key(room: str) -> str:
    """The key of the job that answers an invite."""
    return f"invite/{room}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Something asked that waits for an answer."""

    message: Message
    key: str  # of the outbox row the answer will be
    replaces: str | None = None  # key of the answer it had, if the question was edited
    edit_id: str | None = None  # the edit that gave the message its present text

    def as_json(self) -> Mapping[str, object]:
        """For a job that will answer it later."""
        message = self.message
        return {
            "room": message.room,
            "event_id": message.event_id,
            "sender": message.sender,
            "sent_at": message.sent_at,
            "body": message.body,
            "thread": message.thread,
            "encrypted": message.encrypted,
            "sender_known": message.sender_known,
            "key": self.key,
            "replaces": self.replaces,
            "edit_id": self.edit_id,
        }

    @staticmethod
    def from_json(stored: Mapping[str, object]) -> Asked:
        values = dict(stored)
        key, replaces, edit_id = (values.pop(name) for name in ("key", "replaces", "edit_id"))
        return Asked(Message(**values), key, replaces, edit_id)  # type: ignore[arg-type]  # written by as_json


@dataclass(slots=True)
class Services:
    directory: Directory
    registry: Registry
    translations: Translations
    user_id: str
    display_name: str
    prefix: str = "!"
    operators: Sequence[str] = ()
    absent: Sequence[str] = ()
    """Plugins with tables that do not run."""
    names: tuple[str, ...] = field(init=False)
    """What the bot answers to: names, and the pill's text in clients that send it as Markdown."""

    def __post_init__(self) -> None:
        localpart = self.user_id[1:].partition(":")[0]
        pill = f"[{self.display_name}](https://matrix.to/#/{self.user_id})"
        self.names = (
            self.display_name,
            f"@{self.display_name}",
            self.user_id,
            localpart,
            f"@{localpart}",
            pill,
        )

    def schedule(self, tx: Transaction, owner: str, now: int, asked: Asked | None = None) -> PluginSchedule:
        return PluginSchedule(tx, owner, now, asked.as_json() if asked else None)

    def core_schedule(self, tx: Transaction, now: int) -> PluginSchedule:
        return self.schedule(tx, CORE, now)

    async def plan_invite(self, tx: Transaction, invite: Invite, now: int) -> None:
        """Has an invite answered, soon."""
        await self.core_schedule(tx, now).job(
            "invite", invite_key(invite.room), room=invite.room, sender=invite.sender, direct=int(invite.direct)
        )

    async def is_direct(self, db: Reader, room: str) -> bool:
        """A chat with one person: a room of no hub with nobody else in it.

        Until the member list has been read, only those count who were heard of: then it must be a chat the bot was
        invited to as a direct one.
        """
        if self.directory.place(room):
            return False
        members = await db.value("SELECT count(*) FROM core_members WHERE room = :room", room=room)
        if members > 2:
            return False
        flagged = await db.value("SELECT direct FROM core_rooms WHERE id = :room", room=room)
        return bool(flagged) or (members == 2 and not await alarms.has_job(db, CORE, f"members/{room}"))

    async def hubs(self, db: Reader, message: Message) -> Sequence[Hub]:
        """Hubs whose content may be shown where the message was written."""
        if place := self.directory.place(message.room):
            return self.directory.seen_from(place.hub)
        if not await self.is_direct(db, message.room):
            return ()
        return self.directory.hubs_among(await rooms.rooms_of(db, message.sender))

    async def encrypted_hubs(self, db: Reader, message: Message, hubs: Sequence[Hub]) -> frozenset[str]:
        """Of which of these hubs the encrypted rooms' content may be shown in this encrypted room or chat."""
        if place := self.directory.place(message.room):
            return frozenset({place.hub.id})
        shared = await rooms.encrypted_among(db, await rooms.rooms_of(db, message.sender)) if hubs else frozenset()
        return frozenset(hub.id for hub in self.directory.hubs_among(shared))

    async def role(self, db: Reader, message: Message, hubs: Sequence[Hub]) -> Role:
        """What the sender is to the hub; in an encrypted room a member, unless it is sure that they wrote it."""
        known = await rooms.joined_room(db, message.room)
        sure = message.sender_known and (message.encrypted or not (known and known.encrypted))
        return await self.claimed_role(db, message, hubs) if sure else Role.MEMBER

    async def claimed_role(self, db: Reader, message: Message, hubs: Sequence[Hub]) -> Role:
        """What the named sender is to the hub, whoever wrote the message."""
        place = self.directory.place(message.room)
        trusted = place and not self.directory.openings(message.room)  # else anybody may have made the room
        known = await rooms.joined_room(db, message.room) if trusted else None
        power = (
            power_level(message.sender, known.state.get("m.room.power_levels"), known.state.get("m.room.create"))
            if known
            else 0
        )
        mine = (place.hub,) if place else hubs
        return role_of(
            message.sender,
            operators=self.operators,
            moderators=[user for hub in mine for user in hub.moderators],
            coordinators=[person.user for hub in mine for person in hub.coordinators],
            power=power,
        )

    async def may_verify(self, db: Reader, user: str) -> bool:
        """Whether somebody is an operator or a moderator of a hub: by name, or by power in a room of it they are in."""
        if user in self.operators or any(user in hub.moderators for hub in self.directory.hubs):
            return True
        for id_ in await rooms.rooms_of(db, user):
            trusted = self.directory.place(id_) and not self.directory.openings(id_)
            known = await rooms.joined_room(db, id_) if trusted else None
            if known and is_moderator(user, known.state.get("m.room.power_levels"), known.state.get("m.room.create")):
                return True
        return False

    async def language(self, db: Reader, message: Message, hubs: Sequence[Hub]) -> str:
        return await people.language(db, message.sender) or (hubs[0].languages[0] if hubs else "en")

    async def core_translator(self, db: Reader, message: Message) -> Translator:
        return self.translations.translator(CORE, await self.language(db, message, await self.hubs(db, message)))

    async def context(
        self,
        tx: Transaction,
        message: Message,
        owner: str,
        now: int,
        edit_id: str | None,
        asked: Asked | None = None,
        *,
        listening: bool = False,
    ) -> EventContext:
        """`listening`: for a listener, which answers nobody. For answers in a room that is more open than its hub,
        there is no hub."""
        hubs = await self.hubs(tx, message)
        language = await self.language(tx, message, hubs)
        place = self.directory.place(message.room)
        if not listening and self.directory.openings(message.room):
            hubs = ()
        encrypted = message.encrypted or message.room in await rooms.encrypted_among(tx, [message.room])
        return EventContext(
            db=tx,
            now=now,
            sender=message.sender,
            role=await self.role(tx, message, hubs),
            message=message,
            edit_id=edit_id,
            room=RoomView(
                message.room, await self.is_direct(tx, message.room), place.room if place else None, encrypted
            ),
            hubs=hubs,
            encrypted_hubs=await self.encrypted_hubs(tx, message, hubs) if encrypted else frozenset(),
            schedule=self.schedule(tx, owner, now, asked),
            owner=owner,
            words=self.translations.translator(owner, language),
            translations=self.translations,
            plugins=self.registry.plugins,
            vocabulary=self.registry.vocabulary,
            prefix=self.prefix,
            bot_name=self.display_name,
            forget=self.forget,
        )

    async def forget(self, tx: Transaction, user: str) -> Sequence[str]:
        await forget(tx, self.registry.plugins.values(), user, self.absent)
        return self.absent


async def forget(tx: Transaction, plugins: Iterable[Plugin[Any]], user: str, absent: Collection[str] = ()) -> None:
    """Erases what the core and every plugin hold about a person; absent plugins will when they are back."""
    for plugin in plugins:
        await plugin.forget(tx, user)
    await absent_plugins.keep_erasure(tx, absent, user)
    await people.set_language(tx, user, None)
    await outbox.forget(tx, user)
    await undecryptable.forget(tx, user)
