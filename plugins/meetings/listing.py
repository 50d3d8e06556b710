"""What `!meetings` and `!next` answer."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import Context, Hub, Reply, escape, in_language, to_local
from plugins.meetings import reader_zone, series, time_text
from plugins.meetings.reminder_text import clock_note, link, title
from plugins.meetings.series import Occurrence


def listing(ctx: Context, profile_zone: str | None, most: int) -> Reply:
    """The next meetings, at most so many, in the asker's time."""
    hubs = _hubs(ctx)
    found = series.coming(hubs, ctx.now, most)
    if not found:
        return Reply(ctx.t("No meetings are planned."))
    several = len(hubs) > 1
    items = ["\n  ".join(_lines(ctx, occurrence, profile_zone, several)) for occurrence in found]
    return Reply("\n".join(f"- {item}" for item in items) if most > 1 else items[0].replace("\n  ", "\n"))


def _hubs(ctx: Context) -> Sequence[Hub]:
    """In a hub's room only that hub: an invitation to a call is not shared with other hubs."""
    return ctx.hubs if ctx.room.direct and ctx.hubs else (ctx.hub,)


def _lines(ctx: Context, occurrence: Occurrence, profile_zone: str | None, several: bool) -> list[str]:
    zone, city = reader_zone.of_asker(ctx.sender, profile_zone, occurrence.hub)
    local = to_local(occurrence.starts, zone)
    name = title(occurrence, ctx.language)
    if several:
        name = f"{name} ({escape(in_language(occurrence.hub.title, ctx.language, *occurrence.hub.languages))})"
    where = city if zone == "UTC" else f"{city}, {time_text.offset(local)}"
    left = occurrence.starts - ctx.now
    lines = [
        ctx.t(
            "**{title}**: {day}, {time} ({place}), {when}",
            title=name,
            day=time_text.day(local, ctx.language),
            time=time_text.clock(local),
            place=escape(where),
            when=time_text.relative(left or -1, ctx.language),
        )
    ]
    if note := clock_note(occurrence, ctx):
        lines.append(note)
    if occurrence.meeting.call:
        lines.append(ctx.t("Call: {link}", link=link(occurrence.meeting.call)))
    return lines
