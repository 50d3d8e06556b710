"""The pipeline: one batch in, one transaction out.

Everything that happens (a batch of events, an alarm, a finished job) passes here once. What handlers return becomes
outbox rows in the same transaction as the sync token, so a crash leaves either all of it or nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.api import Announcement
from bot.core.events import (
    Batch,
    Edit,
    Event,
    Message,
    Reaction,
    Redaction,
    RoomUpdate,
    StateChange,
    Superseded,
    id_of,
)
from bot.core.transaction_ids import key
from bot.ports import Clock, Database, Transaction
from bot.runtime import message_builder, openness, recheck, tombstones
from bot.runtime.contexts import HubsContext, RingContext
from bot.runtime.dispatcher import HANDLER_SECONDS, Dispatcher, Intent
from bot.runtime.pending_decryption import Decrypt, Unreadable
from bot.runtime.plugins import Method
from bot.runtime.services import CORE, Services, invite_key
from bot.storage import absent_plugins, alarms, erasures, outbox, redactions, rooms, sync_token, undecryptable

log = structlog.get_logger()

TOGETHER = 20  # alarms rung in one transaction

Listened = Message | Edit | Superseded | Redaction | Reaction


@dataclass(frozen=True, slots=True)
class Pending:
    """What the database has left to do: whether something waits to be sent, when the next alarm and job are due, and
    whether erasures wait to be logged."""

    outbox: bool
    alarm: int | None
    job: int | None
    erasures: bool = False


async def pending_work(tx: Transaction) -> Pending:
    due = await alarms.next_due(tx), await alarms.next_job(tx)
    return Pending(await outbox.has_pending(tx), *due, erasures=await erasures.has_unlogged(tx))


class Pipeline:
    """Handles batches and alarms.

    `answer_within` (ms): older commands found after a pause are not answered. `decrypt` is the transport's.
    `wake` is called after each commit with what is left to do; `checkpoint` marks the places where a test
    may end the process.
    """

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        services: Services,
        dispatcher: Dispatcher,
        answer_within: int,
        decrypt: Decrypt,
        wake: Callable[[Pending], None] = lambda _: None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._services = services
        self._dispatcher = dispatcher
        self._answer_within = answer_within
        self._unreadable = Unreadable(services, decrypt)
        self._wake = wake
        self._checkpoint = checkpoint
        self.counts = dispatcher.counts

    async def handle(self, batch: Batch) -> None:
        """One batch: all of it, with its token, or nothing."""
        self._checkpoint("received")
        begun = time.perf_counter()
        if batch.keys or batch.catching_up:  # what waited for its key is decrypted, on the transport's event loop
            async with self._db.transaction() as tx:
                pending = await self._handle(tx, batch)
        else:
            pending = await self._db.transact(partial(self._handle, batch=batch))
        self.counts.batches += 1
        log.debug(
            "batch handled",
            rooms=len(batch.rooms),
            events=sum(len(update.events) for update in batch.rooms),
            unreadable=len(batch.undecryptable),
            invites=len(batch.invites),
            ms=round(1000 * (time.perf_counter() - begun)),
        )
        self._checkpoint("committed")
        self._wake(pending)

    async def _handle(self, tx: Transaction, batch: Batch) -> Pending:
        for room in batch.left:
            await self._left(tx, room)
        for update in batch.rooms:
            await self._who_is_there(tx, update)
            await openness.follow(tx, self._services, update, self._clock.now())
        oldest = self._clock.now() - self._answer_within
        for event in await self._unreadable.readable(tx, batch):
            await self._fenced(tx, event, stale=sent_at(event) < oldest)
        await self._unreadable.keep(tx, batch, self._clock.now())
        for update in batch.rooms:
            await self._room(tx, update, batch)
        await self._unreadable.ask(tx, batch, self._clock.now())
        for invite in batch.invites:
            await self._services.plan_invite(tx, invite, self._clock.now())
        await sync_token.advance(tx, batch.token, self._clock.now())
        return await pending_work(tx)

    async def ring(self) -> int | None:
        """Rings the alarms that are due, some in one transaction; answers when the next one is due."""
        while True:
            rung, pending = await self._db.transact(self._ring_some)
            if rung == 0:
                return pending.alarm
            self._checkpoint("committed")
            self._wake(pending)  # what the first ones say is on its way while the others ring

    async def _ring_some(self, tx: Transaction) -> tuple[int, Pending]:
        due = await alarms.due_alarms(tx, self._clock.now(), most=TOGETHER)
        for alarm in due:
            await self._ring(tx, alarm)
            await alarms.mark_fired(tx, alarm, self._clock.now())
        return len(due), await pending_work(tx)

    async def refresh(self) -> None:
        """Lets every plugin bring its tables and alarms up to date with the configuration."""
        for name, plugin in self._services.registry.plugins.items():
            now, begun = self._clock.now(), time.perf_counter()
            try:
                async with self._db.transaction() as tx:
                    hubs = self._services.directory.hubs
                    await plugin.refresh(HubsContext(tx, now, hubs, self._services.schedule(tx, name, now)))
            except Exception:
                log.exception("a plugin could not bring itself up to date", plugin=name)
            try:
                await self._catch_up(name)
            except Exception:
                log.exception("a plugin could not follow what it missed; it is tried again daily", plugin=name)
            log.debug("plugin refreshed", plugin=name, ms=round(1000 * (time.perf_counter() - begun)))
        async with self._db.transaction() as tx:
            await outbox.purge(tx, self._clock.now())
            await undecryptable.purge(tx, self._clock.now())
            await redactions.purge(tx, self._clock.now())
            await recheck.resume(tx, self._services, self._clock.now())
            pending = await pending_work(tx)
        self._wake(pending)

    # -- one room -------------------------------------------------------------------------------------------------

    async def _left(self, tx: Transaction, room: str) -> None:
        if await rooms.joined_room(tx, room):
            place = self._services.directory.place(room)
            log.warning("no longer in a room", room=room, hub=place.hub.id if place else None)
        await alarms.withdraw_job(tx, CORE, invite_key(room))  # it was an invite, and was taken back
        await rooms.mark_left(tx, room)
        await undecryptable.drop_room(tx, room)

    async def _who_is_there(self, tx: Transaction, update: RoomUpdate) -> None:
        """Members as they are after the batch, before anything in it is answered: what is asked in one room depends on
        who is in others, and rooms come in no order."""
        if not await rooms.is_joined(tx, update.room):
            return
        new = [event for event in update.events if id_of(event) not in update.old]
        changes = [one for one in (*update.state, *new) if isinstance(one, StateChange) and one.type == "m.room.member"]
        for change in {change.state_key: change for change in changes}.values():
            await self._apply(tx, change)

    async def _apply(self, tx: Transaction, change: StateChange) -> None:
        try:
            await rooms.apply_state(tx, change)
        except Exception:
            log.exception("a piece of room state could not be kept", room=change.room, type=change.type)

    async def _room(self, tx: Transaction, update: RoomUpdate, batch: Batch) -> None:
        known = await rooms.is_joined(tx, update.room)
        if not known:
            await rooms.mark_joined(tx, update.room)
        for change in update.state:
            await self._apply(tx, change)
            if change.type == "m.room.tombstone":
                await tombstones.heed(tx, self._services, change, self._clock.now())
        if not known or update.gap:
            await self._count_members(tx, update.room)
        if not known or update.incomplete:
            await recheck.begin(tx, self._services, update.room, self._clock.now())
        oldest = self._clock.now() - self._answer_within
        for event in update.events:
            # State found in a gap is older than `update.state`; on the very first sync nothing said is handled.
            if id_of(event) in update.old if isinstance(event, StateChange) else batch.first:
                continue
            stale = (batch.catching_up or id_of(event) in update.old) and sent_at(event) < oldest
            await self._fenced(tx, event, stale=stale)

    async def _count_members(self, tx: Transaction, room: str) -> None:
        await self._services.core_schedule(tx, self._clock.now()).job("members", f"members/{room}", room=room)

    async def _fenced(self, tx: Transaction, event: Event, *, stale: bool) -> None:
        try:
            async with tx.savepoint():
                await self._event(tx, event, stale=stale)
        except Exception:
            log.exception("an event could not be handled", room=room_of(event), event_id=id_of(event))

    async def _event(self, tx: Transaction, event: Event, *, stale: bool) -> None:
        match event:
            case StateChange():
                await rooms.apply_state(tx, event)
                if event.type == "m.room.member" and not await rooms.has_member_lists(tx, event.room):
                    await self._count_members(tx, event.room)  # again: the list may have been asked for before this
                if event.type == "m.room.encryption":  # with the list comes the word that the bot cannot read, if so
                    await self._count_members(tx, event.room)
                if event.type == "m.room.tombstone":
                    await tombstones.heed(tx, self._services, event, self._clock.now())
            case Message():
                if event.encrypted:  # what a bridge says in the clear does not show that the bot can read people
                    await rooms.mark_decrypted(tx, event.room, self._clock.now())
                if await self._dispatcher.command(tx, event, stale=stale) is not Intent.COMMAND:
                    await self._notify_listeners(tx, event)
            case Edit():
                await self._edit(tx, event, stale=stale)
            case Redaction():
                await self._redaction(tx, event)
            case Reaction():
                await self._notify_listeners(tx, event)

    async def _edit(self, tx: Transaction, edit: Edit, *, stale: bool) -> None:
        if await redactions.is_kept(tx, edit.message.room, edit.target):
            return  # what was deleted says nothing any more
        if first := await undecryptable.sender_of(tx, edit.message.room, edit.target):
            if first != edit.message.sender:
                return  # spec, "Validity of replacement events"
            await undecryptable.drop(tx, edit.message.room, edit.target)  # the first text has no say any more
        message = replace(edit.message, event_id=edit.target)
        await alarms.withdraw_jobs(tx, message.room, edit.target, asker=message.sender)
        if await outbox.asker_of(tx, message.room, edit.target) in (None, message.sender):
            edit_id = edit.message.event_id
            superseded = Superseded(message.room, edit_id, message.sender, message.sent_at, edit.target)
            await self._notify_listeners(tx, superseded)
        intent = await self._dispatcher.command(tx, message, stale=stale, edit_id=edit.message.event_id)
        if intent is Intent.CONVERSATION and await outbox.asker_of(tx, message.room, edit.target) == message.sender:
            await self._withdraw(tx, message.room, edit.target, edit.message.event_id)
        await self._notify_listeners(tx, replace(edit, became_command=intent is Intent.COMMAND))
        await self._keep_for_absent(tx, edit)

    async def _redaction(self, tx: Transaction, event: Redaction) -> bool:
        await redactions.keep(tx, event.room, event.target, self._clock.now())
        await undecryptable.drop(tx, event.room, event.target)
        await self._withdraw(tx, event.room, event.target, event.event_id)
        noted = await self._notify_listeners(tx, event)
        await self._keep_for_absent(tx, event)
        return noted

    async def follow(self, tx: Transaction, event: Edit | Redaction) -> bool:
        """A deletion or edit that the bot did not see happen. Whether all listeners took note."""
        if isinstance(event, Redaction):
            return await self._redaction(tx, event)
        return await self._notify_listeners(tx, event)

    async def _keep_for_absent(self, tx: Transaction, event: Edit | Redaction) -> None:
        if self._services.absent and self._services.directory.place(room_of(event)):
            await absent_plugins.keep_event(tx, event)

    async def _withdraw(self, tx: Transaction, room: str, target: str, why: str) -> None:
        """The question is gone: so is its answer, given or still being prepared."""
        await alarms.withdraw_jobs(tx, room, target)
        for answered in await outbox.answers_to(tx, room, target):
            await outbox.enqueue(
                tx,
                key=key("redact", room, why, answered),
                room=room,
                action="redact",
                replaces=answered,
                now=self._clock.now(),
            )

    # -- everything else --------------------------------------------------------------------------------------------

    async def _notify_listeners(self, tx: Transaction, event: Listened) -> bool:
        """Whether all listeners took note."""
        message = event.message if isinstance(event, Edit) else event
        if self._services.directory.place(message.room) is None:
            return False
        if self._services.directory.openings(message.room):
            if isinstance(event, Message | Reaction):
                return True  # what is said in a room that is more open than its hub is not for the hub
            if isinstance(event, Edit):  # what the message said before no longer counts
                event = Redaction(message.room, message.event_id, message.sender, message.sent_at, event.target)
        noted = [
            await self._notify(tx, event, owner, handler)
            for owner, kinds, handler in self._services.registry.listeners
            if isinstance(event, kinds)
        ]
        return all(noted)

    async def _notify(self, tx: Transaction, event: Listened, owner: str, handler: Method) -> bool:
        """Whether the listener took note."""
        message = event.message if isinstance(event, Edit) else event
        edit_id = message.event_id if isinstance(event, Edit) else None
        now = self._clock.now()
        context = await self._services.context(tx, as_message(event), owner, now, edit_id, listening=True)
        try:
            async with tx.savepoint(), asyncio.timeout(HANDLER_SECONDS):
                await handler(context, event)
        except Exception:
            log.exception("a plugin failed to take note", plugin=owner, event_id=message.event_id)
            return False
        return True

    async def _catch_up(self, owner: str) -> None:
        """Lets a plugin that was absent follow the redactions, edits and erasures it missed. What fails is tried again
        the next day."""
        for redaction in await absent_plugins.missed_redactions(self._db.reading(), owner):
            async with self._db.transaction() as tx:
                followed = [
                    await self._notify(tx, redaction, owner, handler)
                    for name, kinds, handler in self._services.registry.listeners
                    if name == owner and Redaction in kinds
                ]
                if all(followed):
                    await absent_plugins.event_done(tx, owner, redaction.event_id)
        for room in await absent_plugins.rooms_with_missed_edits(self._db.reading(), owner):
            async with self._db.transaction() as tx:  # only the homeserver knows how the messages read now
                await recheck.begin(tx, self._services, room, self._clock.now())
                await absent_plugins.edits_done(tx, owner, room)
        for user in await absent_plugins.missed_erasures(self._db.reading(), owner):
            async with self._db.transaction() as tx:
                await self._services.registry.plugins[owner].forget(tx, user)
                await absent_plugins.erasure_done(tx, owner, user)

    async def _ring(self, tx: Transaction, alarm: alarms.Alarm) -> None:
        services = self._services
        hub = services.directory.hub(alarm.hub)
        handler = services.registry.alarms.get((alarm.plugin, alarm.name))
        if hub is None or handler is None:
            log.warning("an alarm of nobody", plugin=alarm.plugin, hub=alarm.hub)
            return
        now, begun = self._clock.now(), time.perf_counter()
        context = RingContext(
            db=tx,
            now=now,
            due=alarm.due,
            hub=hub,
            payload=alarm.payload,
            schedule=services.schedule(tx, alarm.plugin, now),
            joined=await rooms.joined_ids(tx),
            directory=services.directory,
            owner=alarm.plugin,
            translations=services.translations,
        )
        try:
            async with tx.savepoint(), asyncio.timeout(HANDLER_SECONDS):
                said: Sequence[Announcement] = await handler(context) or ()
                for announcement in said:
                    await outbox.enqueue(
                        tx,
                        key=key("alarm", alarm.plugin, alarm.key, announcement.room),
                        room=announcement.room,
                        content=message_builder.announcement(announcement.reply),
                        file=announcement.reply.file,
                        now=now,
                    )
        except Exception:
            log.exception("an alarm failed", plugin=alarm.plugin, alarm=alarm.key)
        log.debug(
            "alarm rung",
            plugin=alarm.plugin,
            alarm=alarm.name,
            hub=hub.id,
            late_ms=now - alarm.due,
            ms=round(1000 * (time.perf_counter() - begun)),
        )


def sent_at(event: Event) -> int:
    match event:
        case Edit():
            return event.message.sent_at
        case StateChange():
            return 0
        case _:
            return event.sent_at


def room_of(event: Event) -> str:
    return event.message.room if isinstance(event, Edit) else event.room


def as_message(event: Listened) -> Message:
    """The message a context speaks of; a redaction or reaction has no words of its own."""
    match event:
        case Message():
            return event
        case Edit():
            return replace(event.message, event_id=event.target)
        case _:
            return Message(event.room, event.target, event.sender, event.sent_at, "")
