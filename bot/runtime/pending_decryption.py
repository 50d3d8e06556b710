"""What cannot be read in encrypted rooms: kept until its key comes, and asked for where an app withholds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.api import Reply
from bot.core.events import Batch, Event, Message, StateChange, Undecryptable, Withheld
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Transaction
from bot.replies import escape
from bot.runtime import message_builder
from bot.runtime.services import Services
from bot.storage import outbox, rooms, undecryptable

log = structlog.get_logger()

Decrypt = Callable[[Undecryptable], Event | None]

UNVERIFIED = Text(
    "{person}, I cannot read your messages in this room: your app does not give me the keys to them. "
    "Please turn off the setting that sends encrypted messages to verified people or devices only, "
    "or ask a moderator for help. Then write again."
)
VERIFY = Text(
    "{person}, I cannot read your messages in this room: your app does not give me the keys to them. "
    "Please verify me in your app, or turn off the setting that sends encrypted messages to verified people or "
    "devices only. Then write again."
)
BLOCKED = Text(
    "{person}, I cannot read your messages in this room: I am blocked in your app, so it does not give me the keys "
    "to them. Please remove the block, then write again."
)
ASKED_FOR = frozenset({"m.unverified", "m.blacklisted"})
"""Codes that a person can do something about (spec, "Reporting that decryption keys are withheld")."""


class Unreadable:
    """Works inside the batch's transaction."""

    def __init__(self, services: Services, decrypt: Decrypt) -> None:
        self._services, self._decrypt = services, decrypt

    async def readable(self, tx: Transaction, batch: Batch) -> Sequence[Event]:
        """Events kept earlier that can be read now. They are no longer kept.

        After a pause all are tried: a key may have come just before the process was killed.
        """
        found = []
        for kept in await undecryptable.pending(tx, None if batch.catching_up else sorted(batch.keys)):
            event = self._read(kept)
            if event is not None and not isinstance(event, StateChange):  # state never comes encrypted
                await undecryptable.drop(tx, kept.room, kept.event_id)
                found.append(event)
        return found

    async def keep(self, tx: Transaction, batch: Batch, now: int) -> None:
        """Keeps what could not be read: before the batch's events, some of which may edit or remove it."""
        joined = {update.room for update in batch.rooms}
        for event in batch.undecryptable:
            if not batch.first and (event.room in joined or await rooms.joined_room(tx, event.room)):
                await undecryptable.keep(tx, event, now)
                log.info("an event cannot be read yet", room=event.room, event_id=event.event_id)

    async def ask(self, tx: Transaction, batch: Batch, now: int) -> None:
        """Speaks to those who do not give the bot their keys."""
        for notice in batch.withheld:
            if await rooms.joined_room(tx, notice.room) and await rooms.is_member(tx, notice.room, notice.sender):
                await undecryptable.note_withheld(tx, notice, now)
                if notice.code in ASKED_FOR and await undecryptable.may_notify(tx, notice.room, notice.sender, now):
                    await self._ask(tx, notice, now)

    async def _ask(self, tx: Transaction, notice: Withheld, now: int) -> None:
        log.warning("somebody's app does not give its keys", room=notice.room, user=notice.sender, code=notice.code)
        asked = Message(notice.room, "", notice.sender, now, "")  # nobody's words, but enough to know the language
        words = await self._services.core_translator(tx, asked)
        text = VERIFY if await self._services.may_verify(tx, notice.sender) else UNVERIFIED
        reply = words.t(BLOCKED if notice.code == "m.blacklisted" else text, person=escape(notice.sender))
        await outbox.enqueue(
            tx,
            key=key("notice", notice.room, notice.sender, str(now)),
            room=notice.room,
            content=message_builder.announcement(Reply(reply, mentions=(notice.sender,))),
            plain=True,  # encrypted, an app that trusts only known devices might not show it
            now=now,
        )

    def _read(self, kept: Undecryptable) -> Event | None:
        try:
            return self._decrypt(kept)
        except Exception:
            log.exception("a kept event could not be decrypted", room=kept.room, event_id=kept.event_id)
            return None
