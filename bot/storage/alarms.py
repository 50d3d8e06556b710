"""Alarms and jobs as rows: what is due at an instant, and slow work to do soon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.ports import Reader, Row, Transaction

Lane = Literal["soon", "rooms", "background"]
LANES: tuple[Lane, ...] = ("soon", "rooms", "background")
"""`soon`: jobs somebody waits for, and the core's own. `rooms`: invites, which may take as long as other homeservers do.
`background`: all other jobs of plugins."""

RETENTION = 60 * 86_400_000  # ms; longer than any lead plus the horizon meetings are planned for


@dataclass(frozen=True, slots=True)
class Alarm:
    plugin: str
    key: str
    name: str
    hub: str
    due: int
    payload: Mapping[str, str | int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    plugin: str
    key: str
    name: str
    payload: Mapping[str, str | int] = field(hash=False)
    stored_cause: str | None
    due: int
    tries: int

    @property
    def cause(self) -> Mapping[str, object] | None:
        """The message that waits for an answer, as `Asked.as_json` wrote it."""
        cause: Mapping[str, object] | None = json.loads(self.stored_cause) if self.stored_cause else None
        return cause


class PluginSchedule:
    """`bot.api.Schedule` of one plugin in one transaction."""

    def __init__(self, db: Transaction, plugin: str, now: int, cause: Mapping[str, object] | None = None) -> None:
        self._db, self._plugin, self._now, self._cause = db, plugin, now, cause

    async def alarm(self, name: str, key: str, due: int, hub: str, **payload: str | int) -> None:
        # What fired later than now fired while the clock was wrong, and is armed again.
        await self._db.execute(
            "INSERT INTO core_alarms (plugin, key, name, hub, due, payload)"
            " VALUES (:plugin, :key, :name, :hub, :due, :payload) ON CONFLICT (plugin, key) DO UPDATE"
            " SET due = excluded.due, payload = excluded.payload, done_at = NULL WHERE done_at IS NULL OR done_at > :now",
            now=self._now,
            plugin=self._plugin,
            key=key,
            name=name,
            hub=hub,
            due=due,
            payload=json.dumps(payload),
        )

    async def cancel(self, key: str) -> None:
        await self._db.execute(
            "DELETE FROM core_alarms WHERE plugin = :plugin AND key = :key AND done_at IS NULL",
            plugin=self._plugin,
            key=key,
        )

    async def pending(self, name: str) -> Mapping[str, int]:
        rows = await self._db.rows(
            "SELECT key, due FROM core_alarms WHERE plugin = :plugin AND name = :name AND done_at IS NULL",
            plugin=self._plugin,
            name=name,
        )
        return {row["key"]: row["due"] for row in rows}

    async def job(self, name: str, key: str, *, after: int = 0, **payload: str | int) -> None:
        await self._db.execute(
            "INSERT INTO core_jobs (plugin, key, name, payload, cause, due) VALUES (:plugin, :key, :name, :payload, :cause, :due)"
            " ON CONFLICT (plugin, key) DO UPDATE SET payload = excluded.payload, cause = excluded.cause,"
            " due = excluded.due, tries = 0",
            plugin=self._plugin,
            key=key,
            name=name,
            payload=json.dumps(payload),
            cause=json.dumps(self._cause) if self._cause else None,
            due=self._now + after,
        )


async def next_due(db: Reader) -> int | None:
    value: int | None = await db.value(
        """SELECT min(due) FROM core_alarms
        WHERE done_at IS NULL AND plugin NOT IN (SELECT plugin FROM core_absent_plugins)"""
    )
    return value


async def next_job(db: Reader) -> int | None:
    """When the next job of a plugin that is there is due."""
    value: int | None = await db.value(
        "SELECT min(due) FROM core_jobs WHERE plugin NOT IN (SELECT plugin FROM core_absent_plugins)"
    )
    return value


async def count_jobs(db: Reader) -> int:
    """Jobs that wait, those of absent plugins too, or run."""
    count: int = await db.value("SELECT count(*) FROM core_jobs")
    return count


async def due_alarms(db: Reader, now: int, *, most: int = 500) -> list[Alarm]:
    """Pending alarms that are due, oldest first. Those of absent plugins wait."""
    rows = await db.rows(
        """SELECT * FROM core_alarms WHERE done_at IS NULL AND due <= :now
        AND plugin NOT IN (SELECT plugin FROM core_absent_plugins) ORDER BY due, key LIMIT :most""",
        now=now,
        most=most,
    )
    return [
        Alarm(row["plugin"], row["key"], row["name"], row["hub"], row["due"], json.loads(row["payload"]))
        for row in rows
    ]


async def mark_fired(db: Transaction, alarm: Alarm, now: int) -> None:
    await db.execute(
        "UPDATE core_alarms SET done_at = :now WHERE plugin = :plugin AND key = :key",
        now=now,
        plugin=alarm.plugin,
        key=alarm.key,
    )
    await db.execute("DELETE FROM core_alarms WHERE done_at IS NOT NULL AND due < :before", before=now - RETENTION)


async def due_job(db: Reader, now: int, lane: Lane | None = None) -> Job | None:
    """The next due job of one lane, or of all; jobs that somebody waits for come first. Those of absent plugins
    wait."""
    row = await db.row(
        """SELECT * FROM core_jobs WHERE due <= :now AND plugin NOT IN (SELECT plugin FROM core_absent_plugins)
        AND (:lane IS NULL OR :lane = CASE
            WHEN plugin = 'core' AND name IN ('invite', 'invites', 'coordinator', 'upgrade') THEN 'rooms'
            WHEN plugin = 'core' OR cause IS NOT NULL THEN 'soon' ELSE 'background' END)
        ORDER BY cause IS NULL, due, id LIMIT 1""",
        now=now,
        lane=lane,
    )
    return _job(row) if row else None


async def has_job(db: Reader, plugin: str, key: str) -> bool:
    sql = "SELECT 1 FROM core_jobs WHERE plugin = :plugin AND key = :key"
    return await db.value(sql, plugin=plugin, key=key) is not None


async def finish_job(db: Transaction, job: Job) -> bool:
    """Deletes a finished job. False if it was requested again or withdrawn in the meantime.

    Requesting the same job again updates its row, withdrawing it deletes the row, and an id may be reused.
    """
    gone = await db.execute(
        "DELETE FROM core_jobs WHERE id = :id AND due = :begun AND cause IS :cause",
        id=job.id,
        begun=job.due,
        cause=job.stored_cause,
    )
    return gone > 0


async def retry_job(db: Transaction, job: Job, due: int) -> None:
    """Reschedules a failed job, unless it was requested again or withdrawn in the meantime."""
    await db.execute(
        "UPDATE core_jobs SET tries = tries + 1, due = :due WHERE id = :id AND due = :begun AND cause IS :cause",
        due=due,
        id=job.id,
        begun=job.due,
        cause=job.stored_cause,
    )


async def withdraw_job(db: Transaction, plugin: str, key: str) -> None:
    await db.execute("DELETE FROM core_jobs WHERE plugin = :plugin AND key = :key", plugin=plugin, key=key)


async def withdraw_jobs(db: Transaction, room: str, event_id: str, asker: str | None = None) -> None:
    """Deletes the jobs this event (of this person, if given) asked for."""
    await db.execute(
        "DELETE FROM core_jobs WHERE json_extract(cause, '$.room') = :room AND json_extract(cause, '$.event_id') = :event"
        " AND json_extract(cause, '$.sender') = coalesce(:asker, json_extract(cause, '$.sender'))",
        room=room,
        event=event_id,
        asker=asker,
    )


def _job(row: Row) -> Job:
    return Job(
        row["id"],
        row["plugin"],
        row["key"],
        row["name"],
        json.loads(row["payload"]),
        row["cause"],
        row["due"],
        row["tries"],
    )
