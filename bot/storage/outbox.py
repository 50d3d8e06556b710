"""The outbox: messages to send, written in the transaction that caused them, sent by `matrix/outbound.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from bot.core.files import File
from bot.ports import Database, OutboxRow, Reader, Transaction

INSTEAD = "instead"  # in a stored content: what is sent if the file is refused
THREAD_OF = "thread_of"  # in a stored content: id of an event whose thread it goes into
KEPT = 30 * 86_400_000  # ms a sent row is kept, so that edits and redactions of the question still find the answer


async def enqueue(
    db: Transaction,
    *,
    key: str,
    room: str,
    now: int,
    action: Literal["send", "redact"] = "send",
    type_: str = "m.room.message",
    content: Mapping[str, object] | None = None,
    replaces: str | None = None,
    target: str | None = None,
    cause: str | None = None,
    asker: str | None = None,
    plain: bool = False,
    file: File | None = None,
    instead: Mapping[str, object] | None = None,
    thread_of: str | None = None,
) -> None:
    """Adds a row, unless there is one with this key. `plain`: readable in an encrypted room;
    `instead`: what is sent if the homeserver refuses the file; `thread_of`: id of an event whose thread, which is not
    known yet, the message goes into."""
    more = {name: value for name, value in ((INSTEAD, instead), (THREAD_OF, thread_of)) if value}
    added = await db.execute(
        "INSERT INTO core_outbox (key, room, action, type, content, replaces, target, cause, asker, plain, created_at)"
        " VALUES (:key, :room, :action, :type, :content, :replaces, :target, :cause, :asker, :plain, :now) ON CONFLICT (key) DO NOTHING",
        key=key,
        room=room,
        action=action,
        type=type_,
        content=json.dumps({**(content or {}), **more}),
        replaces=replaces,
        target=target,
        cause=cause,
        asker=asker,
        plain=int(plain),
        now=now,
    )
    if added and file:
        await db.execute(
            "INSERT INTO core_outbox_files (id, name, mimetype, content)"
            " SELECT id, :name, :mimetype, :content FROM core_outbox WHERE key = :key",
            key=key,
            name=file.name,
            mimetype=file.mimetype,
            content=file.content,
        )


async def has_pending(db: Reader) -> bool:
    """Whether anything waits to be sent."""
    return await db.value("SELECT 1 FROM core_outbox WHERE state = 'pending' LIMIT 1") is not None


async def count_pending(db: Reader) -> int:
    count: int = await db.value("SELECT count(*) FROM core_outbox WHERE state = 'pending'")
    return count


async def answer_to(db: Reader, room: str, cause: str) -> str | None:
    """The key of the text answer to an event, unless it was withdrawn."""
    value: str | None = await db.value(
        f"SELECT key FROM ({_NOT_WITHDRAWN}) WHERE type = 'm.room.message' ORDER BY id DESC LIMIT 1",  # noqa: S608 - our own text
        room=room,
        cause=cause,
    )
    return value


async def answers_to(db: Reader, room: str, cause: str) -> Sequence[str]:
    """The keys of all answers to an event that were not withdrawn, reactions included."""
    return [row["key"] for row in await db.rows(f"{_NOT_WITHDRAWN} ORDER BY id", room=room, cause=cause)]


_NOT_WITHDRAWN = """SELECT * FROM core_outbox AS answer
    WHERE room = :room AND cause = :cause AND action = 'send' AND replaces IS NULL
    AND NOT EXISTS (SELECT 1 FROM core_outbox WHERE action = 'redact' AND replaces = answer.key)"""


async def carried_file(db: Reader, key: str) -> bool:
    """Whether a row has, or had, a file."""
    sql = "SELECT 1 FROM core_outbox JOIN core_outbox_files USING (id) WHERE key = :key"
    return await db.value(sql, key=key) is not None


async def asker_of(db: Reader, room: str, cause: str) -> str | None:
    """The sender of the event that this row answers."""
    value: str | None = await db.value(
        "SELECT asker FROM core_outbox WHERE room = :room AND cause = :cause LIMIT 1", room=room, cause=cause
    )
    return value


async def forget(db: Transaction, user: str) -> None:
    """Removes the person from the rows; sent answers stay in their rooms."""
    await db.execute("UPDATE core_outbox SET asker = NULL, cause = NULL WHERE asker = :user", user=user)


async def purge(db: Transaction, now: int) -> None:
    """Deletes old rows that were sent or failed."""
    await db.execute("DELETE FROM core_outbox WHERE state <> 'pending' AND created_at < :before", before=now - KEPT)


class StoredOutbox:
    """The `Outbox` port over the database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def pending(self) -> Sequence[OutboxRow]:
        rows = await self._db.reading().rows(
            "SELECT *, EXISTS (SELECT 1 FROM core_outbox_files WHERE core_outbox_files.id = core_outbox.id) AS has_file FROM core_outbox"
            " WHERE id IN (SELECT min(id) FROM core_outbox WHERE state = 'pending' GROUP BY room) ORDER BY id"
        )
        contents = {row["id"]: json.loads(row["content"]) for row in rows}
        return [
            OutboxRow(
                id=row["id"],
                key=row["key"],
                room=row["room"],
                action=row["action"],
                type=row["type"],
                instead=contents[row["id"]].pop(INSTEAD, None),
                thread_of=contents[row["id"]].pop(THREAD_OF, None),
                content=contents[row["id"]],
                replaces=row["replaces"],
                target=row["target"],
                first_try=row["first_try"],
                device=row["device"],
                tries=row["tries"],
                plain=bool(row["plain"]),
                has_file=bool(row["has_file"]),
            )
            for row in rows
        ]

    async def file(self, id_: int) -> File | None:
        sql = "SELECT name, mimetype, content FROM core_outbox_files WHERE id = :id AND content IS NOT NULL"
        row = await self._db.reading().row(sql, id=id_)
        return File(row["name"], row["mimetype"], row["content"]) if row else None

    async def trying(self, id_: int, device: str, now: int) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(
                "UPDATE core_outbox SET tries = tries + 1, first_try = coalesce(first_try, :now), device = coalesce(device, :device)"
                " WHERE id = :id",
                id=id_,
                device=device,
                now=now,
            )

    async def sent(self, id_: int, event_id: str | None) -> None:
        """Drops content and file, which are no longer needed."""
        async with self._db.transaction() as tx:
            await _drop_file(tx, id_)
            await tx.execute(
                "UPDATE core_outbox SET state = 'sent', event_id = :event, content = '{}' WHERE id = :id",
                id=id_,
                event=event_id,
            )

    async def failed(self, id_: int, reason: str) -> None:
        async with self._db.transaction() as tx:
            await _drop_file(tx, id_)
            await tx.execute(
                "UPDATE core_outbox SET state = 'failed', reason = :reason, content = '{}' WHERE id = :id",
                id=id_,
                reason=reason,
            )

    async def event_of(self, key: str) -> str | None:
        value: str | None = await self._db.reading().value("SELECT event_id FROM core_outbox WHERE key = :key", key=key)
        return value


async def _drop_file(db: Transaction, id_: int) -> None:
    await db.execute("UPDATE core_outbox_files SET name = '', content = NULL WHERE id = :id", id=id_)
