"""What handlers are given: the contexts promised in `bot.api`, over one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.api import Plugin, RoomView, Schedule
from bot.core.commands import CommandHelp, CommandSpec, Vocabulary
from bot.core.errors import UserError
from bot.core.events import Message
from bot.core.permissions import Role
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.hubs import Hub
from bot.ports import Transaction, Translations, Translator
from bot.runtime.directory import Directory
from bot.storage import outbox, people


@dataclass(frozen=True, slots=True)
class EventContext:
    """`bot.api.Context` for one event and one plugin."""

    db: Transaction
    now: int
    sender: str
    role: Role
    message: Message
    edit_id: str | None
    room: RoomView
    hubs: Sequence[Hub]
    encrypted_hubs: frozenset[str]
    schedule: Schedule
    owner: str
    words: Translator
    translations: Translations
    plugins: Mapping[str, Plugin[Any]]
    vocabulary: Vocabulary
    prefix: str
    bot_name: str
    forget: Callable[[Transaction, str], Awaitable[Sequence[str]]]

    @property
    def hub(self) -> Hub:
        if not self.hubs:
            raise UserError(NO_HUB if self.room.direct else NOT_ALONE)
        return self.hubs[0]

    @property
    def language(self) -> str:
        return self.words.language

    def t(self, template: str | Text, **values: object) -> str:
        return self.words.t(template, **values)

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        return self.words.n(singular, plural, count, **values)

    def translator(self, language: str) -> Translator:
        return self.translations.translator(self.owner, language)

    def _allowed(self) -> Sequence[CommandSpec]:
        """The commands the sender may use, if only in a room."""
        return [spec for spec in self.vocabulary.specs if spec.role <= self.role and (spec.anywhere or self.hubs)]

    def _fits(self, spec: CommandSpec) -> bool:
        return not (spec.rooms_only and self.room.direct)

    def manual(self) -> Sequence[CommandHelp]:
        found = []
        for spec in self._allowed():
            word = spec.word_in(self.language)
            words = self.translations.translator(spec.owner, self.language)
            found.append(
                CommandHelp(
                    name=spec.name,
                    word=self.prefix + word,
                    names=tuple(self.prefix + name for name in spec.words),
                    usage=self.prefix + spec.usage_as(word, words.t),
                    help=words.t(spec.help),
                    examples=tuple(self.prefix + words.t(example) for example in spec.examples),
                    here=self._fits(spec),
                )
            )
        return found

    def privacy_notices(self) -> Sequence[str]:
        sentences = [
            self.translations.translator(owner, self.language).t(text)
            for hub in (self.hubs if self.room.direct else self.hubs[:1])
            for owner, plugin in self.plugins.items()
            for text in plugin.privacy_notices(hub, encrypted=self.room.encrypted)
        ]
        return list(dict.fromkeys(sentences))

    async def react(self, sign: str) -> None:
        about = {"rel_type": "m.annotation", "event_id": self.message.event_id, "key": sign}
        await outbox.enqueue(
            self.db,
            key=key("react", self.message.room, self.message.event_id),
            room=self.message.room,
            type_="m.reaction",
            content={"m.relates_to": about},
            cause=self.message.event_id,
            now=self.now,
        )

    async def unreact(self) -> None:
        room, event = self.message.room, self.message.event_id
        given = key("react", room, event)
        if given in await outbox.answers_to(self.db, room, event):
            await outbox.enqueue(
                self.db, key=key("redact", room, given), room=room, action="redact", replaces=given, now=self.now
            )

    async def set_language(self, language: str | None) -> None:
        await people.set_language(self.db, self.sender, language)

    async def forget_sender(self) -> Sequence[str]:
        return await self.forget(self.db, self.sender)


NO_HUB = Text("You are not in a room of any of my hubs, so I can't show you anything here.")
NOT_ALONE = Text(
    "Other people can read this chat, so I can't show hub content here. Ask me in a hub room, or in "
    "a direct chat with me."
)


@dataclass(frozen=True, slots=True)
class RingContext:
    """`bot.api.AlarmContext`."""

    db: Transaction
    now: int
    due: int
    hub: Hub
    payload: Mapping[str, str | int] = field(hash=False)
    schedule: Schedule
    joined: frozenset[str]
    directory: Directory
    owner: str
    translations: Translations

    def rooms(self, role: str) -> Sequence[str]:
        return [room for room in self.directory.rooms_of(self.hub, role) if room in self.joined]

    def translator(self, language: str) -> Translator:
        return self.translations.translator(self.owner, language)


@dataclass(frozen=True, slots=True)
class HubsContext:
    """`bot.api.RefreshContext`."""

    db: Transaction
    now: int
    hubs: Sequence[Hub]
    schedule: Schedule
