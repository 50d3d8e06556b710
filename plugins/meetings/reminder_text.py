"""What a reminder says."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from bot.api import Reply, Timeliness, Translator, escape, in_language, to_local
from plugins.meetings import time_text
from plugins.meetings.reminders import Reminder
from plugins.meetings.series import Occurrence

_A_MOMENT = 30_000  # ms


def announcement(reminder: Reminder, timeliness: Timeliness, now: int, words: Translator) -> Reply:
    """The message for the coordinators; it pings them all."""
    occurrence = reminder.occurrence
    lines = [_headline(reminder, timeliness, now, words), local_times(occurrence, words.language)]
    if note := clock_note(occurrence, words):
        lines.append(note)
    if occurrence.meeting.call:
        lines.append(words.t("Call: {link}", link=link(occurrence.meeting.call)))
    return Reply("\n".join(lines), mentions=tuple(person.user for person in occurrence.hub.coordinators))


def title(occurrence: Occurrence, language: str) -> str:
    return escape(in_language(occurrence.meeting.title, language, *occurrence.hub.languages))


def link(url: str) -> str:
    return f"[{escape(url)}]({escape(url)})"


def local_times(occurrence: Occurrence, language: str) -> str:
    """Each local time of the coordinators once: "10:00 Guatemala, San Salvador · 11:00 Kingston"."""
    there = to_local(occurrence.starts, occurrence.zone)
    cities: dict[datetime, set[str]] = defaultdict(set)
    for person in occurrence.hub.coordinators:
        zone = person.timezone or occurrence.hub.timezone
        cities[_naive(to_local(occurrence.starts, zone))].add(person.city or time_text.city(zone))
    if not cities:
        cities[_naive(there)].add(time_text.city(occurrence.zone))
    return " · ".join(
        f"{_clock_and_day(local, there, language)} {escape(', '.join(sorted(names)))}"
        for local, names in sorted(cities.items())
    )


def clock_note(occurrence: Occurrence, words: Translator) -> str | None:
    """Why a meeting is at an unusual time: a clock change leaves its usual one out."""
    if not occurrence.moved_by_clocks:
        return None
    return words.t(
        "Clock change: {planned} does not exist in {city} that day, so the meeting starts at {actual} there.",
        planned=time_text.clock(occurrence.slot),
        city=escape(time_text.city(occurrence.zone)),
        actual=time_text.clock(to_local(occurrence.starts, occurrence.zone)),
    )


def _headline(reminder: Reminder, timeliness: Timeliness, now: int, words: Translator) -> str:
    occurrence = reminder.occurrence
    name = title(occurrence, words.language)
    left = occurrence.starts - now
    if timeliness is Timeliness.STARTED and left > -_A_MOMENT:
        return words.t("**{title}** starts now.", title=name)
    if timeliness is Timeliness.STARTED:
        return words.t("**{title}** started {ago}.", title=name, ago=time_text.relative(left, words.language))
    on_time = timeliness is Timeliness.ON_TIME
    when = time_text.ahead(reminder.lead, words.language) if on_time else time_text.relative(left, words.language)
    there = to_local(occurrence.starts, occurrence.zone)
    if there.date() == to_local(now, occurrence.zone).date():
        return words.t("**{title}** starts {when}.", title=name, when=when)
    return words.t(
        "**{title}** starts {when} ({day}).", title=name, when=when, day=time_text.day(there, words.language)
    )


def _clock_and_day(local: datetime, there: datetime, language: str) -> str:
    """The time, and the day where it is another than in the meeting's zone."""
    return (
        time_text.clock(local)
        if local.date() == there.date()
        else f"{time_text.day(local, language)}, {time_text.clock(local)}"
    )


def _naive(local: datetime) -> datetime:
    return local.replace(tzinfo=None)
