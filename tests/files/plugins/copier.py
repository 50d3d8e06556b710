"""A plugin that takes files and gives files: what tests need of one."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import (
    AlarmContext,
    Announcement,
    Context,
    File,
    JobContext,
    Plugin,
    Reply,
    Settings,
    UserError,
    alarm,
    command,
    job,
)

DUE = 60_000  # ms


class Copier(Plugin[Settings]):
    name = "copier"

    @command("copy", help="Send the file you reply to, or send with the command, once more.")
    async def copy(self, ctx: Context) -> None:
        source = ctx.message.event_id if ctx.message.attachment else ctx.message.reply_to
        if source is None:
            raise UserError("Which file?")
        await ctx.schedule.job("copy", ctx.message.event_id, room=ctx.room.id, source=source)

    @job("copy")
    async def fetch(self, ctx: JobContext) -> Reply:
        message, file = await ctx.fetch(str(ctx.payload["room"]), str(ctx.payload["source"]))
        words = f"{file.name} ({file.mimetype}) of {message.sender}: {len(file.content)} bytes"
        return Reply(words, file=File(f"copy of {file.name}", file.mimetype, file.content))

    @command("write", help="Get a text as a file, or as a text.")
    async def write(self, ctx: Context, how: str, *, text: str) -> Reply:
        if how != "file":
            return Reply(text)
        return Reply("Here it is.", file=File("note.txt", "text/plain", text.encode()))

    @command("big", help="Get a file of so many bytes.")
    async def big(self, ctx: Context, size: int) -> Reply:
        return Reply("", file=File("zeros", "application/octet-stream", bytes(size)))

    @command("later", help="Get a file in a minute.")
    async def later(self, ctx: Context) -> Reply:
        await ctx.schedule.alarm("send", ctx.message.event_id, ctx.now + DUE, ctx.hub.id, room=ctx.room.id)
        return Reply("In a minute.")

    @alarm("send")
    async def send(self, ctx: AlarmContext) -> Sequence[Announcement]:
        file = File("plan.ics", "text/calendar", b"BEGIN:VCALENDAR")
        return [Announcement(str(ctx.payload["room"]), Reply("Next week", file=file))]
