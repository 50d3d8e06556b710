"""When the meetings of a series are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from bot.api import Hub, in_gap, section, to_instant, to_local
from plugins.meetings.rrule import END, rule_of
from plugins.meetings.settings import Meeting, MeetingsHub

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting of a series. `slot` is its original local time, which names it for good."""

    hub: Hub
    meeting: Meeting
    slot: datetime
    zone: str
    starts: int

    @property
    def recurrence_id(self) -> str:
        """As in calendars (RFC 5545 section 3.8.4.4): "20270105T100000"."""
        return f"{self.slot:%Y%m%dT%H%M%S}"

    @property
    def ends(self) -> int:
        return self.starts + self.meeting.duration.milliseconds

    @property
    def moved_by_clocks(self) -> bool:
        """Whether a clock change leaves its local time out, so that it begins at another."""
        return in_gap(self.slot, self.zone)


def meetings(hub: Hub) -> Sequence[Meeting]:
    return section(hub, MeetingsHub).meetings


def between(hubs: Sequence[Hub], since: int, before: int) -> list[Occurrence]:
    """Meetings that start in `since` ≤ start < `before`, in order."""
    found = [
        occurrence
        for hub, meeting in _all(hubs)
        for occurrence in _occurrences(hub, meeting, _near(before, hub, meeting))
        if since <= occurrence.starts < before
    ]
    return sorted(found, key=_order)


def on_days(hubs: Sequence[Hub], first: date, last: date) -> list[Occurrence]:
    """Meetings on the days from `first` to `last` (included), as counted in each meeting's zone, in order."""
    end = datetime.combine(last, time.max)
    found = [
        occurrence
        for hub, meeting in _all(hubs)
        for occurrence in _occurrences(hub, meeting, end)
        if first <= occurrence.slot.date()
    ]
    return sorted(found, key=_order)


def coming(hubs: Sequence[Hub], now: int, most: int) -> list[Occurrence]:
    """The next meetings that are not over, at most so many, in order."""
    found: list[Occurrence] = []
    for hub, meeting in _all(hubs):
        found += islice((each for each in _occurrences(hub, meeting, END) if each.ends > now), most)
    return sorted(found, key=_order)[:most]


def find(hub: Hub, series: str, recurrence_id: str) -> Occurrence | None:
    """One meeting as it is configured now; None if it is no longer held."""
    for meeting in meetings(hub):
        if meeting.id == series:
            for occurrence in _occurrences(hub, meeting, datetime.strptime(recurrence_id, "%Y%m%dT%H%M%S")):
                if occurrence.recurrence_id == recurrence_id:
                    return occurrence
    return None


def _all(hubs: Sequence[Hub]) -> Iterator[tuple[Hub, Meeting]]:
    for hub in hubs:
        for meeting in meetings(hub):
            yield hub, meeting


def _occurrences(hub: Hub, meeting: Meeting, until: datetime) -> Iterator[Occurrence]:
    """All meetings of a series with slots up to `until` (included), from the first."""
    zone = meeting.timezone or hub.timezone
    rule = rule_of(meeting.repeats, meeting.rrule, meeting.count, meeting.until)
    if rule.until and rule.until.tzinfo:
        until = min(until, _naive(rule.until.astimezone(ZoneInfo(zone))))
    for slot in rule.slots(meeting.starts, until):
        if slot.date() not in meeting.skip:
            yield Occurrence(hub, meeting, slot, zone, to_instant(slot, zone))


def _near(instant: int, hub: Hub, meeting: Meeting) -> datetime:
    """A local time that is surely not before any slot of that instant."""
    return _naive(to_local(instant, meeting.timezone or hub.timezone)) + _DAY


def _naive(local: datetime) -> datetime:
    return local.replace(tzinfo=None)


def _order(occurrence: Occurrence) -> tuple[int, str, str]:
    return occurrence.starts, occurrence.hub.id, occurrence.meeting.id
