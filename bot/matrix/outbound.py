"""Sends the outbox; nothing else sends messages.

In order within a room, several rooms concurrently. Each row has its own transaction id, so a resend after a crash
gives the same event; where the homeserver may have forgotten the id (it does after a day, and for another device),
the room is searched for the row's key first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import structlog

from bot.core.errors import LoggedOut, Refused, Unavailable
from bot.matrix.backoff import Backoff
from bot.ports import Clock, Outbox, OutboxRow, Restored, Transport

log = structlog.get_logger()

MAX_CONCURRENT_ROOMS = 16  # rooms
TXN_ID_LIFETIME = 23 * 3_600_000  # ms; Synapse forgets transaction ids after 24 h
LOOK_BACK = 3_600_000  # ms before the first try, for clocks that disagree
SEARCHED_FOR = 86_400_000  # ms after a restore in which each message is looked for before it is sent
RETRY_DELAY = 5  # seconds
FORBIDDEN_FOR = 30_000  # ms; a homeserver that lags behind its room forbids what it allows a minute later
MAX_FALLBACK_LENGTH = 500  # characters of an edit shown by clients that know no edits; the event must stay small
KEY = "org.faro.key"


class Outbound:
    """Drains the outbox until cancelled; `wake` after writing to it."""

    def __init__(
        self, outbox: Outbox, transport: Transport, clock: Clock, checkpoint: Callable[[str], None] = lambda _: None
    ) -> None:
        self._outbox, self._transport, self._clock, self._checkpoint = outbox, transport, clock, checkpoint
        self._wake = asyncio.Event()
        self._wake.set()
        self._rooms: dict[str, asyncio.Task[None]] = {}
        self._restored: Restored | None = None
        self._uploaded: dict[int, Mapping[str, object]] = {}  # by row: a retry does not upload the file again

    def wake(self) -> None:
        self._wake.set()

    def after_restore(self, restored: Restored | None) -> None:
        """The outbox is an older copy: what it is to send may have been sent since that was made."""
        self._restored = restored

    async def run(self) -> None:
        """One task per room with something to send, at most `MAX_CONCURRENT_ROOMS`. Raises `LoggedOut`."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wake.wait()
                self._wake.clear()
                busy = set(self._rooms)  # before the query: rows that are being sent are still pending
                try:
                    rows = await self._outbox.pending()
                except Exception:
                    log.exception("reading the outbox failed, retrying")
                    await self._clock.sleep(RETRY_DELAY)
                    self._wake.set()
                    continue
                for row in rows:
                    if row.room not in busy and len(self._rooms) < MAX_CONCURRENT_ROOMS:
                        task = tasks.create_task(self._deliver_or_retry(row))
                        self._rooms[row.room] = task
                        task.add_done_callback(partial(self._finished, row.room))

    async def drain(self) -> None:
        """Sends everything that is pending, then returns."""
        while rows := await self._outbox.pending():
            for row in rows:
                await self._deliver(row)

    def _finished(self, room: str, _: asyncio.Task[None]) -> None:
        del self._rooms[room]
        self._wake.set()  # the room may have more rows, or another room waits for a free slot

    async def _deliver_or_retry(self, row: OutboxRow) -> None:
        """After any other error (a full disk, above all) the row stays pending and is retried."""
        try:
            await self._deliver(row)
        except LoggedOut:
            raise
        except Exception:
            log.exception("sending or recording a message failed, retrying", key=row.key)
            await self._clock.sleep(RETRY_DELAY)

    async def _deliver(self, row: OutboxRow) -> None:
        backoff, last_error, begun = Backoff(), "", self._clock.now()
        watch = time.perf_counter()
        while True:
            try:
                event_id = await self._attempt(row)
            except Unavailable as error:
                if str(error) != last_error:
                    log.warning("sending a message failed, retrying", room=row.room, key=row.key, reason=str(error))
                last_error = str(error)
                await self._clock.sleep(backoff.wait(error.retry_after))
            except Refused as error:
                if error.code == "M_FORBIDDEN" and self._clock.now() - begun < FORBIDDEN_FOR:
                    if str(error) != last_error:
                        log.warning("sending a message was refused, retrying", room=row.room, reason=str(error))
                    last_error = str(error)
                    await self._clock.sleep(backoff.wait())
                    continue
                log.error("sending a message was refused", room=row.room, key=row.key, reason=str(error))
                if row.has_file and row.instead:
                    self._uploaded.pop(row.id, None)  # the upload succeeded, but the message was refused
                    row = replace(row, content=row.instead, has_file=False)
                    continue
                await self._outbox.failed(row.id, str(error))
                self._uploaded.pop(row.id, None)
                return
            else:
                self._checkpoint("sent")
                await self._outbox.sent(row.id, event_id)
                self._uploaded.pop(row.id, None)
                self._checkpoint("marked")
                ms = round(1000 * (time.perf_counter() - watch))
                log.debug("outbox row sent", room=row.room, key=row.key, action=row.action, event_id=event_id, ms=ms)
                return

    async def _attempt(self, row: OutboxRow) -> str | None:
        """The id of the sent event; None if there was nothing to do."""
        target = row.target or (await self._outbox.event_of(row.replaces) if row.replaces else None)
        if row.action == "redact":
            await self._outbox.trying(row.id, self._transport.device_id, self._clock.now())
            return await self._transport.redact(row.room, target, row.key) if target else None
        since = self._may_have_been_sent_since(row)
        if since is not None and (found := await self._transport.find_sent(row.room, row.key, since - LOOK_BACK)):
            return found
        thread = await self._transport.thread_of(row.room, row.thread_of) if row.thread_of else None
        await self._outbox.trying(row.id, self._transport.device_id, self._clock.now())
        if target:
            content = edit_of(row.content, target)
        else:
            content = {**in_thread(row.content, thread), **await self._file(row)}
        return await self._transport.send(row.room, row.type, {**content, KEY: row.key}, row.key, plain=row.plain)

    async def _file(self, row: OutboxRow) -> Mapping[str, object]:
        """The message's reference to its file. After a crash it is uploaded again; nothing uses the first upload."""
        if row.has_file and row.id not in self._uploaded:
            file = await self._outbox.file(row.id)
            if file is None:
                raise Refused("FARO_NO_FILE", "its file is gone")
            self._uploaded[row.id] = await self._transport.upload(row.room, file)
            self._checkpoint("uploaded")
        return self._uploaded.get(row.id, {})

    def _may_have_been_sent_since(self, row: OutboxRow) -> int | None:
        """When a row may have been sent so that its transaction id does not tell; None if it cannot have been."""
        now = self._clock.now()
        if self._restored and now - self._restored.restored_at < SEARCHED_FOR:
            return self._restored.copied_at
        if row.first_try is None:
            return None
        forgotten = row.device != self._transport.device_id or now - row.first_try > TXN_ID_LIFETIME
        return row.first_try if forgotten else None


def in_thread(content: Mapping[str, object], thread: str | None) -> Mapping[str, object]:
    """The content of a reply, in a thread if there is one (spec, "Replies inside threads")."""
    relation = content.get("m.relates_to")
    if thread is None or not isinstance(relation, dict):
        return content
    return {
        **content,
        "m.relates_to": {"rel_type": "m.thread", "event_id": thread, "is_falling_back": False, **relation},
    }


def edit_of(content: Mapping[str, object], target: str) -> Mapping[str, object]:
    """The content that replaces an earlier event's (spec, "Event replacements")."""
    new = {name: value for name, value in content.items() if name != "m.relates_to"}
    return {
        "msgtype": content.get("msgtype"),
        "body": f"* {str(content.get('body', ''))[:MAX_FALLBACK_LENGTH]}",
        "m.mentions": {},
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": target},
    }
