"""Recurrence rules (RFC 5545 section 3.3.10) on local time: what is allowed, and the dates they give.

A rule that never happens is refused, so that looking for the next date always ends soon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice

from dateutil.rrule import rrule, rrulestr

from bot.api import invalid
from plugins.meetings.recurrence_phrases import to_rule

END = datetime(2200, 1, 1)  # nothing is planned beyond it
YEARS = 43  # in so many even 29 February falls on every weekday

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NUMBERS = r"-?\d{1,3}(?:,-?\d{1,3})*"
_WEEKDAY = f"(?:{'|'.join(_WEEKDAYS)})"
_PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d{0,2}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(?:T\d{6}Z?)?",
    "BYDAY": rf"(?:[+-]?\d{{1,2}})?{_WEEKDAY}(?:,(?:[+-]?\d{{1,2}})?{_WEEKDAY})*",
    "BYMONTHDAY": _NUMBERS,
    "BYMONTH": r"\d{1,2}(?:,\d{1,2})*",
    "BYYEARDAY": _NUMBERS,
    "BYWEEKNO": _NUMBERS,
    "BYSETPOS": _NUMBERS,
    "WKST": _WEEKDAY,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a series goes on from its first meeting."""

    text: str  # without COUNT and UNTIL, as "FREQ=WEEKLY;BYDAY=TU"
    count: int | None = None
    until: datetime | None = None  # the last possible local time; in UTC if it knows its zone

    def slots(self, starts: datetime, until: datetime) -> Iterator[datetime]:
        """Local times of the meetings up to `until` (included), the first at `starts` if that fits the rule."""
        if self.until and self.until.tzinfo is None:
            until = min(until, self.until)
        return islice(iter(_dates(self.text, starts, min(until, END))), self.count)

    def nearest(self, starts: datetime) -> list[datetime]:
        """The last fitting time before `starts` and the first after it, as far as there are any.

        Any day, week, month or year will do: it is the first meeting that decides which of them count.
        """
        text = _without_interval(self.text)
        if not re.search("FREQ=DAILY|BY(MONTH|YEAR)?DAY|BYWEEKNO", text):  # what is left open comes from `starts`
            weekly = "FREQ=WEEKLY" in text
            text += f";BYDAY={_WEEKDAYS[starts.weekday()]}" if weekly else f";BYMONTHDAY={starts.day}"
        first, last = (starts.replace(year=starts.year + years, month=1, day=1) for years in (-YEARS, YEARS))
        dates = _dates(text, first, last)
        return [date for date in (dates.before(starts), dates.after(starts)) if date]

    def ever_happens(self) -> bool:
        """Whether there is any date that fits."""
        # dateutil looks for a date up to the year 9999, which takes seconds if there is none; so it begins near the
        # end. What fits no day of these years, among them every kind of year there is, fits none at all.
        late = datetime(9999 - YEARS, 1, 1)
        try:
            return next(iter(rrulestr(_without_interval(self.text), dtstart=late)), None) is not None
        except OverflowError:  # a week that goes on after the last day there is
            return False


ONCE = Rule("FREQ=DAILY", count=1)


def rule_of(repeats: str | None, rrule: str | None, count: int | None = None, until: date | None = None) -> Rule:
    """The rule a meeting was given in plain words or as a recurrence rule; without either it is held once."""
    if not repeats and not rrule:
        return ONCE
    rule = parse(to_rule(repeats)) if repeats else parse(str(rrule))
    if until:
        rule = replace(rule, until=datetime.combine(until, time.max))
    return replace(rule, count=count) if count else rule


def parse(text: str) -> Rule:
    """Reads `FREQ=…;BYDAY=…`. Raises `invalid` for what is no rule or is finer than a day."""
    parts: dict[str, str] = {}
    for written in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = (part.strip() for part in written.partition("="))
        _check_part(name, value)
        if name in parts:
            raise invalid("'{name}' appears twice in the rule", name=name)
        parts[name] = value
    if "FREQ" not in parts:
        raise invalid("the rule does not say how often the meeting repeats; write it like 'FREQ=MONTHLY;BYDAY=1TU'")
    if parts["FREQ"] in ("DAILY", "WEEKLY") and re.search(r"\d", parts.get("BYDAY", "")):
        raise invalid(
            "'BYDAY={days}' counts weekdays of a month or year; it needs FREQ=MONTHLY or YEARLY", days=parts["BYDAY"]
        )
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if count and until:
        raise invalid("the rule has both COUNT and UNTIL; keep only one")
    core = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rrulestr(core)
        return Rule(core, int(count) if count else None, _until(until) if until else None)
    except ValueError as error:
        raise invalid("'{rule}' is not a recurrence rule: {reason}", rule=text, reason=str(error)) from None


def _check_part(name: str, value: str) -> None:
    if name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        raise invalid("the time is set by 'starts'; remove '{name}'", name=name)
    if name == "FREQ" and value in ("HOURLY", "MINUTELY", "SECONDLY"):
        raise invalid("meetings can repeat at most once a day; use FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if name not in _PARTS or not re.fullmatch(_PARTS[name], value):
        raise invalid(
            "'{part}' is not part of a recurrence rule; write the rule like 'FREQ=MONTHLY;BYDAY=1TU'",
            part=f"{name}={value}" if value else name,
        )


def _until(text: str) -> datetime:
    if text.endswith("Z"):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if "T" in text:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")
    return datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59, second=59)


def _without_interval(text: str) -> str:
    return re.sub(r";INTERVAL=\d+|INTERVAL=\d+;", "", text)


def _dates(text: str, starts: datetime, until: datetime) -> rrule:
    rule = rrulestr(text, dtstart=starts)
    assert isinstance(rule, rrule)  # noqa: S101 - for mypy: a set only comes of several lines
    return rule.replace(until=until)
