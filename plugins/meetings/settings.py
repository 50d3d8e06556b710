"""What moderators can set about meetings in a hub's YAML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import InitErrorDetails

from bot.api import Duration, Identifier, Localized, Room, Settings, Span, Zone, invalid
from plugins.meetings.recurrence_phrases import to_rule
from plugins.meetings.rrule import END, ONCE, Rule, parse, rule_of

_DAY = 86_400_000  # ms
_LONGEST_LEAD = 53 * 7 * _DAY
_FIRST, _LAST = 2000, 2199  # years meetings may start in


def _local(value: object) -> object:
    text = str(value).strip()
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        local = None
    if local is None or local.tzinfo or len(text) < len("2027-01-05 10:00"):
        raise invalid("'{value}' is not a date and time; write it as '2027-01-05 10:00'", value=text)
    if not _FIRST <= local.year <= _LAST:
        raise invalid("'{value}' is not between the years 2000 and 2199", value=text)
    return local.replace(microsecond=0)


def _day(value: object) -> object:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise invalid("'{value}' is not a date; write it as '2027-04-06'", value=str(value)) from None


def _link(value: str) -> str:
    try:
        parts = urlsplit(value)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, value))
    except ValueError:
        ok = False
    if not ok:
        raise invalid("'{value}' is not a link; write one like 'https://meet.example.org/room'", value=value)
    return value


def _repeats(value: str) -> str:
    to_rule(value)
    return value


def _rrule(value: str) -> str:
    rule = parse(value)
    if not rule.ever_happens():
        raise invalid("no date matches '{rule}', so this meeting would never take place", rule=rule.text)
    return value


LocalTime = Annotated[
    datetime, BeforeValidator(_local), WithJsonSchema({"type": "string", "examples": ["2027-01-05 10:00"]})
]
"""A date and a time of day in the meeting's own zone: `2027-01-05 10:00`."""

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A date in the meeting's own zone: `2027-04-06`."""


class Meeting(Settings):
    """A meeting, or a series of them."""

    id: Identifier
    """Names the series for good: change it, and reminders already sent may be sent again."""
    title: Localized
    """How it is called in reminders."""
    repeats: Annotated[str, AfterValidator(_repeats)] | None = None
    """`every week`, `every 2 weeks on tuesday`, `first tuesday of the month`, `last friday of the month`…"""
    rrule: Annotated[str, AfterValidator(_rrule)] | None = None
    """The same as a recurrence rule of calendars: `FREQ=MONTHLY;BYDAY=1TU`."""
    starts: LocalTime
    """The first meeting: `2027-01-05 10:00`, in local time."""
    timezone: Zone | None = None
    """Whose local time; the hub's if left out."""
    until: Day | None = None
    """The last day a meeting can be on."""
    count: Annotated[int, Field(ge=1, le=9999)] | None = None
    """How many meetings there are, skipped ones included."""
    skip: tuple[Day, ...] = ()
    """Days without the meeting."""
    duration: Span = Duration(1, "hour")
    """How long it lasts, a day at most."""
    call: Annotated[str, AfterValidator(_link)] | None = None
    """Where to meet: a web link."""
    remind: tuple[Span, ...] = ()
    """How long before to remind the coordinators: `[1 week, 1 day, 1 hour, 10 minutes]`."""

    @field_validator("rrule")
    @classmethod
    def _one_rule(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("repeats"):
            raise invalid("write either 'repeats' or 'rrule', not both")
        return value

    @field_validator("starts")
    @classmethod
    def _starts_by_the_rule(cls, value: datetime, info: ValidationInfo) -> datetime:
        rule = _rule_in(info)
        if rule and next(rule.slots(value, value), None) != value:
            raise invalid(
                "{day} is not a date on which the meeting repeats; the nearest are {nearest}",
                day=value.date().isoformat(),
                nearest=", ".join(date.date().isoformat() for date in rule.nearest(value)) or "-",
            )
        return value

    @field_validator("until", "count")
    @classmethod
    def _one_end(cls, value: date | int | None, info: ValidationInfo) -> date | int | None:
        rule, starts = _rule_in(info), info.data.get("starts")
        if value is None or rule is None:
            return value
        if rule is ONCE:
            raise invalid("this meeting does not repeat; add 'repeats' or remove '{name}'", name=info.field_name)
        if isinstance(value, int) and info.data.get("until"):
            raise invalid("write either 'until' or 'count', not both")
        if rule.count or rule.until:
            raise invalid(
                "the rule in 'rrule' already says when the meetings end; remove '{name}'", name=info.field_name
            )
        if isinstance(value, date) and starts and value < starts.date():
            raise invalid("the last day, {until}, is before the first meeting", until=value.isoformat())
        return value

    @field_validator("skip")
    @classmethod
    def _skips_a_meeting(cls, days: tuple[date, ...], info: ValidationInfo) -> tuple[date, ...]:
        rule, starts = _rule_in(info), info.data.get("starts")
        if rule is None or starts is None or not days:
            return days
        held = {slot.date() for slot in rule.slots(starts, min(datetime.combine(max(days), time.max), END))}
        for day in days:
            if day not in held:
                raise invalid(
                    "there is no meeting on {day} to skip; the nearest dates are {nearest}",
                    day=day.isoformat(),
                    nearest=", ".join(near.isoformat() for near in _around(day, rule, starts)) or "-",
                )
        return days

    @field_validator("duration")
    @classmethod
    def _lasts_a_day_at_most(cls, value: Duration) -> Duration:
        if not 0 < value.milliseconds <= _DAY:
            raise invalid("'{value}' is not possible; a meeting lasts up to one day", value=str(value))
        return value

    @field_validator("remind")
    @classmethod
    def _different_leads(cls, leads: tuple[Duration, ...]) -> tuple[Duration, ...]:
        for lead in leads:
            if not 0 < lead.milliseconds <= _LONGEST_LEAD:
                raise invalid("a reminder must come before the meeting, at most 53 weeks ahead")
            if [lead_id(other) for other in leads].count(lead_id(lead)) > 1:
                raise invalid("'{lead}' appears twice", lead=str(lead))
        return leads


class MeetingsHub(Settings):
    """Keys of a hub."""

    meetings: tuple[Meeting, ...] = ()
    """Meetings of the hub. Reminders go to its rooms with `role: coordinators`."""

    @field_validator("meetings")
    @classmethod
    def _different_ids(cls, meetings: tuple[Meeting, ...]) -> tuple[Meeting, ...]:
        ids = [meeting.id for meeting in meetings]
        problems = [
            InitErrorDetails(
                type=invalid("two meetings of this hub have the id '{id}'", id=each), loc=(number, "id"), input=each
            )
            for number, each in enumerate(ids)
            if each in ids[:number]
        ]
        if problems:
            raise ValidationError.from_exception_data("meetings", problems)
        return meetings

    @field_validator("meetings")
    @classmethod
    def _reminders_have_a_room(cls, meetings: tuple[Meeting, ...], info: ValidationInfo) -> tuple[Meeting, ...]:
        rooms: Sequence[Room] | None = info.data.get("rooms")  # None: invalid, and reported already
        if rooms is None or any(room.role == "coordinators" for room in rooms):
            return meetings
        problems = [
            InitErrorDetails(
                type=invalid(
                    "reminders go to a room with 'role: coordinators', which this hub does not have; add one, or "
                    "remove 'remind'"
                ),
                loc=(number, "remind"),
                input=meeting.remind,
            )
            for number, meeting in enumerate(meetings)
            if meeting.remind
        ]
        if problems:
            raise ValidationError.from_exception_data("meetings", problems)
        return meetings


def lead_id(lead: Duration) -> str:
    """The same for leads that mean the same (ISO 8601): "P7D" on the wall clock, "PT3600S" in elapsed time."""
    seconds = lead.milliseconds // 1000
    return f"P{seconds // 86_400}D" if lead.unit in ("day", "week") else f"PT{seconds}S"


def _rule_in(info: ValidationInfo) -> Rule | None:
    """The rule among the keys read so far; None if it is wrong itself."""
    if not {"repeats", "rrule"} <= info.data.keys():
        return None
    data = info.data
    return rule_of(data["repeats"], data["rrule"], data.get("count"), data.get("until"))


def _around(day: date, rule: Rule, starts: datetime) -> Iterator[date]:
    """The last meeting before a day and the first after it."""
    before = after = None
    for slot in rule.slots(starts, END):
        if slot.date() > day:
            after = slot.date()
            break
        before = slot.date()
    yield from (near for near in (before, after) if near)
