"""Meetings from the hubs' YAML: reminders for coordinators, and the next ones for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.api import (
    AlarmContext,
    Announcement,
    Context,
    JobContext,
    Plugin,
    RefreshContext,
    Reply,
    Settings,
    Timeliness,
    Transaction,
    alarm,
    command,
    job,
    timeliness,
)
from plugins.meetings import reader_zone, reminders, series
from plugins.meetings.cli import meetings_command
from plugins.meetings.listing import listing
from plugins.meetings.reminder_text import announcement
from plugins.meetings.settings import MeetingsHub, lead_id

SHOWN = 5  # meetings `!meetings` lists

log = structlog.get_logger()


class Meetings(Plugin[Settings]):
    name = "meetings"
    hub_settings = MeetingsHub
    shell = (meetings_command,)

    @command(
        "meetings",
        help="Show the next meetings, in your local time.",
        aliases={"es": "reuniones", "fr": "reunions", "pt": "reunioes"},
    )
    async def meetings(self, ctx: Context) -> Reply | None:
        return await self._list(ctx, SHOWN)

    @command(
        "next",
        help="Show the next meeting, in your local time.",
        aliases={"es": "proxima", "fr": "prochaine", "pt": "proxima"},
    )
    async def next(self, ctx: Context) -> Reply | None:
        return await self._list(ctx, 1)

    async def _list(self, ctx: Context, most: int) -> Reply | None:
        if known := await reader_zone.known(ctx.db, ctx.sender, ctx.now):
            return listing(ctx, known.zone, most)
        await ctx.schedule.job("list", f"{ctx.room.id}/{ctx.message.event_id}", user=ctx.sender, most=most)
        return None

    @job("list")
    async def list_in_their_zone(self, ctx: JobContext) -> Reply:
        """Answers once the asker's profile has been read."""
        zone = reader_zone.in_profile(await ctx.profile(str(ctx.payload["user"])))
        async with ctx.answering() as asked:
            await reader_zone.remember(asked.db, asked.sender, zone, ctx.now)
            return listing(asked, zone, int(ctx.payload["most"]))

    async def refresh(self, ctx: RefreshContext) -> None:
        await reader_zone.forget_old(ctx.db, ctx.now)
        plan = reminders.plan(ctx.hubs, ctx.now, await ctx.schedule.pending(reminders.ALARM))
        for key in plan.cancel:
            await ctx.schedule.cancel(key)
        for new in plan.arm:
            await ctx.schedule.alarm(reminders.ALARM, new.key, new.due, new.occurrence.hub.id, **new.payload)

    @alarm(reminders.ALARM)
    async def remind(self, ctx: AlarmContext) -> Sequence[Announcement]:
        occurrence = series.find(ctx.hub, str(ctx.payload["series"]), str(ctx.payload["recurrence_id"]))
        of_meeting = reminders.reminders(occurrence) if occurrence else []
        reminder = next((each for each in of_meeting if lead_id(each.lead) == ctx.payload["lead"]), None)
        if reminder is None:
            log.info("a reminder of a meeting that is no longer planned", hub=ctx.hub.id, **ctx.payload)
            return ()
        pending = await ctx.schedule.pending(reminders.ALARM)
        others = [each.due for each in of_meeting if each.key in pending]
        verdict = timeliness(now=ctx.now, start=reminder.occurrence.starts, due=reminder.due, others=others)
        if verdict in (Timeliness.SUPERSEDED, Timeliness.EXPIRED):
            log.info("a reminder came too late", key=reminder.key, verdict=verdict.name.lower())
            return ()
        rooms = ctx.rooms("coordinators")
        if not rooms:
            log.warning(
                "a reminder has no room to go to",
                key=reminder.key,
                remedy="give the hub a room with `role: coordinators`",
            )
        reply = announcement(reminder, verdict, ctx.now, ctx.translator(ctx.hub.languages[0]))
        return [Announcement(room, reply) for room in rooms]

    async def forget(self, db: Transaction, user_id: str) -> None:
        await reader_zone.forget(db, user_id)
