"""What people's clocks say → instants, and what to do about reminders that are late.

Clock changes are decided here and nowhere else:
- a local time that a clock change leaves out is moved on by the length of the gap (RFC 5545 section 3.3.5: the
  offset from before the gap counts), because people still meet;
- a local time that happens twice means the first of the two;
- a lead of days or weeks goes back on the wall clock ("1 day" before 10:00 is 10:00), one of hours or minutes in
  elapsed time ("24 hours" before may be another hour of the day).

Instants are UTC milliseconds since 1970; local times are naive datetimes, with the IANA name of their zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from bot.core.durations import Duration

LATE_GRACE = 15 * 60_000  # ms after the start in which a missed reminder still says that it started
PUNCTUAL = 60_000  # ms; the alarm clock looks every 15 seconds, and the machine may be busy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = {"day": 1, "week": 7}


def to_instant(local: datetime, zone: str) -> int:
    """The instant at which the clocks of an IANA zone show `local` (naive). Clock changes: see this module.

    >>> to_instant(datetime(2027, 1, 5, 10), "America/Guatemala")
    1799164800000
    """
    # With fold=0, zoneinfo counts with the offset from before a clock change, in a gap as in an overlap (PEP 495).
    return (local.replace(tzinfo=ZoneInfo(zone), fold=0) - _EPOCH) // timedelta(milliseconds=1)


def to_local(instant: int, zone: str) -> datetime:
    """What the clocks of an IANA zone show at an instant, as a datetime with its offset.

    >>> f"{to_local(1_799_164_800_000, 'America/Jamaica'):%H:%M}"
    '11:00'
    """
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(zone))


def in_gap(local: datetime, zone: str) -> bool:
    """Whether a clock change skips this local time.

    >>> in_gap(datetime(2027, 3, 14, 2, 30), "America/New_York")
    True
    """
    return to_local(to_instant(local, zone), zone).replace(tzinfo=None, fold=0) != local.replace(fold=0)


def reminder_due(local: datetime, zone: str, lead: Duration) -> int:
    """The instant of the reminder `lead` before a meeting at `local` (naive) in an IANA zone.

    >>> to_local(reminder_due(datetime(2027, 1, 5, 10), "America/Guatemala", Duration(1, "day")), "UTC").day
    4
    """
    if lead.unit in _DAYS:
        return to_instant(local - timedelta(days=lead.amount * _DAYS[lead.unit]), zone)
    return to_instant(local, zone) - lead.milliseconds


class Timeliness(Enum):
    """What to do with a reminder that is due; see `timeliness`."""

    ON_TIME = "say it"
    LATE = "say it, with the time that is really left"
    STARTED = "say that it started"
    SUPERSEDED = "say nothing: a later reminder of the same meeting is due as well"
    EXPIRED = "say nothing: it is over, or nearly"


def timeliness(*, now: int, start: int, due: int, others: Iterable[int] = ()) -> Timeliness:
    """What to do, at the instant `now`, with the reminder due at `due` of a meeting at `start`; `others` are the
    instants of the meeting's other reminders. After a pause of any length, at most one reminder of a meeting is sent:
    the newest one due.

    >>> timeliness(now=50_000, start=3_600_000, due=0)
    <Timeliness.ON_TIME: 'say it'>
    >>> timeliness(now=50_000, start=3_600_000, due=0, others=[40_000]).name
    'SUPERSEDED'
    """
    if any(due < other <= now for other in others):
        return Timeliness.SUPERSEDED
    if now > start + LATE_GRACE:
        return Timeliness.EXPIRED
    if now >= start:
        return Timeliness.STARTED
    return Timeliness.ON_TIME if now - due < PUNCTUAL else Timeliness.LATE
